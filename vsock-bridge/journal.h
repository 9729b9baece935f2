/*
 * journal: one rule that takes an enclave's log and writes it to ours, a line
 * for a line, behind a head that says which peer wrote it (log_passed_on).
 *
 *   it connects and writes lines, each with its newline, for as long as it runs
 *
 * An enclave is not trusted here. A line is cut after LINES_MAX bytes, and what
 * is not printable is escaped (base/lines.h, base/log.h): it cannot begin a
 * line of its own or look like one of ours. What all connections of a rule may
 * make us write is JOURNAL_PER_S bytes a second, after a burst; each line
 * counts for JOURNAL_LINE more than it has. Above that we do not read, and what
 * the enclave cannot send it drops and counts (oracle/init/log_ring.h).
 * Nothing is answered.
 */
#ifndef HALLMARK_BRIDGE_JOURNAL_H
#define HALLMARK_BRIDGE_JOURNAL_H

#include "vsock-bridge/listener.h"
#include "vsock-bridge/pace.h"
#include "vsock-bridge/service.h"

#define JOURNAL_PER_S           16384
#define JOURNAL_BURST           (1 << 20) /* an enclave's whole ring */
#define JOURNAL_LINE            256       /* what a journal keeps with it */
#define JOURNAL_CONNECTIONS_MAX 8         /* of a rule */

struct journal {
	struct service *service; /* borrowed */
	struct listener listener;
	struct sight_rule *sight; /* the service's */
	struct pace pace;
	struct pace_line said;         /* that one came or went */
	uv_timer_t resume;             /* while they wait */
	struct journal_session *first; /* those that are open */
	unsigned count;
	bool stopping;
	listener_stopped_cb on_stopped;
};

/* Listens; both borrowed until stopped and without connections. Returns 0, or
 * -1 and why; then nothing is left to stop. */
__attribute__((warn_unused_result)) int journal_start(struct journal *out,
    struct service *service, const struct bridge_logs *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Accepts no more; `on_stopped` as listener_stop. */
void journal_stop(struct journal *journal, listener_stopped_cb on_stopped);

#endif
