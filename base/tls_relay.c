/*
 * tls_relay: see tls_relay.h. This file is a relay's life: the handshake, and
 * the end. Between the two it is tls_relay_flow.c's.
 */
#include "base/tls_relay_state.h"

#include "base/log.h"
#include "base/now.h"

#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the end ---- */

static void tell_closed(struct tls_relays *relays)
{
	if (relays->closed == NULL || relays->count > 0)
		return;
	relays->closed(relays->closed_data);
	free(relays);
}

static void on_closed(uv_handle_t *handle)
{
	struct tls_relay *relay = handle->data;
	struct tls_relays *relays = relay->relays;

	if (--relay->open_handles > 0)
		return;
	SSL_free(relay->ssl);
	close(relay->client_fd);
	if (relay->inner_fd >= 0)
		close(relay->inner_fd);
	if (!relay->handed_on) {
		relay->arrival.fd = -1;
		relays->cb(&relay->arrival, relays->data);
	}
	free(relay->up.bytes);
	free(relay->down.bytes);
	free(relay);
	relays->count--;
	tell_closed(relays);
}

void tls_relay_finish(struct tls_relay *relay)
{
	if (relay->closing)
		return;
	relay->closing = true;
	LIST_REMOVE(relay, entry);
	if (!relay->handed_on)
		relay->relays->handshakes--;
	uv_close((uv_handle_t *)&relay->client, on_closed);
	uv_close((uv_handle_t *)&relay->timer, on_closed);
	if (relay->inner_fd >= 0)
		uv_close((uv_handle_t *)&relay->inner, on_closed);
}

static void on_timer(uv_timer_t *timer)
{
	tls_relay_finish(timer->data);
}

void tls_relay_deadline(struct tls_relay *relay, uint64_t in_ms)
{
	uv_timer_start(&relay->timer, on_timer, in_ms, 0);
}

/* Anybody can make a handshake fail: at most one line a second. */
static void log_failure(struct tls_relay *relay, const char *why)
{
	const struct sockaddr *addr = &relay->arrival.from.sa;
	char host[UV_MAXHOSTNAMESIZE] = "-";
	int64_t now = now_monotonic_ms();

	if (relay->relays->logged_ms != 0 &&
	    now - relay->relays->logged_ms < TLS_RELAY_LOG_MS)
		return;
	relay->relays->logged_ms = now;
	if (addr->sa_family == AF_INET || addr->sa_family == AF_INET6)
		uv_ip_name(addr, host, sizeof(host));
	log_warn("tls", "handshake_failed", LOG_S("client", host),
	    LOG_S("why", why != NULL ? why : "the client left"));
}

/* ---- the handshake ---- */

/* The server's end, or -1. */
static int make_pair(struct tls_relay *relay)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) != 0)
		return -1;
	if (uv_poll_init(relay->relays->loop, &relay->inner, pair[0]) != 0) {
		close(pair[0]);
		close(pair[1]);
		return -1;
	}
	relay->inner.data = relay;
	relay->inner_fd = pair[0];
	relay->open_handles++;
	return pair[1];
}

static void hand_on(struct tls_relay *relay)
{
	struct http_arrival arrival = relay->arrival;

	arrival.fd = make_pair(relay);
	if (arrival.fd < 0) {
		log_failure(relay, strerror(errno));
		tls_relay_finish(relay);
		return;
	}
	relay->handed_on = true;
	relay->relays->handshakes--;
	relay->tls_read = UV_READABLE;
	uv_timer_stop(&relay->timer);
	relay->relays->cb(&arrival, relay->relays->data);
	tls_relay_advance(relay);
}

static void on_handshake(uv_poll_t *poll, int status, int events);

static void shake_hands(struct tls_relay *relay)
{
	int ret, events;

	ERR_clear_error();
	ret = SSL_accept(relay->ssl);
	if (ret == 1) {
		hand_on(relay);
		return;
	}
	events = tls_relay_waits_for(relay, ret);
	if (events == 0) {
		log_failure(
		    relay, ERR_reason_error_string(ERR_peek_last_error()));
		tls_relay_finish(relay);
		return;
	}
	uv_poll_start(&relay->client, events, on_handshake);
}

static void on_handshake(uv_poll_t *poll, int status, int events)
{
	struct tls_relay *relay = poll->data;

	(void)status; /* an error shows in SSL_accept */
	(void)events;
	if (!relay->closing)
		shake_hands(relay);
}

static void on_late(uv_timer_t *timer)
{
	log_failure(timer->data, "not in time");
	tls_relay_finish(timer->data);
}

/* ---- public, by the table ---- */

static void *start(
    uv_loop_t *loop, void *context, http_unwrapped_cb cb, void *data)
{
	struct tls_relays *relays = calloc(1, sizeof(*relays));

	if (relays == NULL)
		log_die("tls", "out of memory");
	LIST_INIT(&relays->all);
	relays->loop = loop;
	relays->context = context;
	relays->cb = cb;
	relays->data = data;
	return relays;
}

static void begin(struct tls_relay *relay)
{
	struct tls_relays *relays = relay->relays;
	int on = 1;

	(void)setsockopt(
	    relay->client_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (SSL_set_fd(relay->ssl, relay->client_fd) != 1)
		log_die("tls", "out of memory");
	SSL_set_mode(relay->ssl,
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	uv_timer_init(relays->loop, &relay->timer);
	relay->client.data = relay->timer.data = relay;
	relay->open_handles = 2;
	relays->count++;
	relays->handshakes++;
	LIST_INSERT_HEAD(&relays->all, relay, entry);
	uv_timer_start(&relay->timer, on_late, TLS_RELAY_HANDSHAKE_MS, 0);
	uv_poll_start(&relay->client, UV_READABLE, on_handshake);
}

static void refuse(
    struct tls_relays *relays, const struct http_arrival *arrival)
{
	struct http_arrival none = *arrival;

	close(arrival->fd);
	none.fd = -1;
	relays->cb(&none, relays->data);
}

static void add(void *wrapped, const struct http_arrival *arrival)
{
	struct tls_relays *relays = wrapped;
	struct tls_relay *relay = NULL;

	assert(relays->closed == NULL);
	if (relays->count < TLS_RELAYS_MAX &&
	    relays->handshakes < TLS_RELAY_HANDSHAKES_MAX)
		relay = calloc(1, sizeof(*relay));
	if (relay == NULL ||
	    uv_poll_init(relays->loop, &relay->client, arrival->fd) != 0) {
		free(relay);
		refuse(relays, arrival);
		return;
	}
	relay->relays = relays;
	relay->arrival = *arrival;
	relay->client_fd = arrival->fd;
	relay->inner_fd = -1;
	relay->ssl = SSL_new(relays->context);
	if (relay->ssl == NULL)
		log_die("tls", "out of memory");
	begin(relay);
}

static void stop(void *wrapped, void (*closed)(void *data), void *data)
{
	struct tls_relays *relays = wrapped;
	struct tls_relay *relay, *next;

	assert(relays->closed == NULL);
	relays->closed = closed;
	relays->closed_data = data;
	for (relay = LIST_FIRST(&relays->all); relay != NULL; relay = next) {
		next = LIST_NEXT(relay, entry);
		if (!relay->handed_on)
			tls_relay_finish(relay);
		else if (uv_is_active((uv_handle_t *)&relay->timer))
			tls_relay_deadline(relay, TLS_RELAY_LINGER_MS);
	}
	tell_closed(relays);
}

struct http_wrapper tls_relay_wrapper(SSL_CTX *context)
{
	return (struct http_wrapper){
	    .context = context, .start = start, .add = add, .stop = stop};
}
