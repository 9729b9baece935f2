/*
 * https_connection: bytes between a descriptor and a tls_stream.
 *
 *   DIALING --> PROXYING --> SECURING --> OPEN
 *      |  \________|____________^  |       |
 *      |  (direct) |               |       |
 *      +-----------+-------+-------+-------+--> CLOSED (by the owner)
 *
 * DIALING waits for endpoint_connect, PROXYING for the proxy's answer,
 * SECURING for the server's part of the handshake, OPEN for whatever the
 * server sends. The owner bounds all of them by its deadlines.
 *
 * Failures. What the peer does reaches us by reading only: a write that failed
 * is left to the read side, because a server that answers and hangs up before
 * it has read all must still be heard. One write is under way at a time, from
 * one buffer; the rest waits in the tls_stream, which has a ceiling. After
 * close() the dial and the handle come back from libuv in any order, and the
 * last of them frees.
 */
#include "oracle/https_connection.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "oracle/proxy_connect.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_MAX  16384 /* one read; a TLS record is hardly longer */
#define OUT_MAX 4096  /* one write; requests and our handshake fit */

enum state {
	DIALING,
	PROXYING,
	SECURING,
	OPEN,
	CLOSED,
	STATE_COUNT
};

static const struct {
	const char *phase;
	unsigned next; /* bit set of the states that may follow */
} states[STATE_COUNT] = {
    [DIALING] = {"the dial", 1u << PROXYING | 1u << SECURING | 1u << CLOSED},
    [PROXYING] = {"the proxy", 1u << SECURING | 1u << CLOSED},
    [SECURING] = {"the TLS handshake", 1u << OPEN | 1u << CLOSED},
    [OPEN] = {"the answer", 1u << CLOSED},
    [CLOSED] = {"nothing", 0},
};

struct https_connection {
	struct https_connection_options with;
	enum state state;
	struct endpoint_connect dial;
	bool dialing;     /* the dial's callback is still to come */
	uv_pipe_t pipe;   /* any stream socket; initialised from the start */
	bool pipe_closed; /* its close callback has fired */
	uv_write_t write;
	bool writing; /* `write` is under way and `out` in use */
	struct proxy_connect proxy;
	struct tls_stream tls; /* from SECURING on */
	char in[IN_MAX], out[OUT_MAX];
	char why[HTTPS_CONNECTION_WHY_MAX];
};

static void move(struct https_connection *c, enum state to)
{
	assert(states[c->state].next & 1u << to);
	c->state = to;
}

/* The owner closes, so nobody may touch `c` as an open connection after. */
static void report_failure(struct https_connection *c, enum quote_error error,
    const char *what, const char *detail)
{
	snprintf(c->why, sizeof(c->why), "%s%s", what, detail);
	c->with.events->failed(error, c->why, c->with.data);
	assert(c->state == CLOSED);
}

static void free_when_idle(struct https_connection *c)
{
	if (!c->dialing && c->pipe_closed) {
		tls_stream_fini(&c->tls);
		free(c);
	}
}

/* ---- writing ---- */

static void flush(struct https_connection *c);

static void on_written(uv_write_t *req, int status)
{
	struct https_connection *c = req->data;

	(void)status; /* the read side tells */
	c->writing = false;
	if (c->state != CLOSED)
		flush(c);
}

static void write_out(struct https_connection *c, size_t len)
{
	uv_buf_t buf = uv_buf_init(c->out, (unsigned)len);

	c->write.data = c;
	c->writing = uv_write(&c->write, (uv_stream_t *)&c->pipe, &buf, 1,
			 on_written) == 0;
}

static void flush(struct https_connection *c)
{
	if (c->writing)
		return;
	size_t len = tls_stream_send(&c->tls, c->out, sizeof(c->out));
	if (len > 0)
		write_out(c, len);
}

/* ---- TLS ---- */

static void tell_readable(struct https_connection *c)
{
	c->with.events->readable(c->with.data);
	if (c->state != CLOSED)
		flush(c);
}

/* The chain was good; is it one of the keys that this host is known by? */
static bool is_pinned(const struct https_connection *c,
    const uint8_t spki_sha256[static TLS_STREAM_SPKI_LEN])
{
	for (size_t i = 0; i < c->with.spki_count; i++) {
		if (memcmp(c->with.spki_sha256[i], spki_sha256,
			TLS_STREAM_SPKI_LEN) == 0)
			return true;
	}
	return c->with.spki_count == 0;
}

static void secured(struct https_connection *c)
{
	uint8_t spki[TLS_STREAM_SPKI_LEN];
	char hex[2 * TLS_STREAM_SPKI_LEN + 1];

	tls_stream_peer_spki(&c->tls, spki);
	if (!is_pinned(c, spki)) {
		hex_encode(spki, sizeof(spki), hex);
		report_failure(c, QUOTE_TLS_FAILED,
		    "certificate: its key is not pinned: SPKI SHA-256 ", hex);
		return;
	}
	move(c, OPEN);
	c->with.events->opened(c->with.data);
	if (c->state != CLOSED)
		tell_readable(c);
}

static void handshake(struct https_connection *c)
{
	enum tls_stream_status status = tls_stream_handshake(&c->tls);

	flush(c); /* an alert, too, when it failed */
	if (status == TLS_STREAM_MORE)
		return;
	if (status == TLS_STREAM_FAILED) {
		report_failure(c, QUOTE_TLS_FAILED, c->tls.why, "");
		return;
	}
	if (status != TLS_STREAM_OK) {
		report_failure(
		    c, QUOTE_TLS_FAILED, "tls: closed in the handshake", "");
		return;
	}
	secured(c);
}

