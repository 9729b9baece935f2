/*
 * endpoint_connect: one attempt to connect, on the loop.
 *
 *   start --> RESOLVING --> CONNECTING --> GREETING --> CLOSING --> callback
 *     |           |          ^      |  |     (hybrid)     ^
 *     |           |          +------+  +------------------+ others: connected
 *     |           |        next address                   |
 *     |           +---------------------------------------+ no address,
 *     +--> (unix, vsock, hybrid: no name to resolve)          time-out, cancel
 *
 * RESOLVING waits for getaddrinfo(3) on a thread of libuv's pool, CONNECTING
 * for the socket to become writable, GREETING for the monitor's OK, CLOSING for
 * libuv to let go of the handles. The timer bounds the first three. Because the
 * callback only comes after handles were closed, and libuv closes from the
 * loop, it can never come before start has returned.
 *
 * getaddrinfo(3) cannot be stopped once it runs. Its request is therefore on
 * the heap and is left to itself by a time-out or a cancel: it frees itself
 * when the thread comes back, however late.
 */
#include "base/endpoint.h"

#include <assert.h>
#include <errno.h>
#include <linux/vm_sockets.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

struct endpoint_resolve {
	uv_getaddrinfo_t req;
	struct endpoint_connect *op; /* NULL once it was left to itself */
};

static void connect_next(struct endpoint_connect *op);

static void on_closed(uv_handle_t *handle)
{
	struct endpoint_connect *op = handle->data;

	assert(op->open_handles > 0);
	if (--op->open_handles == 0)
		op->cb(op, op->result);
}

/* The one way out: `result` is the descriptor or an error. */
static void finish(struct endpoint_connect *op, int result)
{
	assert(!op->finished);
	op->finished = 1;
	op->result = result;
	if (op->resolve) {
		op->resolve->op = NULL;
		uv_cancel((uv_req_t *)&op->resolve->req);
		op->resolve = NULL;
	}
	if (op->addresses)
		uv_freeaddrinfo(op->addresses);
	op->addresses = op->next_address = NULL;
	if (op->poll_active)
		uv_close((uv_handle_t *)&op->poll, on_closed);
	op->poll_active = 0;
	if (op->fd >= 0)
		close(op->fd);
	op->fd = -1;
	uv_close((uv_handle_t *)&op->timer, on_closed);
}

static void on_timeout(uv_timer_t *timer)
{
	finish(timer->data, UV_ETIMEDOUT);
}

/* Connected: the descriptor leaves before finish() would close it. */
static void succeed(struct endpoint_connect *op)
{
	int fd = op->fd;

	op->fd = -1;
	finish(op, fd);
}

/* ---- greeting ---- */

/* Takes the answer from the socket, and nothing of what the guest may have
 * said behind it already. 1: whole, 0: more must come, or an error. */
static int take_answer(struct endpoint_connect *op)
{
	char bytes[HYBRID_GREETING_MAX];
	ssize_t len = recv(op->fd, bytes, sizeof(bytes), MSG_PEEK);
	size_t taken;
	int ret;

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (len == 0)
		return UV_ECONNRESET;
	ret = hybrid_greeting_read(&op->greeting, bytes, (size_t)len, &taken);
	if (recv(op->fd, bytes, taken, 0) != (ssize_t)taken)
		return UV_EIO; /* UNTESTED: they were there */
	return ret;
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	struct endpoint_connect *op = poll->data;
	int ret = take_answer(op); /* an error shows there, too */

	(void)status;
	(void)events;
	if (ret == 1)
		succeed(op);
	else if (ret < 0)
		finish(op, ret);
}

static int init_poll(struct endpoint_connect *op)
{
	int ret = uv_poll_init(op->loop, &op->poll, op->fd);

	if (ret < 0)
		return ret;
	op->poll.data = op;
	op->poll_active = 1;
	op->open_handles++;
	return 0;
}

/* A socket that has just been connected has room for one line. */
static int greet(struct endpoint_connect *op)
{
	char line[HYBRID_GREETING_MAX];
	size_t len = hybrid_greeting_start(&op->greeting, op->ep.port, line);
	ssize_t sent = send(op->fd, line, len, MSG_NOSIGNAL);
	int ret;

	if (sent < 0)
		return -errno;
	if ((size_t)sent != len)
		return UV_EIO; /* UNTESTED */
	ret = op->poll_active ? 0 : init_poll(op);
	return ret < 0 ? ret : uv_poll_start(&op->poll, UV_READABLE, on_answer);
}

static void connected(struct endpoint_connect *op)
{
	int ret = op->ep.kind == ENDPOINT_HYBRID ? greet(op) : 1;

	if (ret == 1)
		succeed(op);
	else if (ret < 0)
		finish(op, ret);
}

/* ---- one address ---- */

/* This attempt's handle is gone and op->poll may be used again. */
static void on_poll_closed_after_failure(uv_handle_t *handle)
{
	struct endpoint_connect *op = handle->data;

	if (op->finished) {
		on_closed(handle);
		return;
	}
	op->open_handles--;
	connect_next(op);
}

