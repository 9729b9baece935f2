/*
 * https_client: one kept-alive HTTPS connection to one exchange, through the
 * bridge or not.
 *
 *   endpoint -> [CONNECT host:port] -> TLS 1.2+ (chain and host name checked
 *   against our CA bundle, SNI sent) -> GET, HTTP/1.1 -> answer
 *
 * One request at a time; the owner queues. The connection is kept for the next
 * request and made anew when it is gone; a request on a kept connection that
 * the server had just closed, without a byte of answer, is tried once more on
 * a new one. No redirects are followed, no compression is asked for, an answer
 * over a ceiling is an error and never a shorter body. What an answer means is
 * the adapter's business. The program ignores SIGPIPE.
 */
#ifndef HALLMARK_ORACLE_HTTPS_CLIENT_H
#define HALLMARK_ORACLE_HTTPS_CLIENT_H

#include "base/endpoint.h"
#include "feeds/quote.h"
#include "oracle/http_request.h"

#include <openssl/ssl.h>

#define HTTPS_CONNECT_TIMEOUT_MS 5000  /* dial, CONNECT and TLS together */
#define HTTPS_REQUEST_TIMEOUT_MS 5000  /* from request to last byte */
#define HTTPS_IDLE_MS            30000 /* a kept connection is closed then */
#define HTTPS_HEADERS_MAX        16384 /* bytes of status line and headers */
#define HTTPS_ERROR_MAX          200

struct https_client;

struct https_answer {
	enum quote_error error; /* QUOTE_OK: there is an answer. Else one
				   of CONNECT_FAILED, TLS_FAILED, BAD_HTTP,
				   TOO_LARGE, TIMEOUT */
	const char *why;        /* for the log, when error is not OK */
	int status;             /* HTTP status, 200..599 */
	const char *body;       /* borrowed for the call */
	size_t len;
	int64_t date_ms; /* from Date (RFC 9110, 6.6.1), Unix ms; -1: none */
	int64_t took_ms; /* from the request's going out to now, monotonic */
	int64_t retry_after_ms;      /* from Retry-After (RFC 9110, 10.2.3),
					seconds or a date; -1: none */
	uint8_t tls_spki_sha256[32]; /* of the leaf that answered */
};

typedef void (*https_answer_cb)(const struct https_answer *answer, void *data);

struct https_client_options {
	uv_loop_t *loop;
	SSL_CTX *tls;                 /* from https_tls_context(); borrowed */
	const struct endpoint *proxy; /* the bridge, copied; NULL: connect
					 directly */
	const char *host;             /* a DNS name, copied; SNI, host name
					 check, Host: */
	uint16_t port;
	size_t body_max;
	/* SHA-256 of the SPKIs that the peer's certificate may have, copied;
	 * 0: any that the chain vouches for. Another is TLS_FAILED. */
	const uint8_t (*spki_sha256)[32];
	size_t spki_count;
	/* 0: the defaults */
	uint64_t connect_timeout_ms, request_timeout_ms, idle_ms;
};

/* TLS 1.2 or newer, peer verified against this PEM bundle only, a path or
 * the certificates (certificates.h). NULL and a text on failure.
 * SSL_CTX_free() it. */
SSL_CTX *https_tls_context(const char *ca_bundle, char error[HTTPS_ERROR_MAX]);

struct https_client *https_client_new(
    const struct https_client_options *options);

/* From the next get on: it ends within so long (> 0) whatever it waits for,
 * connection, answer and second try together. Until then there is no such
 * deadline. */
void https_client_set_deadline(struct https_client *client, uint64_t total_ms);

/* GET target. cb fires exactly once, never before this has returned. Asserts
 * that no request is under way. */
void https_client_get(struct https_client *client, const char *target,
    https_answer_cb cb, void *data);

/* The same with a header that holds a key: it goes to this client's host and
 * nowhere else, and is wiped here when the request has ended. */
void https_client_get_keyed(struct https_client *client, const char *target,
    const char *name, const char *value, https_answer_cb cb, void *data);

/* The same with a POST (borrowed for the call), but that it goes out once
 * whatever happens (RFC 9110, 9.2.2: only the caller knows if it may be
 * repeated), and its bytes are wiped afterwards. */
void https_client_post(struct https_client *client,
    const struct http_request_post *post, https_answer_cb cb, void *data);
int https_client_busy(const struct https_client *client);

/* Ends what is under way without calling its cb, closes, frees. Idempotence
 * is the owner's: call once. */
void https_client_close(struct https_client *client);

#endif
