/*
 * handout: one rule that gives an enclave its configuration, where that is not
 * in the image.
 *
 *   it connects
 *   we write    4 bytes, big-endian: how many follow, 1 to 1 MiB
 *               so many bytes, those of the file
 *   it closes
 *
 * The file is read at the start and again on SIGHUP, never for a connection;
 * one that is missing, too long or no JSON object does not start, or leaves
 * the old one. The enclave measures what it gets (PCR16) and believes nothing
 * else of it; whoever else can connect may read it: it holds no secrets.
 *
 * A connection that has not taken it within request_timeout_ms is ended.
 */
#ifndef HALLMARK_BRIDGE_HANDOUT_H
#define HALLMARK_BRIDGE_HANDOUT_H

#include "vsock-bridge/listener.h"
#include "vsock-bridge/pace.h"
#include "vsock-bridge/service.h"

#define HANDOUT_BYTES_MAX (1u << 20) /* what an enclave accepts */

struct handout_text; /* the file's bytes, and how many send them */

struct handout {
	struct service *service;                 /* borrowed */
	const struct bridge_configuration *rule; /* borrowed */
	struct listener listener;
	struct sight_rule *sight; /* the service's */
	struct handout_text *text;
	struct pace_line said; /* that it was handed out */
};

/* Reads the file and listens; both borrowed until stopped and without
 * connections. Returns 0, or -1 and why; then nothing is left to stop. */
__attribute__((warn_unused_result)) int handout_start(struct handout *out,
    struct service *service, const struct bridge_configuration *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Reads the file again. False, and a log line: the old one counts. */
bool handout_reload(struct handout *handout);

/* Accepts no more; `on_stopped` as listener_stop. */
void handout_stop(struct handout *handout, listener_stopped_cb on_stopped);
/* Once stopped and without connections. */
void handout_fini(struct handout *handout);

/* For --check: 0 and how many bytes the file has, or -1 and why. */
__attribute__((warn_unused_result)) int handout_check(
    const char *path, size_t *len, char error[static BRIDGE_CONFIG_ERROR_MAX]);

#endif
