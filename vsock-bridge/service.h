/*
 * service: what every rule of the bridge is given: the limits, the loop, the
 * count of connections. One for a whole program.
 */
#ifndef HALLMARK_BRIDGE_SERVICE_H
#define HALLMARK_BRIDGE_SERVICE_H

#include "vsock-bridge/bridge_config.h"
#include "vsock-bridge/connections.h"
#include "vsock-bridge/relay.h"
#include "vsock-bridge/sight.h"

struct service {
	uv_loop_t *loop;
	struct bridge_limits limits;
	struct connections connections;
	struct relay_hub relays; /* of all connections */
	struct sight sight;      /* each rule adds its own */
};

/* A connected stream socket of any kind, taken, as a stream on the loop. */
void service_open(struct service *service, uv_pipe_t *pipe, int fd);

#endif
