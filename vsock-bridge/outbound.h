/*
 * outbound: one rule that lets clients out: a listener, and the allow-list
 * that decides what they may ask for. See outbound_session.h for one client.
 */
#ifndef HALLMARK_BRIDGE_OUTBOUND_H
#define HALLMARK_BRIDGE_OUTBOUND_H

#include "vsock-bridge/allowlist.h"
#include "vsock-bridge/listener.h"
#include "vsock-bridge/service.h"

struct outbound {
	struct service *service;            /* borrowed */
	const struct bridge_outbound *rule; /* borrowed */
	struct allowlist *allowlist;        /* the one that counts now */
	struct listener listener;
	struct sight_rule *sight; /* the service's */
};

/* Reads the allow-list and listens; both borrowed until stopped and without
 * sessions. Returns 0, or -1 and why; then nothing is left to stop. */
__attribute__((warn_unused_result)) int outbound_start(struct outbound *out,
    struct service *service, const struct bridge_outbound *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Reads the allow-list again. One that is not valid changes nothing but the
 * log, and gives false. Connections that were granted go on. */
bool outbound_reload(struct outbound *outbound);

/* Accepts no more; `on_stopped` as listener_stop. */
void outbound_stop(struct outbound *outbound, listener_stopped_cb on_stopped);

/* After on_stopped and the last session. */
void outbound_fini(struct outbound *outbound);

#endif
