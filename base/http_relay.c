/* http_relay: see http_relay.h. */
#include "base/http_relay.h"

#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One of the two sockets, and what was read from it. */
struct side {
	uv_pipe_t pipe;         /* libuv's word for any stream of bytes */
	uv_write_t write;       /* to the other side */
	uv_shutdown_t shutdown; /* of the other side */
	bool ended;             /* it sends nothing more */
	char bytes[HTTP_RELAY_BYTES];
};

enum {
	CLIENT,
	SERVER
};

struct http_relay {
	LIST_ENTRY(http_relay) entry;
	struct http_relays *relays;
	struct side sides[2];
	uv_timer_t timer; /* while the client is waited for */
	unsigned open_handles;
	bool closing;
};

static struct http_relay *relay_of(const uv_pipe_t *pipe)
{
	return pipe->data;
}

static struct side *side_of(uv_stream_t *stream)
{
	return (struct side *)stream; /* pipe is first */
}

static struct side *other(struct side *side)
{
	struct http_relay *relay = relay_of(&side->pipe);

	return side == &relay->sides[CLIENT] ? &relay->sides[SERVER]
					     : &relay->sides[CLIENT];
}

static bool is_client(const struct side *side)
{
	return side == &relay_of(&side->pipe)->sides[CLIENT];
}

/* ---- the end ---- */

static void tell_closed(struct http_relays *relays)
{
	if (relays->stopping && relays->count == 0)
		relays->closed(relays->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct http_relay *relay = handle->data;
	struct http_relays *relays = relay->relays;

	if (--relay->open_handles > 0)
		return;
	free(relay);
	relays->count--;
	tell_closed(relays);
}

static void finish(struct http_relay *relay)
{
	if (relay->closing)
		return;
	relay->closing = true;
	LIST_REMOVE(relay, entry);
	uv_close((uv_handle_t *)&relay->timer, on_closed);
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&relay->sides[i].pipe, on_closed);
}

static void on_timer(uv_timer_t *timer)
{
	finish(timer->data);
}

/* ---- from one side to the other ---- */

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf);

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *buf)
{
	struct side *side = side_of((uv_stream_t *)handle);

	(void)wanted;
	*buf = uv_buf_init(side->bytes, sizeof(side->bytes));
}

static void on_written(uv_write_t *write, int status)
{
	struct side *side = write->data;
	struct http_relay *relay = relay_of(&side->pipe);

	if (relay->closing)
		return;
	if (status < 0 ||
	    uv_read_start((uv_stream_t *)&side->pipe, on_alloc, on_read) < 0) {
		finish(relay);
		return;
	}
	if (!is_client(side))
		uv_timer_stop(&relay->timer);
}

static void write_on(struct side *side, size_t len)
{
	struct http_relay *relay = relay_of(&side->pipe);
	uv_buf_t buf = uv_buf_init(side->bytes, (unsigned)len);

	uv_read_stop((uv_stream_t *)&side->pipe);
	side->write.data = side;
	if (!is_client(side))
		uv_timer_start(&relay->timer, on_timer, HTTP_RELAY_STALL_MS, 0);
	if (uv_write(&side->write, (uv_stream_t *)&other(side)->pipe, &buf, 1,
		on_written) < 0)
		finish(relay);
}

static void on_shutdown(uv_shutdown_t *shutdown, int status)
{
	(void)shutdown;
	(void)status; /* the end comes by itself */
}

static void end(struct side *side)
{
	struct http_relay *relay = relay_of(&side->pipe);

	side->ended = true;
	uv_read_stop((uv_stream_t *)&side->pipe);
	if (other(side)->ended ||
	    uv_shutdown(&side->shutdown, (uv_stream_t *)&other(side)->pipe,
		on_shutdown) < 0) {
		finish(relay);
		return;
	}
	/* Closed at once, the last answer could be lost (RFC 9112 9.6). */
	if (!is_client(side))
		uv_timer_start(
		    &relay->timer, on_timer, HTTP_RELAY_LINGER_MS, 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct side *side = side_of(stream);

	(void)buf;
	if (n == UV_EOF)
		end(side);
	else if (n < 0)
		finish(relay_of(&side->pipe));
	/* Nobody is there for what a client says after the end. */
	else if (n > 0 && !other(side)->ended)
		write_on(side, (size_t)n);
}

/* ---- public ---- */

void http_relays_init(struct http_relays *relays, uv_loop_t *loop)
{
	memset(relays, 0, sizeof(*relays));
	LIST_INIT(&relays->all);
	relays->loop = loop;
}

bool http_relays_have_room(const struct http_relays *relays)
{
	return relays->count < HTTP_RELAYS_MAX && !relays->stopping;
}

/* Each fd is the handle's from here on, or closed. */
static int open_side(struct http_relay *relay, int which, int fd)
{
	uv_pipe_t *pipe = &relay->sides[which].pipe;
	int ret;

	uv_pipe_init(relay->relays->loop, pipe, 0);
	pipe->data = relay;
	relay->open_handles++;
	ret = uv_pipe_open(pipe, fd);
	if (ret < 0)
		close(fd);
	return ret;
}

int http_relay_start(
    struct http_relays *relays, int fd, const char *bytes, size_t len)
{
	struct http_relay *relay = calloc(1, sizeof(*relay));
	int pair[2], failed;

	assert(len > 0 && len <= HTTP_RELAY_BYTES && !relays->stopping);
	if (!relay)
		log_die("http", "out of memory");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		pair) != 0) {
		close(fd);
		free(relay);
		return -1;
	}
	relay->relays = relays;
	relays->count++;
	LIST_INSERT_HEAD(&relays->all, relay, entry);
	uv_timer_init(relays->loop, &relay->timer);
	relay->timer.data = relay;
	relay->open_handles = 1;
	failed = open_side(relay, CLIENT, fd);
	failed |= open_side(relay, SERVER, pair[0]);
	if (failed || uv_read_start((uv_stream_t *)&relay->sides[SERVER].pipe,
			  on_alloc, on_read) < 0) {
		finish(relay);
		close(pair[1]);
		return -1;
	}
	/* As if it had just been read from the client. */
	memcpy(relay->sides[CLIENT].bytes, bytes, len);
	write_on(&relay->sides[CLIENT], len);
	return pair[1];
}

void http_relays_stop(
    struct http_relays *relays, void (*closed)(void *data), void *data)
{
	assert(!relays->stopping);
	relays->stopping = true;
	relays->closed = closed;
	relays->data = data;
	tell_closed(relays);
}

void http_relays_cut(struct http_relays *relays)
{
	struct http_relay *relay;

	while ((relay = LIST_FIRST(&relays->all)))
		finish(relay);
}
