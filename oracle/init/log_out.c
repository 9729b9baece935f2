/* log_out: see log_out.h. */
#include "oracle/init/log_out.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#define TURN_SENDS 16 /* before others get a turn */

static void on_retry(uv_timer_t *timer);
static void on_ready(uv_poll_t *poll, int status, int events);

static bool is_empty(const struct log_out *out)
{
	const char *at;

	return log_ring_peek(out->ring, &at) == 0;
}

static void retry_later(struct log_out *out)
{
	if (out->stopping && is_empty(out))
		out->over = true;
	else
		uv_timer_start(&out->retry, on_retry, out->retry_ms, 0);
}

/* ---- CONNECTED ---- */

static void on_closed(uv_handle_t *handle)
{
	struct log_out *out = handle->data;

	close(out->fd);
	out->fd = -1;
	out->closing = false;
	log_ring_rewind(out->ring);
	retry_later(out);
}

static void disconnect(struct log_out *out)
{
	if (out->closing)
		return;
	out->closing = true;
	uv_close((uv_handle_t *)&out->poll, on_closed);
}

/* Once nothing is left: the parent ends it when it has read all. */
static void shut(struct log_out *out)
{
	if (!out->stopping || out->shut || !is_empty(out))
		return;
	out->shut = true;
	shutdown(out->fd, SHUT_WR);
}

static void send_some(struct log_out *out)
{
	for (unsigned i = 0; i < TURN_SENDS; i++) {
		const char *at;
		size_t len = log_ring_peek(out->ring, &at);
		ssize_t n;

		if (len == 0)
			break;
		n = send(out->fd, at, len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0) {
			disconnect(out);
			return;
		}
		log_ring_take(out->ring, (size_t)n);
	}
	shut(out);
}

static void watch(struct log_out *out)
{
	int events = UV_READABLE, err;

	if (out->closing)
		return;
	if (!is_empty(out))
		events |= UV_WRITABLE;
	err = uv_poll_start(&out->poll, events, on_ready);
	assert(err == 0); /* fails on a closing handle only */
	(void)err;
}

static void hear(struct log_out *out)
{
	char ignored[256];
	ssize_t n = recv(out->fd, ignored, sizeof(ignored), MSG_DONTWAIT);

	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	if (n == 0 && out->shut)
		out->over = true;
	disconnect(out);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct log_out *out = poll->data;

	if (status != 0 || (events & UV_READABLE))
		hear(out);
	if (!out->closing && (events & UV_WRITABLE))
		send_some(out);
	watch(out);
}

/* ---- CONNECTING ---- */

static void tell(struct log_out *out, int err)
{
	char to[ENDPOINT_TEXT_MAX];

	endpoint_format(&out->to, to);
	if (err == 0)
		log_info("log", "connected", LOG_S("to", to));
	else if (!out->told)
		log_warn("log", "not_connected", LOG_S("to", to),
		    LOG_S("error", uv_strerror(err)));
	out->told = err != 0;
}

static void on_connected(struct endpoint_connect *op, int fd)
{
	struct log_out *out = op->data;
	int err = fd < 0 ? fd : 0;

	out->connecting = false;
	if (err == 0)
		err = uv_poll_init(out->loop, &out->poll, fd);
	tell(out, err);
	if (err != 0) {
		if (fd >= 0)
			close(fd); /* UNTESTED: epoll refused a good socket */
		retry_later(out);
		return;
	}
	out->fd = fd;
	out->poll.data = out;
	shut(out);
	watch(out);
}

static void connect_now(struct log_out *out)
{
	int err;

	out->connect.data = out;
	err = endpoint_connect_start(&out->connect, out->loop, &out->to,
	    LOG_OUT_CONNECT_MS, on_connected);
	out->connecting = err == 0;
	if (err != 0) {
		tell(out, err);
		retry_later(out);
	}
}

static void on_retry(uv_timer_t *timer)
{
	connect_now(timer->data);
}

/* ---- public ---- */

void log_out_start(struct log_out *out)
{
	out->fd = -1;
	out->connecting = out->closing = out->told = false;
	out->stopping = out->over = out->shut = false;
	uv_timer_init(out->loop, &out->retry);
	out->retry.data = out;
	connect_now(out);
}

void log_out_kick(struct log_out *out)
{
	if (out->fd >= 0 && !out->closing)
		watch(out);
}

static void on_time(uv_timer_t *timer)
{
	struct log_out *out = timer->data;

	out->over = true;
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle->data = NULL;
}

static void close_timer(struct log_out *out, uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, on_timer_closed);
	while (timer->data != NULL)
		uv_run(out->loop, UV_RUN_ONCE);
}

/* In whichever state it is: there it ends. */
static void end(struct log_out *out)
{
	if (out->connecting)
		endpoint_connect_cancel(&out->connect);
	while (out->connecting)
		uv_run(out->loop, UV_RUN_ONCE);
	if (out->fd >= 0)
		disconnect(out);
	while (out->closing)
		uv_run(out->loop, UV_RUN_ONCE);
	close_timer(out, &out->retry);
}

void log_out_stop(struct log_out *out, uint64_t timeout_ms)
{
	uv_timer_t deadline;

	uv_timer_init(out->loop, &deadline);
	deadline.data = out;
	uv_update_time(out->loop);
	uv_timer_start(&deadline, on_time, timeout_ms, 0);
	out->stopping = true;
	if (out->fd >= 0 && !out->closing)
		shut(out);
	else if (out->fd < 0 && is_empty(out))
		out->over = true;
	log_out_kick(out);
	while (!out->over)
		uv_run(out->loop, UV_RUN_ONCE);
	close_timer(out, &deadline);
	end(out);
}
