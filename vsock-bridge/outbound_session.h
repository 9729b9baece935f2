/*
 * outbound_session: one client that wants out.
 *
 * It sends a CONNECT request (connect_request.h). If the allow-list has its
 * destination, we connect (destination.h), answer 200 and relay (relay.h)
 * until both sides have ended; what the client sent after its head is the
 * beginning of its stream.
 *
 * Otherwise it is refused with a status and a reason (refusal.h), and one log
 * line says who asked for what.
 *
 *   HEAD ------> CONNECTING ------> RELAYING ----+
 *    |  |            |                           v
 *    |  +------+     |                        CLOSING --> freed
 *    |         v     v                           ^
 *    |       REFUSING ---------------------------+
 *    +-- gone before it asked -------------------+
 *
 * Every state that waits has a deadline: HEAD request_timeout_ms, CONNECTING
 * connect_timeout_ms, RELAYING idle_timeout_ms, REFUSING a second.
 */
#ifndef HALLMARK_BRIDGE_OUTBOUND_SESSION_H
#define HALLMARK_BRIDGE_OUTBOUND_SESSION_H

#include "vsock-bridge/outbound.h"

/* Takes `fd`, a connected socket. The session lives until it is over, in
 * outbound->service->connections. */
void outbound_session_start(struct outbound *outbound, int fd);

#endif
