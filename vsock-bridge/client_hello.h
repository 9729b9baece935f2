/*
 * client_hello: the first message of a TLS client, for the name of the server
 * that it asks for. Pure: bytes in, a name or a refusal out.
 *
 *   record  type 22, version, length       RFC 8446 5.1; one or more
 *     message  type 1, length              RFC 8446 4
 *       version, random, session, cipher suites, compression, extensions
 *         extension 0: one host_name       RFC 6066 3
 *
 * Whoever may reach a host by CONNECT could otherwise speak anything with it:
 * another protocol, or TLS with one of the many other servers behind the same
 * address. What is compared is the name in the clear. Of an encrypted
 * ClientHello (ECH) that is the outer one, which the server acts by unless it
 * knows the key.
 *
 * A hello is refused as soon as a byte cannot belong to one, so a client that
 * speaks something else hears so at once instead of waiting for a time-out.
 * What TLS leaves open to servers (versions, cipher suites, other extensions)
 * is left to them; what could be read as a second name is refused.
 */
#ifndef HALLMARK_BRIDGE_CLIENT_HELLO_H
#define HALLMARK_BRIDGE_CLIENT_HELLO_H

#include "vsock-bridge/authority.h"

/* Of the message. Post-quantum key shares make 1,800 bytes of a hello, and a
 * ticket or a key share of a kind to come more; servers stop at 16 to 128 KiB.
 */
#define CLIENT_HELLO_BYTES_MAX   16384
#define CLIENT_HELLO_RECORDS_MAX 64 /* it may come in; usual is one */
#define CLIENT_HELLO_RECORD_HEAD 5
#define CLIENT_HELLO_WIRE_MAX     \
	(CLIENT_HELLO_BYTES_MAX + \
	    CLIENT_HELLO_RECORDS_MAX * CLIENT_HELLO_RECORD_HEAD)

struct client_hello {
	char host[AUTHORITY_HOST_MAX]; /* when ready: lower case */
	size_t wire_len;    /* when ready: of its records; more may follow */
	const char *error;  /* when refused: a literal, for programs */
	const char *reason; /* when refused: a literal, for people */
};

/* `error` is one of these. */
#define CLIENT_HELLO_NOT_TLS   "not_tls"
#define CLIENT_HELLO_MALFORMED "malformed_client_hello"
#define CLIENT_HELLO_NO_NAME   "no_server_name"

enum client_hello_state {
	CLIENT_HELLO_MORE,    /* a good beginning: read on, ask again */
	CLIENT_HELLO_READY,   /* host and wire_len are set */
	CLIENT_HELLO_REFUSED, /* error and reason are set */
};

/* Judges all that has come so far. Never MORE for CLIENT_HELLO_WIRE_MAX bytes
 * or above; once READY or REFUSED, more bytes change nothing. */
__attribute__((warn_unused_result)) enum client_hello_state client_hello_parse(
    struct client_hello *out, const uint8_t *bytes, size_t len);

#endif
