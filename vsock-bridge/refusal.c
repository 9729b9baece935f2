/* refusal: see refusal.h. */
#include "vsock-bridge/refusal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_closed(uv_handle_t *handle)
{
	struct refusal *refusal = handle->data;

	if (--refusal->open_handles == 0)
		refusal->on_done(refusal);
}

static void on_linger_over(uv_timer_t *timer)
{
	refusal_stop(timer->data);
}

static bool would_wait(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == EINTR;
}

/* Sends what is left of the answer, and then an end. False: the client is
 * gone. */
static bool send_answer(struct refusal *refusal)
{
	while (refusal->sent < refusal->len) {
		ssize_t n = send(refusal->fd, refusal->answer + refusal->sent,
		    refusal->len - refusal->sent, MSG_NOSIGNAL);

		if (n < 0)
			return would_wait(errno);
		refusal->sent += (size_t)n;
	}
	if (!refusal->answered && shutdown(refusal->fd, SHUT_WR) != 0)
		return false;
	refusal->answered = true;
	return true;
}

/* One piece; there may be others who want a turn. */
static bool read_waste(struct refusal *refusal)
{
	static char waste[4096]; /* written by the kernel only, never read */
	ssize_t n = recv(refusal->fd, waste, sizeof(waste), 0);

	if (n < 0)
		return would_wait(errno);
	refusal->client_ended = n == 0;
	return true;
}

static void on_ready(uv_poll_t *poll, int status, int events);

static void wait_for_more(struct refusal *refusal)
{
	int events = (refusal->client_ended ? 0 : UV_READABLE) |
		     (refusal->answered ? 0 : UV_WRITABLE);
	int err;

	if (events == 0) {
		refusal_stop(refusal);
		return;
	}
	err = uv_poll_start(&refusal->poll, events, on_ready);
	assert(err == 0); /* fails on a closing handle only */
	(void)err;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct refusal *refusal = poll->data;
	bool good = status == 0;

	if (good && events & UV_WRITABLE)
		good = send_answer(refusal);
	if (good && events & UV_READABLE)
		good = read_waste(refusal);
	if (good)
		wait_for_more(refusal);
	else
		refusal_stop(refusal);
}

void refusal_start(struct refusal *refusal, uv_loop_t *loop, int fd,
    const void *answer, size_t len, refusal_done_cb on_done)
{
	void *data = refusal->data;

	assert(len <= sizeof(refusal->answer));
	memset(refusal, 0, offsetof(struct refusal, answer));
	refusal->data = data;
	refusal->fd = fd;
	refusal->on_done = on_done;
	refusal->len = len;
	memcpy(refusal->answer, answer, len);
	uv_timer_init(loop, &refusal->timer);
	refusal->timer.data = refusal;
	refusal->open_handles = 1;
	uv_timer_start(&refusal->timer, on_linger_over, REFUSAL_LINGER_MS, 0);
	refusal->polled = uv_poll_init(loop, &refusal->poll, fd) == 0;
	refusal->poll.data = refusal;
	refusal->open_handles += refusal->polled;
	if (refusal->polled && send_answer(refusal))
		wait_for_more(refusal);
	else
		refusal_stop(refusal);
}

void refusal_stop(struct refusal *refusal)
{
	if (refusal->closing)
		return;
	refusal->closing = true;
	if (refusal->polled)
		uv_close((uv_handle_t *)&refusal->poll, on_closed);
	close(refusal->fd);
	uv_close((uv_handle_t *)&refusal->timer, on_closed);
}
