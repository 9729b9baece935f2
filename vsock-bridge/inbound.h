/*
 * inbound: one rule that lets clients in: a listener, and the one endpoint
 * that each connection is relayed to (relay.h). The enclave decides who may
 * ask for what; the bridge moves bytes.
 *
 * With "proxy_protocol" the first bytes to the endpoint are a PROXY header,
 * version 2 (base/proxy_header.h), that names the client.
 *
 * When the endpoint cannot be connected to, or the bridge is full, the client's
 * connection is reset and one log line says so: the bridge does not speak the
 * protocol that crosses it, so it has no other way to answer, and an end would
 * look like an answer without a byte.
 */
#ifndef HALLMARK_BRIDGE_INBOUND_H
#define HALLMARK_BRIDGE_INBOUND_H

#include "vsock-bridge/listener.h"
#include "vsock-bridge/service.h"

struct inbound {
	struct service *service;           /* borrowed */
	const struct bridge_inbound *rule; /* borrowed */
	struct listener listener;
	struct sight_rule *sight; /* the service's */
};

/* Listens; both borrowed until stopped and without connections. Returns 0, or
 * -1 and why; then nothing is left to stop. */
__attribute__((warn_unused_result)) int inbound_start(struct inbound *in,
    struct service *service, const struct bridge_inbound *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX]);

/* Accepts no more; `on_stopped` as listener_stop. */
void inbound_stop(struct inbound *inbound, listener_stopped_cb on_stopped);

#endif
