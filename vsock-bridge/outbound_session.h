/*
 * outbound_session: one client that wants out.
 *
 * It sends a CONNECT request (connect_request.h). If the allow-list has its
 * destination, we connect (destination.h), answer 200, wait for a ClientHello
 * that names the same host (gate.h; not for a rule that says any-protocol) and
 * relay (relay.h) until both sides have ended. What the client has sent by
 * then is the beginning of its stream; not a byte of it goes out before it was
 * judged.
 *
 * Otherwise it is refused: with a status and a reason, or after the 200 with a
 * TLS alert and an end (refusal.h), and one log line says who asked for what.
 * We connect before the 200 so that 502 and 504 can be told.
 *
 *   HEAD ------> CONNECTING ----> HELLO ----> RELAYING
 *    | |             |    |         | |            |
 *    | +-------------+----|---------+ |            |
 *    |         v          |  any-     |            |
 *    |      REFUSING      |  protocol |            |
 *    |         |          +-----------|--> RELAYING|
 *    +-------- | ---------------------+            |
 *     left     v         left                      v
 *             OVER: freed, when all handles are closed
 *
 * Every state that waits has a deadline: HEAD request_timeout_ms, CONNECTING
 * connect_timeout_ms, HELLO request_timeout_ms again, RELAYING
 * idle_timeout_ms and total_timeout_ms, REFUSING a second.
 */
#ifndef HALLMARK_BRIDGE_OUTBOUND_SESSION_H
#define HALLMARK_BRIDGE_OUTBOUND_SESSION_H

#include "vsock-bridge/outbound.h"

/* Takes `fd`, a connected non-blocking socket. The session lives until it is
 * over, in outbound->service->connections. */
void outbound_session_start(struct outbound *outbound, int fd);

#endif
