/*
 * service: what every rule of the bridge is given: the limits, the loop, the
 * count of connections. One for a whole program.
 */
#ifndef HALLMARK_BRIDGE_SERVICE_H
#define HALLMARK_BRIDGE_SERVICE_H

#include "vsock-bridge/bridge_config.h"
#include "vsock-bridge/connections.h"
#include "vsock-bridge/listener.h"
#include "vsock-bridge/relay.h"
#include "vsock-bridge/sight.h"

struct service {
	uv_loop_t *loop;
	struct bridge_limits limits;
	struct connections connections;
	struct relay_hub relays; /* of all connections */
	struct sight sight;      /* each rule adds its own */

	/* private from here on */
	uint64_t full_logged_ms; /* when service_log_full last wrote a line */
	uint64_t full_unlogged;  /* calls since then */
};

#define SERVICE_FULL_LOG_MS 1000

/* A log line about a connection that is over a limit, at most one in
 * SERVICE_FULL_LOG_MS for all rules: it says how many had none. Such refusals
 * come as fast as a client likes; the counters have them all. */
void service_log_full(struct service *service, const char *module,
    const char *peer, const struct listener *listener,
    enum sight_reason reason);

/* Which limit was in the way of one that was refused a place: SIGHT_TOO_MANY or
 * SIGHT_TOO_MANY_OF_PEER. */
enum sight_reason service_full_reason(const struct connection *refused);

/* Logs (as above), counts and closes one that is not even told why. */
void service_turn_away(struct service *service, const char *module,
    const char *peer, const struct listener *listener, struct sight_rule *sight,
    enum sight_reason reason, int fd);

/* A connected stream socket of any kind, taken, as a stream on the loop. */
void service_open(struct service *service, uv_pipe_t *pipe, int fd);

#endif