static void on_connected(uv_poll_t *poll, int status, int events)
{
	struct endpoint_connect *op = poll->data;
	int error = 0;
	socklen_t len = sizeof(error);

	(void)events;
	/* libuv reports each failed connect as UV_EBADF; the socket knows. */
	if (getsockopt(op->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error == 0 && status < 0)
		error = -status;
	if (error == 0) {
		connected(op);
		return;
	}
	op->result = -error;
	op->poll_active = 0;
	uv_close((uv_handle_t *)poll, on_poll_closed_after_failure);
	close(op->fd);
	op->fd = -1;
}

static int wait_writable(struct endpoint_connect *op)
{
	int ret = init_poll(op);

	return ret < 0 ? ret
		       : uv_poll_start(&op->poll, UV_WRITABLE, on_connected);
}

/* Returns 1 when connected, 0 when it waits, or an error; then there is no
 * socket and, unless it has been set up, no poll handle left. */
static int connect_one(
    struct endpoint_connect *op, const struct sockaddr *addr, socklen_t len)
{
	int on = 1, ret;

	op->fd = socket(
	    addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (op->fd < 0)
		return -errno;
	if (op->ep.kind == ENDPOINT_TCP)
		setsockopt(op->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(op->fd, addr, len) == 0)
		return 1;
	ret = -errno;
	/* An interrupted connect goes on by itself (POSIX connect()). */
	if (ret == UV_EINTR || ret == -EINPROGRESS)
		ret = wait_writable(op);
	if (ret == 0)
		return 0;
	if (!op->poll_active) {
		close(op->fd);
		op->fd = -1;
	}
	return ret;
}

/* ---- all addresses ---- */

/* Tries addresses until one waits or is connected, or none is left. */
static void connect_next(struct endpoint_connect *op)
{
	while (op->next_address) {
		const struct addrinfo *ai = op->next_address;
		int ret = connect_one(op, ai->ai_addr, ai->ai_addrlen);

		op->next_address = ai->ai_next;
		if (ret == 0)
			return;
		if (ret == 1) {
			succeed(op);
			return;
		}
		op->result = ret;
		if (op->poll_active)
			break; /* UNTESTED: uv_poll_start itself failed */
	}
	finish(op, op->result);
}

static void on_resolved(
    uv_getaddrinfo_t *req, int status, struct addrinfo *addresses)
{
	struct endpoint_resolve *resolve = (struct endpoint_resolve *)req;
	struct endpoint_connect *op = resolve->op;

	free(resolve);
	if (!op) {
		uv_freeaddrinfo(addresses);
		return;
	}
	op->resolve = NULL;
	if (status < 0) {
		finish(op, status);
		return;
	}
	op->addresses = op->next_address = addresses;
	op->result = UV_EAI_NONAME;
	connect_next(op);
}

static int resolve_start(struct endpoint_connect *op)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICSERV,
	};
	struct endpoint_resolve *resolve;
	char port[16];
	int ret;

	snprintf(port, sizeof(port), "%u", op->ep.port);
	resolve = calloc(1, sizeof(*resolve));
	if (!resolve)
		return UV_ENOMEM;
	resolve->op = op;
	ret = uv_getaddrinfo(
	    op->loop, &resolve->req, on_resolved, op->ep.host, port, &hints);
	if (ret < 0) {
		free(resolve);
		return ret;
	}
	op->resolve = resolve;
	return 0;
}

/* ---- public ---- */

static void start_unix(struct endpoint_connect *op)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int ret;

	memcpy(un.sun_path, op->ep.path, sizeof(un.sun_path));
	ret = connect_one(op, (struct sockaddr *)&un, sizeof(un));
	if (ret == 1)
		connected(op);
	else if (ret < 0)
		finish(op, ret);
}

/* Tested by make check-vm, in a guest. */
static void start_vsock(struct endpoint_connect *op)
{
	struct sockaddr_vm vm = {
	    .svm_family = AF_VSOCK,
	    .svm_cid = op->ep.cid,
	    .svm_port = op->ep.port,
	};
	int ret = connect_one(op, (struct sockaddr *)&vm, sizeof(vm));

	if (ret == 1)
		succeed(op);
	else if (ret < 0)
		finish(op, ret);
}

static void start_tcp(struct endpoint_connect *op)
{
	int ret = resolve_start(op);

	if (ret < 0)
		finish(op, ret);
}

int endpoint_connect_start(struct endpoint_connect *op, uv_loop_t *loop,
    const struct endpoint *ep, uint64_t timeout_ms, endpoint_connect_cb cb)
{
	void *data = op->data;

	if (ep->kind == ENDPOINT_TCP && (ep->port == 0 || ep->port > 65535))
		return UV_EINVAL;
	if (ep->kind == ENDPOINT_VSOCK && ep->cid == VMADDR_CID_ANY)
		return UV_EINVAL;
	memset(op, 0, sizeof(*op));
	op->data = data;
	op->loop = loop;
	op->cb = cb;
	op->ep = *ep;
	op->fd = -1;
	uv_timer_init(loop, &op->timer);
	op->timer.data = op;
	op->open_handles = 1;
	/* The loop's time is that of its last turn: a long callback before
	 * this call would eat into the deadline. */
	uv_update_time(loop);
	uv_timer_start(&op->timer, on_timeout, timeout_ms, 0);
	switch (ep->kind) {
	case ENDPOINT_TCP:
		start_tcp(op);
		break;
	case ENDPOINT_UNIX:
	case ENDPOINT_HYBRID:
		start_unix(op);
		break;
	case ENDPOINT_VSOCK:
		start_vsock(op);
		break;
	}
	return 0;
}

void endpoint_connect_cancel(struct endpoint_connect *op)
{
	if (!op->finished)
		finish(op, UV_ECANCELED);
}
