/* peer_dial: see peer_dial.h. The proxy's answer is read up to where it ends
 * and no further: in TLS the client speaks first, so nothing follows. */
#include "oracle/peer_dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
	struct peer_dial *dial = handle->data;
	int fd = dial->fd;

	if (--dial->handles > 0)
		return;
	if (dial->why[0] != '\0' && fd >= 0) {
		close(fd);
		fd = -1;
	}
	dial->cb(fd, dial->why[0] != '\0' ? dial->why : NULL, dial->data);
}

static void finish(struct peer_dial *dial, const char *why)
{
	if (uv_is_closing((uv_handle_t *)&dial->poll))
		return;
	snprintf(dial->why, sizeof(dial->why), "%s", why ? why : "");
	uv_close((uv_handle_t *)&dial->poll, on_closed);
	uv_close((uv_handle_t *)&dial->timer, on_closed);
}

/* ---- CONNECT ---- */

static void on_timeout(uv_timer_t *timer)
{
	finish(timer->data, "the proxy does not answer");
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct peer_dial *dial = poll->data;
	char bytes[PROXY_CONNECT_HEAD_MAX];
	ssize_t len;
	int told;

	(void)status;
	(void)events;
	len = read(dial->fd, bytes, sizeof(bytes));
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len <= 0) {
		finish(dial, "the proxy hung up");
		return;
	}
	told = proxy_connect_feed(&dial->answer, bytes, (size_t)len);
	if (told != 0)
		finish(dial, told > 0 ? NULL : dial->answer.why);
}

static void ask_proxy(struct peer_dial *dial)
{
	char request[PROXY_CONNECT_REQUEST_MAX];
	size_t len = proxy_connect_request(
	    request, dial->to.host, (uint16_t)dial->to.port);

	proxy_connect_init(&dial->answer);
	uv_timer_init(dial->loop, &dial->timer);
	dial->poll.data = dial->timer.data = dial;
	dial->handles = 2;
	uv_timer_start(&dial->timer, on_timeout, PEER_DIAL_MS, 0);
	/* A socket that was just connected has room for 600 bytes. */
	if (write(dial->fd, request, len) != (ssize_t)len)
		finish(dial, "the proxy takes no request");
	else
		uv_poll_start(&dial->poll, UV_READABLE, on_readable);
}

static void on_connected(struct endpoint_connect *op, int fd)
{
	struct peer_dial *dial = op->data;
	int status;

	dial->fd = fd;
	if (fd < 0 || dial->cancelled) {
		if (fd >= 0)
			close(fd);
		dial->cb(
		    -1, fd < 0 ? uv_strerror(fd) : "cancelled", dial->data);
		return;
	}
	if (!dial->through_proxy) {
		dial->cb(fd, NULL, dial->data);
		return;
	}
	status = uv_poll_init(dial->loop, &dial->poll, fd);
	if (status != 0) {
		close(fd);
		dial->cb(-1, uv_strerror(status), dial->data);
		return;
	}
	ask_proxy(dial);
}

int peer_dial_start(struct peer_dial *dial, uv_loop_t *loop,
    const struct endpoint *to, const struct endpoint *proxy, peer_dial_cb cb,
    void *data)
{
	memset(dial, 0, sizeof(*dial));
	dial->loop = loop;
	dial->to = *to;
	dial->through_proxy = proxy && to->kind == ENDPOINT_TCP;
	dial->cb = cb;
	dial->data = data;
	dial->fd = -1;
	dial->connect.data = dial;
	return endpoint_connect_start(&dial->connect, loop,
	    dial->through_proxy ? proxy : to, PEER_DIAL_MS, on_connected);
}

void peer_dial_cancel(struct peer_dial *dial)
{
	dial->cancelled = true;
	if (dial->handles > 0)
		finish(dial, "cancelled");
	else
		endpoint_connect_cancel(&dial->connect);
}