static void secure(struct https_connection *c)
{
	move(c, SECURING);
	tls_stream_init(&c->tls, c->with.tls, c->with.host);
	handshake(c);
}

/* ---- the proxy ---- */

static void ask_proxy(struct https_connection *c)
{
	_Static_assert(OUT_MAX >= PROXY_CONNECT_REQUEST_MAX, "fits");

	move(c, PROXYING);
	proxy_connect_init(&c->proxy);
	write_out(c, proxy_connect_request(c->out, c->with.host, c->with.port));
}

static void hear_proxy(struct https_connection *c, size_t len)
{
	int verdict = proxy_connect_feed(&c->proxy, c->in, len);

	if (verdict < 0)
		report_failure(c, QUOTE_CONNECT_FAILED, c->proxy.why, "");
	else if (verdict > 0)
		secure(c);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct https_connection *c = handle->data;

	(void)suggested;
	*buf = uv_buf_init(c->in, sizeof(c->in));
}

static void on_end(struct https_connection *c, int error)
{
	uv_read_stop((uv_stream_t *)&c->pipe);
	if (c->state == PROXYING) {
		report_failure(c, QUOTE_CONNECT_FAILED,
		    "proxy: ", error == UV_EOF ? "closed" : uv_strerror(error));
		return;
	}
	tls_stream_receive_end(&c->tls);
	if (c->state == SECURING)
		handshake(c);
	else
		tell_readable(c);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct https_connection *c = stream->data;

	(void)buf;
	assert(c->state != CLOSED);
	if (n == 0)
		return;
	if (n < 0) {
		on_end(c, (int)n);
		return;
	}
	if (c->state == PROXYING) {
		hear_proxy(c, (size_t)n);
		return;
	}
	tls_stream_receive(&c->tls, c->in, (size_t)n);
	if (c->state == SECURING)
		handshake(c);
	else
		tell_readable(c);
}

/* ---- the dial ---- */

static int adopt(struct https_connection *c, int fd)
{
	int ret = uv_pipe_open(&c->pipe, fd);

	if (ret < 0) {
		close(fd);
		return ret;
	}
	return uv_read_start((uv_stream_t *)&c->pipe, on_alloc, on_read);
}

static void on_dialled(struct endpoint_connect *op, int fd)
{
	struct https_connection *c = op->data;
	int ret;

	c->dialing = false;
	if (c->state == CLOSED) {
		if (fd >= 0)
			close(fd);
		free_when_idle(c);
		return;
	}
	ret = fd < 0 ? fd : adopt(c, fd);
	if (ret < 0)
		report_failure(c,
		    ret == UV_ETIMEDOUT ? QUOTE_TIMEOUT : QUOTE_CONNECT_FAILED,
		    "dial: ", uv_strerror(ret));
	else if (c->with.through_proxy)
		ask_proxy(c);
	else
		secure(c);
}

/* A dial that cannot even start fails on the loop like any other. */
static void start_dial(struct https_connection *c)
{
	c->dial.data = c;
	int ret = endpoint_connect_start(&c->dial, c->with.loop, c->with.dial,
	    c->with.dial_timeout_ms, on_dialled);

	/* Refused at once only for an address that the configuration must
	 * not have let through. */
	if (ret < 0)
		log_die("https_connection", "dial: %s", uv_strerror(ret));
	c->dialing = true;
	c->with.dial = NULL; /* endpoint_connect has its own copy */
}

/* ---- public ---- */

struct https_connection *https_connection_open(
    const struct https_connection_options *options)
{
	struct https_connection *c = calloc(1, sizeof(*c));

	if (c == NULL)
		log_die("https_connection", "out of memory");
	c->with = *options;
	c->state = DIALING;
	uv_pipe_init(c->with.loop, &c->pipe, 0);
	c->pipe.data = c;
	start_dial(c);
	return c;
}

static void on_pipe_closed(uv_handle_t *handle)
{
	struct https_connection *c = handle->data;

	c->pipe_closed = true;
	free_when_idle(c);
}

void https_connection_close(struct https_connection *c)
{
	move(c, CLOSED);
	uv_close((uv_handle_t *)&c->pipe, on_pipe_closed);
	if (c->dialing)
		endpoint_connect_cancel(&c->dial);
}

enum tls_stream_status https_connection_write(
    struct https_connection *c, const void *plain, size_t len)
{
	assert(c->state == OPEN);
	enum tls_stream_status status = tls_stream_write(&c->tls, plain, len);
	flush(c);
	return status;
}

enum tls_stream_status https_connection_read(
    struct https_connection *c, void *plain, size_t cap, size_t *len)
{
	assert(c->state == OPEN);
	return tls_stream_read(&c->tls, plain, cap, len);
}

const char *https_connection_why(const struct https_connection *c)
{
	return c->tls.why;
}

const char *https_connection_phase(const struct https_connection *c)
{
	return states[c->state].phase;
}

void https_connection_peer_spki(
    const struct https_connection *c, uint8_t out[static TLS_STREAM_SPKI_LEN])
{
	tls_stream_peer_spki(&c->tls, out);
}
