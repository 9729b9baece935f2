/*
 * https_connection: one connection to one server, from the dial to the end:
 *
 *   endpoint -> [CONNECT host:port] -> TLS -> plain text both ways
 *
 * It knows no HTTP but CONNECT, no deadline and no second attempt: its owner
 * (https_client) does.
 */
#ifndef HALLMARK_ORACLE_HTTPS_CONNECTION_H
#define HALLMARK_ORACLE_HTTPS_CONNECTION_H

#include "base/endpoint.h"
#include "feeds/quote.h"
#include "oracle/tls_stream.h"

#define HTTPS_CONNECTION_WHY_MAX 192

struct https_connection;

/*
 * None fires before https_connection_open() has returned, none after
 * https_connection_close(); each may call that.
 */
struct https_connection_events {
	/* TLS is up: write may be called. Once. */
	void (*opened)(void *data);
	/* After `opened`: bytes, the end or an error may have come. Call
	 * https_connection_read() until it is not OK. */
	void (*readable)(void *data);
	/* In place of `opened`: it did not come to that. CONNECT_FAILED,
	 * TLS_FAILED or TIMEOUT; `why` is borrowed until close. Close now. */
	void (*failed)(enum quote_error error, const char *why, void *data);
};

struct https_connection_options {
	uv_loop_t *loop;
	SSL_CTX *tls;
	const struct endpoint *dial; /* what is dialled; copied */
	bool through_proxy;          /* it is a proxy: ask it for host:port */
	const char *host;            /* borrowed until close */
	uint16_t port;
	/* The keys that the peer may have, borrowed until close; 0: any. */
	const uint8_t (*spki_sha256)[TLS_STREAM_SPKI_LEN];
	size_t spki_count;
	uint64_t dial_timeout_ms;
	const struct https_connection_events *events; /* borrowed: a literal */
	void *data;
};

struct https_connection *https_connection_open(
    const struct https_connection_options *options);

/* Ends it without an event; it frees itself when libuv lets it go. */
void https_connection_close(struct https_connection *c);

/* After `opened`. As tls_stream_write() and tls_stream_read(). */
enum tls_stream_status https_connection_write(
    struct https_connection *c, const void *plain, size_t len);
enum tls_stream_status https_connection_read(
    struct https_connection *c, void *plain, size_t cap, size_t *len);

/* Why read or write FAILED; borrowed until close. */
const char *https_connection_why(const struct https_connection *c);
/* What it waits for, for people: "the dial", "the proxy" ... */
const char *https_connection_phase(const struct https_connection *c);
void https_connection_peer_spki(
    const struct https_connection *c, uint8_t out[static TLS_STREAM_SPKI_LEN]);

#endif
