/* http_listener: see http_listener.h. */
#include "base/http_listener.h"

#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events);

static void on_pause_over(uv_timer_t *timer)
{
	struct http_listener *listener = timer->data;

	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
}

/* A connection that waits keeps the descriptor readable: without a pause the
 * loop would do nothing but fail to accept it. */
static void pause_accepting(struct http_listener *listener, int error)
{
	if (!listener->low)
		log_warn(
		    "http", "accept_paused", LOG_S("why", strerror(error)));
	listener->low = true;
	uv_poll_stop(&listener->poll);
	uv_timer_start(
	    &listener->pause, on_pause_over, HTTP_ACCEPT_PAUSE_MS, 0);
}

/* accept(2): errors of the connection that was about to come, not ours. */
static bool is_passing(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO ||
	       error == ENETDOWN || error == ENOPROTOOPT ||
	       error == EHOSTDOWN || error == ENONET || error == EHOSTUNREACH ||
	       error == ENETUNREACH;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct http_listener *listener = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < HTTP_ACCEPT_TURN_MAX; i++) {
		struct sockaddr_storage addr;
		socklen_t len = sizeof(addr);
		int fd = accept4(listener->fd, (struct sockaddr *)&addr, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			listener->low = false;
			listener->cb(
			    fd, (struct sockaddr *)&addr, len, listener->data);
			if (listener->closed)
				return;
			continue;
		}
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return;
		if (is_passing(errno))
			continue;
		pause_accepting(listener, errno);
		return;
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct http_listener *listener = handle->data;

	if (--listener->open_handles == 0)
		listener->closed(listener->data);
}

int http_listener_start(struct http_listener *listener, uv_loop_t *loop, int fd,
    http_accept_cb cb, void *data)
{
	int ret;

	memset(listener, 0, sizeof(*listener));
	listener->fd = fd;
	listener->cb = cb;
	listener->data = data;
	ret = uv_poll_init(loop, &listener->poll, fd);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	listener->poll.data = listener;
	uv_timer_init(loop, &listener->pause);
	listener->pause.data = listener;
	listener->open_handles = 2;
	uv_poll_start(&listener->poll, UV_READABLE, on_readable);
	return 0;
}

void http_listener_stop(
    struct http_listener *listener, void (*closed)(void *data))
{
	listener->closed = closed;
	uv_close((uv_handle_t *)&listener->poll, on_closed);
	uv_close((uv_handle_t *)&listener->pause, on_closed);
	close(listener->fd);
	listener->fd = -1;
}
