/* dial: see dial.h. */
#include "oracle/init/dial.h"

#include "base/now.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>

/* ---- to connect ---- */

struct dialling {
	int fd;
	bool done;
};

static void on_connected(struct endpoint_connect *op, int fd)
{
	struct dialling *dialling = op->data;

	dialling->fd = fd;
	dialling->done = true;
}

int dial(uv_loop_t *loop, const struct endpoint *to, uint64_t timeout_ms)
{
	struct dialling dialling = {.fd = -1};
	struct endpoint_connect op = {.data = &dialling};
	int err = endpoint_connect_start(
	    &op, loop, to, timeout_ms, on_connected);

	if (err != 0)
		return err;
	while (!dialling.done)
		uv_run(loop, UV_RUN_ONCE);
	return dialling.fd;
}

/* ---- to wait ---- */

struct waiting {
	uv_timer_t timer;
	uv_poll_t poll;
	unsigned open_handles;
	bool ready; /* the descriptor is, or its time is over */
};

static void on_closed(uv_handle_t *handle)
{
	struct waiting *waiting = handle->data;

	waiting->open_handles--;
}

static void on_time(uv_timer_t *timer)
{
	struct waiting *waiting = timer->data;

	waiting->ready = true;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct waiting *waiting = poll->data;

	(void)status; /* an error shows in recv and send */
	(void)events;
	waiting->ready = true;
}

static void watch(struct waiting *waiting, uv_loop_t *loop, int fd, int events)
{
	int err = uv_poll_init(loop, &waiting->poll, fd);

	assert(err == 0); /* a good socket, ours alone */
	waiting->poll.data = waiting;
	waiting->open_handles++;
	err = uv_poll_start(&waiting->poll, events, on_ready);
	assert(err == 0);
	(void)err;
}

/* fd -1: for the time alone. */
static void wait_for(uv_loop_t *loop, int fd, int events, uint64_t ms)
{
	struct waiting waiting = {.open_handles = 1};

	uv_timer_init(loop, &waiting.timer);
	waiting.timer.data = &waiting;
	uv_update_time(loop);
	uv_timer_start(&waiting.timer, on_time, ms, 0);
	if (fd >= 0)
		watch(&waiting, loop, fd, events);
	while (!waiting.ready)
		uv_run(loop, UV_RUN_ONCE);
	uv_close((uv_handle_t *)&waiting.timer, on_closed);
	if (fd >= 0)
		uv_close((uv_handle_t *)&waiting.poll, on_closed);
	while (waiting.open_handles > 0)
		uv_run(loop, UV_RUN_ONCE);
}

void dial_wait(uv_loop_t *loop, uint64_t ms)
{
	wait_for(loop, -1, 0, ms);
}

/* ---- to read and write ---- */

/* After a call that moved n bytes: 0 to try again, or why not. */
static int wait_after(
    uv_loop_t *loop, int fd, int events, ssize_t n, int64_t until_ms)
{
	int64_t left_ms = until_ms - now_monotonic_ms();

	if (n == 0)
		return UV_EOF;
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (left_ms <= 0)
		return UV_ETIMEDOUT;
	if (n < 0)
		wait_for(loop, fd, events, (uint64_t)left_ms);
	return 0;
}

int dial_read(uv_loop_t *loop, int fd, void *out, size_t len, int64_t until_ms)
{
	char *at = out;

	while (len > 0) {
		ssize_t n = recv(fd, at, len, 0);
		int err = wait_after(loop, fd, UV_READABLE, n, until_ms);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		if (err != 0 && len > 0)
			return err;
	}
	return 0;
}

int dial_write(
    uv_loop_t *loop, int fd, const void *bytes, size_t len, int64_t until_ms)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);
		int err = wait_after(loop, fd, UV_WRITABLE, n, until_ms);

		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
		if (err != 0 && len > 0)
			return err;
	}
	return 0;
}
