/* listener: see listener.h. */
#include "vsock-bridge/listener.h"

#include "base/descriptors.h"
#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events);

/* accept(2): errors of the connection itself, already pending on it, are to be
 * treated like EAGAIN; the next one may well be good. */
static bool is_passing(int err)
{
	switch (err) {
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM: /* a firewall rule forbids this one */
		return true;
	default:
		return false;
	}
}

static void resume(struct listener *listener)
{
	int err = uv_poll_start(&listener->poll, UV_READABLE, on_readable);

	assert(err == 0); /* fails on a closing handle only */
	(void)err;
}

static void on_pause_over(uv_timer_t *timer)
{
	struct listener *listener = timer->data;

	if (!listener->stopping)
		resume(listener);
}

static void pause_accepting(struct listener *listener, int err)
{
	char where[ENDPOINT_TEXT_MAX];

	listener_describe(listener, where);
	if (!listener->exhausted) {
		log_warn("listener", "accept_paused", LOG_S("listen", where),
		    LOG_S("error", uv_strerror(-err)));
		if (listener->pauses != NULL)
			(*listener->pauses)++;
	}
	listener->exhausted = true;
	uv_poll_stop(&listener->poll);
	uv_timer_start(&listener->pause, on_pause_over, LISTENER_PAUSE_MS, 0);
}

static void accepted(struct listener *listener, int fd)
{
	char where[ENDPOINT_TEXT_MAX];

	listener_describe(listener, where);
	if (listener->exhausted)
		log_info("listener", "accept_resumed", LOG_S("listen", where));
	listener->exhausted = false;
	/* What a relay has is to leave at once, not to wait for more. */
	if (listener->endpoint.kind == ENDPOINT_TCP)
		(void)setsockopt(
		    fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	listener->on_accept(listener, fd);
}

/* Only the number of a new descriptor says how many are in use. */
static bool reserve_is_free(const struct listener *listener, int reserve)
{
	int probe = fcntl(listener->fd, F_DUPFD_CLOEXEC, 0);

	if (probe >= 0)
		close(probe);
	return probe >= 0 && probe < reserve;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct listener *listener = poll->data;
	int reserve = descriptors_reserve();
	unsigned burst = 0;

	(void)status; /* an error shows in accept4 */
	(void)events;
	if (listener->exhausted && !reserve_is_free(listener, reserve)) {
		pause_accepting(listener, EMFILE);
		return;
	}
	while (!listener->stopping && burst++ < LISTENER_BURST_MAX) {
		int fd = accept4(
		    listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			accepted(listener, fd);
			if (fd < reserve || listener->stopping)
				continue;
			pause_accepting(listener, EMFILE);
			return;
		} else if (errno == EAGAIN || errno == EWOULDBLOCK) {
			return;
		} else if (!is_passing(errno)) {
			pause_accepting(listener, errno);
			return;
		}
	}
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *listener = handle->data;

	if (--listener->open_handles > 0)
		return;
	close(listener->fd);
	listener->fd = -1;
	if (listener->on_stopped != NULL)
		listener->on_stopped(listener);
}

int listener_start(struct listener *listener, uv_loop_t *loop,
    const struct endpoint *endpoint, int inherited,
    listener_accept_cb on_accept)
{
	int fd = inherited, err;

	if (inherited == 0)
		fd = endpoint_listen(endpoint, LISTENER_BACKLOG);
	if (fd < 0)
		return fd;
	err = uv_poll_init(loop, &listener->poll, fd);
	if (err != 0) {
		close(fd);
		return err;
	}
	uv_timer_init(loop, &listener->pause);
	listener->poll.data = listener;
	listener->pause.data = listener;
	listener->open_handles = 2;
	listener->fd = fd;
	listener->endpoint = *endpoint;
	if (endpoint->kind == ENDPOINT_TCP)
		listener->endpoint.port = endpoint_bound_port(fd);
	listener->on_accept = on_accept;
	listener->on_stopped = NULL;
	listener->pauses = NULL;
	listener->exhausted = false;
	listener->stopping = false;
	resume(listener);
	return 0;
}

void listener_describe(
    const struct listener *listener, char out[static ENDPOINT_TEXT_MAX])
{
	endpoint_format(&listener->endpoint, out);
}

void listener_stop(struct listener *listener, listener_stopped_cb on_stopped)
{
	if (listener->stopping)
		return;
	listener->stopping = true;
	listener->on_stopped = on_stopped;
	uv_close((uv_handle_t *)&listener->poll, on_closed);
	uv_close((uv_handle_t *)&listener->pause, on_closed);
}
