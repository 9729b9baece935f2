/*
 * tls_relay_flow: bytes from the client to the server and back, once hands are
 * shaken.
 *
 * Whatever happens on one of a relay's sockets, tls_relay_advance() does what
 * can be done now, at most one record each way, and arm() waits for what is
 * missing. OpenSSL reads a whole record and no more (it reads no bytes ahead),
 * so nothing hides inside of it from poll; a record that does not fit into the
 * other side is kept in `pending`, and until it is gone nothing more is read.
 */
#include "base/tls_relay_state.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- what OpenSSL says ---- */

int tls_relay_waits_for(const struct tls_relay *relay, int ret)
{
	switch (SSL_get_error(relay->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		return UV_READABLE;
	case SSL_ERROR_WANT_WRITE:
		return UV_WRITABLE;
	default:
		return 0;
	}
}

/* ---- bytes ---- */

static void keep(struct pending *pending, const char *bytes, size_t len)
{
	assert(pending->len == 0 && len <= TLS_RELAY_BYTES);
	pending->bytes = malloc(len);
	if (pending->bytes == NULL)
		log_die("tls", "out of memory");
	memcpy(pending->bytes, bytes, len);
	pending->len = len;
	pending->at = 0;
}

static void drop(struct pending *pending)
{
	free(pending->bytes);
	*pending = (struct pending){.bytes = NULL};
}

/* How much of it the server's end took; -1: it is closed. */
static ssize_t to_server(
    const struct tls_relay *relay, const char *bytes, size_t len)
{
	ssize_t n = send(
	    relay->inner_fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

/* Nobody is there to whom the client could say more. */
static void end_up(struct tls_relay *relay)
{
	relay->up_done = true;
	drop(&relay->up);
	shutdown(relay->inner_fd, SHUT_WR);
}

static void send_up(struct tls_relay *relay, const char *bytes, size_t len)
{
	ssize_t n = to_server(relay, bytes, len);

	if (n < 0)
		end_up(relay);
	else if ((size_t)n < len)
		keep(&relay->up, bytes + n, len - (size_t)n);
}

static void flush_up(struct tls_relay *relay)
{
	struct pending *up = &relay->up;
	ssize_t n = to_server(relay, up->bytes + up->at, up->len - up->at);

	if (n < 0) {
		end_up(relay);
		return;
	}
	up->at += (size_t)n;
	if (up->at == up->len)
		drop(up);
}

static void read_client(struct tls_relay *relay)
{
	char *bytes = relay->relays->scratch;
	size_t len;
	int ret;

	ERR_clear_error();
	ret = SSL_read_ex(relay->ssl, bytes, TLS_RELAY_BYTES, &len);
	if (ret == 1) {
		relay->tls_read = UV_READABLE;
		send_up(relay, bytes, len);
		return;
	}
	relay->tls_read = tls_relay_waits_for(relay, ret);
	if (relay->tls_read != 0)
		return;
	if (SSL_get_error(relay->ssl, ret) == SSL_ERROR_ZERO_RETURN)
		end_up(relay); /* close_notify: it may still read */
	else
		tls_relay_finish(relay); /* cut off, or no TLS any more */
}

/* False: it is over. All of it is sent, or OpenSSL wants the same again. */
static bool write_client(
    struct tls_relay *relay, const char *bytes, size_t len, bool *sent)
{
	size_t written;
	int ret;

	ERR_clear_error();
	ret = SSL_write_ex(relay->ssl, bytes, len, &written);
	*sent = ret == 1;
	if (*sent)
		return true;
	relay->tls_write = tls_relay_waits_for(relay, ret);
	return relay->tls_write != 0;
}

/* The server has closed its end, and all it said is on its way. */
static void end_down(struct tls_relay *relay)
{
	relay->down_done = true;
	ERR_clear_error();
	SSL_shutdown(relay->ssl);
	shutdown(relay->client_fd, SHUT_WR);
	tls_relay_deadline(relay, TLS_RELAY_LINGER_MS);
}

static void read_server(struct tls_relay *relay)
{
	char *bytes = relay->relays->scratch;
	ssize_t n = recv(relay->inner_fd, bytes, TLS_RELAY_BYTES, MSG_DONTWAIT);
	bool sent;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		end_down(relay);
	else if (!write_client(relay, bytes, (size_t)n, &sent))
		tls_relay_finish(relay);
	else if (!sent)
		keep(&relay->down, bytes, (size_t)n);
}

static void flush_down(struct tls_relay *relay)
{
	bool sent;

	if (!write_client(relay, relay->down.bytes, relay->down.len, &sent))
		tls_relay_finish(relay);
	else if (sent)
		drop(&relay->down);
}

/* After our close_notify: only until the client has gone. Closed at once, the
 * last answer could be lost (RFC 9112, 9.6). */
static void read_leaver(struct tls_relay *relay)
{
	ssize_t n = recv(relay->client_fd, relay->relays->scratch,
	    TLS_RELAY_BYTES, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		tls_relay_finish(relay);
}

/* ---- what is waited for ---- */

static void on_event(uv_poll_t *poll, int status, int events);

static void watch(uv_poll_t *poll, int events)
{
	if (events != 0)
		uv_poll_start(poll, events, on_event);
	else
		uv_poll_stop(poll);
}

/* A side that takes something is given time again. */
static void arm_timer(struct tls_relay *relay, bool moved)
{
	bool stopping = relay->relays->closed != NULL;

	if (relay->down_done)
		return; /* it lingers */
	if (relay->up.len == 0 && relay->down.len == 0)
		uv_timer_stop(&relay->timer);
	else if (moved || !uv_is_active((uv_handle_t *)&relay->timer))
		tls_relay_deadline(
		    relay, stopping ? TLS_RELAY_LINGER_MS : TLS_RELAY_STALL_MS);
}

static void arm(struct tls_relay *relay)
{
	int client = 0, inner = 0;

	if (relay->down_done)
		client |= UV_READABLE;
	else if (relay->up.len == 0 && !relay->up_done)
		client |= relay->tls_read;
	if (relay->down.len > 0)
		client |= relay->tls_write;
	if (relay->up.len > 0)
		inner |= UV_WRITABLE;
	if (relay->down.len == 0 && !relay->down_done)
		inner |= UV_READABLE;
	watch(&relay->client, client);
	watch(&relay->inner, inner);
}

static size_t left(const struct tls_relay *relay)
{
	return relay->up.len - relay->up.at + relay->down.len;
}

void tls_relay_advance(struct tls_relay *relay)
{
	size_t before = left(relay);

	if (relay->down.len > 0)
		flush_down(relay);
	else if (!relay->down_done)
		read_server(relay);
	if (relay->closing)
		return;
	if (relay->up.len > 0)
		flush_up(relay);
	else if (relay->down_done)
		read_leaver(relay);
	else if (!relay->up_done)
		read_client(relay);
	if (relay->closing)
		return;
	arm_timer(relay, left(relay) != before);
	arm(relay);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct tls_relay *relay = poll->data;

	(void)status; /* an error shows where it is read */
	(void)events;
	if (!relay->closing)
		tls_relay_advance(relay);
}
