/*
 * tls_relay: TLS that ends here, in front of http_server. The client's socket
 * stays with the relay; the server has one end of a pair of sockets, in which
 * are the client's own words, and serves it as any other connection.
 *
 *   handshake --> the pair's end is handed on --> relayed --> freed
 *       +-------> closed: no TLS, not in time, too many at once
 *
 * What waits for a slow side is one record (16 KiB) each way beside what the
 * sockets hold; then the other side is not read. A client that ends without
 * close_notify is gone (RFC 8446, 6.1); one that says it, and goes on reading,
 * has its answer. When the server closes its end, what it has said is sent,
 * then close_notify, and the client has TLS_RELAY_LINGER_MS to go.
 */
#ifndef HALLMARK_BASE_TLS_RELAY_H
#define HALLMARK_BASE_TLS_RELAY_H

#include "base/http_wrapper.h"

#include <openssl/ssl.h>

#define TLS_RELAYS_MAX           4096 /* connections; three descriptors each */
#define TLS_RELAY_HANDSHAKES_MAX 512  /* of them, under way */
#define TLS_RELAY_HANDSHAKE_MS   10000
#define TLS_RELAY_STALL_MS       60000 /* a side takes nothing at all */
#define TLS_RELAY_LINGER_MS      2000
#define TLS_RELAY_BYTES          16384 /* RFC 8446, 5.1: of one record */
#define TLS_RELAY_LOG_MS         1000  /* between lines about failures */

/* For struct http_server_options; the context is borrowed until the server has
 * stopped. */
struct http_wrapper tls_relay_wrapper(SSL_CTX *context);

#endif
