/* relay: see relay.h. */
#include "vsock-bridge/relay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void start_reading(struct relay_half *half);

static void on_closed(uv_handle_t *handle)
{
	struct relay *relay = handle->data;

	/* libuv has called back every write and shutdown of a stream before
	 * its close callback: `kept` is free and nothing points here. */
	if (--relay->open_handles == 0)
		relay->on_done(relay, relay->result);
}

/* So that close(2) sends RST instead of FIN. For TCP only; other kinds of
 * socket have no such thing and ignore it. */
static void reset_on_close(uv_stream_t *stream)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	uv_os_fd_t fd;

	if (uv_fileno((uv_handle_t *)stream, &fd) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void close_stream(struct relay *relay, uv_stream_t *stream)
{
	if (relay->result != 0)
		reset_on_close(stream);
	stream->data = relay;
	uv_close((uv_handle_t *)stream, on_closed);
}

static void finish(struct relay *relay, int result)
{
	if (relay->closing)
		return;
	relay->closing = true;
	relay->result = result;
	close_stream(relay, relay->to_b.from);
	close_stream(relay, relay->to_a.from);
	uv_close((uv_handle_t *)&relay->timer, on_closed);
}

static void moved(struct relay *relay)
{
	relay->last_moved_ms = uv_now(relay->timer.loop);
}

static void on_written(uv_write_t *req, int status)
{
	struct relay_half *half = req->data;

	free(half->kept);
	half->kept = NULL;
	if (half->relay->closing)
		return;
	if (status < 0) {
		finish(half->relay, status);
		return;
	}
	moved(half->relay);
	half->state = RELAY_FLOWING;
	start_reading(half);
}

/* Keeps what could not be written at once, and reads no more until it is. */
static void block(struct relay_half *half, const uint8_t *bytes, size_t len)
{
	uv_buf_t buf;
	int err;

	assert(half->state == RELAY_FLOWING && len <= RELAY_BUFFER_BYTES);
	uv_read_stop(half->from);
	half->kept = malloc(len);
	if (half->kept == NULL) {
		finish(half->relay, UV_ENOMEM);
		return;
	}
	memcpy(half->kept, bytes, len);
	half->state = RELAY_BLOCKED;
	half->queue_seen = len;
	half->write.data = half;
	buf = uv_buf_init((char *)half->kept, (unsigned)len);
	err = uv_write(&half->write, half->to, &buf, 1, on_written);
	if (err != 0) {
		free(half->kept);
		half->kept = NULL;
		finish(half->relay, err);
	}
}

static void forward(struct relay_half *half, const uint8_t *bytes, size_t len)
{
	uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
	int written;

	if (len == 0)
		return;
	moved(half->relay);
	written = uv_try_write(half->to, &buf, 1);
	if (written == UV_EAGAIN)
		written = 0;
	if (written < 0)
		finish(half->relay, written);
	else if ((size_t)written < len)
		block(half, bytes + written, len - (size_t)written);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	struct relay_half *half = req->data;
	struct relay *relay = half->relay;

	if (relay->closing)
		return;
	/* ENOTCONN: the peer has gone in the meantime. If it left in good
	 * order its own direction has ended too; if not, reading says so. */
	if (status < 0 && status != UV_ENOTCONN) {
		finish(relay, status);
		return;
	}
	half->state = RELAY_ENDED;
	if (relay->to_a.state == RELAY_ENDED &&
	    relay->to_b.state == RELAY_ENDED)
		finish(relay, 0);
}

static void end(struct relay_half *half)
{
	int err;

	assert(half->state == RELAY_FLOWING);
	moved(half->relay);
	half->state = RELAY_ENDING;
	half->shutdown.data = half;
	err = uv_shutdown(&half->shutdown, half->to, on_shutdown);
	if (err != 0)
		finish(half->relay, err);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	/* One buffer for all: libuv reads into it and calls on_read at once,
	 * and nothing of it is kept after on_read has returned. */
	static char shared[RELAY_BUFFER_BYTES];

	(void)handle;
	(void)suggested;
	*buf = uv_buf_init(shared, sizeof(shared));
}

static void on_read(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct relay_half *half = stream->data;

	if (nread > 0) {
		half->bytes += (uint64_t)nread;
		forward(half, (const uint8_t *)buf->base, (size_t)nread);
	} else if (nread == UV_EOF) {
		end(half);
	} else if (nread < 0) {
		finish(half->relay, (int)nread);
	}
}

static void start_reading(struct relay_half *half)
{
	int err = uv_read_start(half->from, on_alloc, on_read);

	if (err != 0)
		finish(half->relay, err);
}

/* A reader that is slow, but reads, is not idle: its queue gets shorter. */
static bool queue_moved(struct relay_half *half)
{
	size_t queued = uv_stream_get_write_queue_size(half->to);
	bool shorter = half->state == RELAY_BLOCKED &&
		       queued < half->queue_seen;

	half->queue_seen = queued;
	return shorter;
}

static void on_timer(uv_timer_t *timer)
{
	struct relay *relay = timer->data;
	bool to_a = queue_moved(&relay->to_a), to_b = queue_moved(&relay->to_b);
	uint64_t idle_ms;

	if (to_a || to_b)
		moved(relay);
	idle_ms = uv_now(timer->loop) - relay->last_moved_ms;
	if (idle_ms >= relay->idle_timeout_ms)
		finish(relay, UV_ETIMEDOUT);
	else
		uv_timer_start(
		    timer, on_timer, relay->idle_timeout_ms - idle_ms, 0);
}

static void init_half(struct relay_half *half, struct relay *relay,
    uv_stream_t *from, uv_stream_t *to)
{
	half->relay = relay;
	half->from = from;
	half->to = to;
	half->state = RELAY_FLOWING;
	from->data = half;
}

static void start_half(struct relay_half *half, const void *first, size_t len)
{
	if (!half->relay->closing)
		forward(half, first, len);
	if (!half->relay->closing && half->state == RELAY_FLOWING)
		start_reading(half);
}

void relay_start(struct relay *relay, const struct relay_options *options)
{
	void *data = relay->data;

	memset(relay, 0, sizeof(*relay));
	relay->data = data;
	relay->on_done = options->on_done;
	relay->idle_timeout_ms = options->idle_timeout_ms;
	relay->open_handles = 3;
	uv_timer_init(options->a->loop, &relay->timer);
	relay->timer.data = relay;
	moved(relay);
	uv_timer_start(&relay->timer, on_timer, relay->idle_timeout_ms, 0);
	init_half(&relay->to_b, relay, options->a, options->b);
	init_half(&relay->to_a, relay, options->b, options->a);
	start_half(&relay->to_a, options->first_to_a, options->first_to_a_len);
	start_half(&relay->to_b, options->first_to_b, options->first_to_b_len);
}

void relay_stop(struct relay *relay)
{
	finish(relay, UV_ECANCELED);
}
