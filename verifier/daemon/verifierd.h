/*
 * verifierd: the daemon's parts, made, started and stopped in order.
 *
 *   intakes (one for each oracle) -> validator -> archive_writer
 *     -> announcer -> board -> HTTP
 *
 * and NATS beside the intakes, if it is configured (bus.h).
 */
#ifndef HALLMARK_VERIFIER_DAEMON_VERIFIERD_H
#define HALLMARK_VERIFIER_DAEMON_VERIFIERD_H

#include "base/board_routes.h"
#include "verifier/daemon/announce.h"
#include "verifier/daemon/archive_wait.h"
#include "verifier/daemon/archive_writer.h"
#include "verifier/daemon/budget.h"
#include "verifier/daemon/bus.h"
#include "verifier/daemon/curl_loop.h"
#include "verifier/daemon/history.h"
#include "verifier/daemon/intake.h"
#include "verifier/daemon/log_keeper.h"
#include "verifier/daemon/log_reader.h"
#include "verifier/daemon/raw_keeper.h"
#include "verifier/daemon/upstreams.h"
#include "verifier/daemon/validate.h"
#include "verifier/daemon/verifierd_config.h"

#define VERIFIERD_ERROR_MAX 1536

struct verifierd { /* its fields are for verifierd_api.c; read only */
	struct board_front front; /* first: board_routes.h */
	uv_loop_t *loop;
	struct verifierd_config *config; /* attested oracles' pins are here */
	struct hm_policy *policy;
	struct validator *validator;
	struct archive_wait *wait;     /* until the archive can be opened */
	struct archive_writer *writer; /* NULL until then */
	struct raw_keeper *raw;        /* NULL: raw answers are not kept */
	struct announcer *announcer;
	struct log_keeper *log;
	struct log_reader *log_reader;
	struct upstreams *upstreams;
	struct history *history;
	struct bus *bus; /* NULL: no NATS */
	struct curl_loop *curl;
	struct http_server *server;
	struct intake *intakes[VERIFIERD_ORACLES_MAX];
	struct budget verify_budget; /* of POST /verify */
	bool stopping;
};

/* Reads the policy, opens the archive, listens, and goes after the oracles; if
 * the archive cannot be opened now but may be later (archive_wait.h), after
 * them when it can.
 * config is borrowed until stopped. 0, or -1 and why; then all is released
 * once the loop has run. */
__attribute__((warn_unused_result)) int verifierd_start(
    struct verifierd *daemon, uv_loop_t *loop, struct verifierd_config *config,
    char error[static VERIFIERD_ERROR_MAX]);

/* Streams get `goodbye`, what waits is written, all handles close: the loop
 * then ends by itself. A second call does nothing. */
void verifierd_stop(struct verifierd *daemon);

/* Is the upstream of this name (upstreams.h) connected? */
bool verifierd_connected(const struct verifierd *daemon, const char *upstream);

#endif
