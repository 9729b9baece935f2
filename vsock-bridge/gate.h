/*
 * gate: what a client that was granted its CONNECT must say first, unless its
 * rule says any-protocol: a TLS ClientHello that names the host it asked for
 * (client_hello.h). Pure.
 *
 * It holds a client to the name that it gives, no more: what is asked for
 * inside of TLS (an HTTP Host, a second ClientHello with another name after a
 * HelloRetryRequest) only the server can refuse.
 *
 * By then it has its 200, so a refusal can only be a TLS alert (RFC 8446 6.2)
 * and an end; the log line and the counters say the rest.
 */
#ifndef HALLMARK_BRIDGE_GATE_H
#define HALLMARK_BRIDGE_GATE_H

#include "vsock-bridge/client_hello.h"

#define GATE_BYTES_MAX   CLIENT_HELLO_WIRE_MAX /* that it ever waits for */
#define GATE_ALERT_BYTES 7                     /* a record, and the alert */
#define GATE_DETAIL_MAX  (AUTHORITY_HOST_MAX + 64)

enum gate_state {
	GATE_MORE, /* read on, ask again; never for GATE_BYTES_MAX bytes */
	GATE_OPEN,
	GATE_SHUT /* why, is in the verdict */
};

#define GATE_WRONG_NAME "wrong_server_name" /* and those of client_hello.h */

struct gate_verdict {
	const char *error;            /* a literal, for programs */
	char detail[GATE_DETAIL_MAX]; /* for people */
	uint8_t alert[GATE_ALERT_BYTES];
	size_t alert_len; /* 0: it does not speak TLS, so none */
};

/* Judges the stream's first bytes. `host` is in lower case. */
__attribute__((warn_unused_result)) enum gate_state gate_judge(
    struct gate_verdict *out, const char *host, const uint8_t *bytes,
    size_t len);

#endif
