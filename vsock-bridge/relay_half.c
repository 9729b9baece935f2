/* relay_half: see relay_half.h. */
#include "vsock-bridge/relay_half.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define BULK_READ_MIN   (RELAY_BUFFER_BYTES / 2) /* from here on: splice */
#define BULK_SPLICE_MIN 4096                     /* below: copy again */

/* A transfer's result: bytes, 0 at the end, or a negative error. */
static ssize_t result(ssize_t n)
{
	if (n >= 0)
		return n;
	return errno == EWOULDBLOCK || errno == EINTR ? -EAGAIN : -errno;
}

static ssize_t splice_bytes(
    struct relay_tools *tools, int from, int to, size_t len)
{
	if (tools->splice != NULL)
		return result(tools->splice(from, to, len));
	return result(splice(
	    from, NULL, to, NULL, len, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
}

/* By a kernel, or a kind of socket, that cannot do it for these two. */
static bool is_refusal(ssize_t n)
{
	return n == -EINVAL || n == -ENOSYS || n == -EOPNOTSUPP;
}

static ssize_t send_bytes(int fd, const uint8_t *bytes, size_t len)
{
	return result(send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT));
}

static bool waits(const struct relay_half *half)
{
	return half->kept_len > 0 || half->pipe_len > 0;
}

/* ---- to where they go ---- */

static int keep(struct relay_half *half, const uint8_t *bytes, size_t len)
{
	assert(half->kept == NULL && len <= RELAY_BUFFER_BYTES);
	if (len == 0)
		return 0;
	half->kept = malloc(len);
	if (half->kept == NULL)
		return UV_ENOMEM;
	memcpy(half->kept, bytes, len);
	half->kept_at = 0;
	half->kept_len = (uint32_t)len;
	return 0;
}

/* Sends what can be sent of these, and keeps the rest. */
static int send_or_keep(
    struct relay_half *half, const uint8_t *bytes, size_t len)
{
	ssize_t n = send_bytes(half->to, bytes, len);

	if (n == -EAGAIN)
		n = 0;
	if (n < 0)
		return (int)n;
	return keep(half, bytes + n, len - (size_t)n);
}

static int drain_kept(struct relay_half *half)
{
	ssize_t n = send_bytes(
	    half->to, half->kept + half->kept_at, half->kept_len);

	if (n < 0)
		return (int)n;
	half->kept_at += (uint32_t)n;
	half->kept_len -= (uint32_t)n;
	if (half->kept_len > 0)
		return 0;
	free(half->kept);
	half->kept = NULL;
	return 0;
}

/* The kernel took bytes into the pipe that it will not move on: they are in
 * order there, and are read out again a buffer at a time. */
static int unsplice(struct relay_half *half, struct relay_tools *tools)
{
	ssize_t n = result(
	    read(half->pipe->read_fd, tools->buffer, sizeof(tools->buffer)));

	half->no_splice = true;
	assert(n > 0 && (size_t)n <= half->pipe_len);
	half->pipe_len -= (uint32_t)n;
	return send_or_keep(half, tools->buffer, (size_t)n);
}

static int drain_pipe(struct relay_half *half, struct relay_tools *tools)
{
	ssize_t n;

	if (half->no_splice)
		return unsplice(half, tools);
	n = splice_bytes(tools, half->pipe->read_fd, half->to, half->pipe_len);
	if (is_refusal(n))
		return unsplice(half, tools);
	if (n <= 0)
		return n == 0 ? UV_EIO : (int)n; /* never 0: it is not empty */
	half->pipe_len -= (uint32_t)n;
	return 0;
}

/* Returns 0 once nothing waits, UV_EAGAIN, or an error. */
static int drain(struct relay_half *half, struct relay_tools *tools)
{
	int err = 0;

	while (err == 0 && waits(half))
		err = half->kept_len > 0 ? drain_kept(half)
					 : drain_pipe(half, tools);
	return err;
}

/* ---- from where they come ---- */

static void set_bulk(struct relay_half *half, ssize_t n, ssize_t enough)
{
	half->bulk = n >= enough;
	if (!half->bulk)
		half->bulk_bytes = 0;
	else if (half->bulk_bytes < UINT32_MAX / 2)
		half->bulk_bytes += (uint32_t)n;
}

/* For both ways of reading; returns as a read does. */
static ssize_t fill_by_copy(struct relay_half *half, struct relay_tools *tools)
{
	ssize_t n = result(recv(
	    half->from, tools->buffer, sizeof(tools->buffer), MSG_DONTWAIT));
	int err;

	if (n <= 0)
		return n;
	set_bulk(half, n, BULK_READ_MIN);
	err = send_or_keep(half, tools->buffer, (size_t)n);
	return err != 0 ? err : n;
}

/* Into an empty pipe only, so that EAGAIN never means "full". */
static ssize_t fill_by_splice(
    struct relay_half *half, struct relay_tools *tools)
{
	ssize_t n = splice_bytes(
	    tools, half->from, half->pipe->write_fd, RELAY_PIPE_BYTES);

	half->no_splice = is_refusal(n);
	if (n <= 0)
		return half->no_splice ? -EAGAIN : n;
	set_bulk(half, n, BULK_SPLICE_MIN);
	half->pipe_len = (uint32_t)n;
	return n;
}

static bool has_pipe(struct relay_half *half, struct relay_tools *tools)
{
	if (half->pipe == NULL)
		half->pipe = relay_pipes_take(&tools->pipes);
	return half->pipe != NULL;
}

static ssize_t fill(struct relay_half *half, struct relay_tools *tools)
{
	ssize_t n = -EAGAIN;

	assert(!waits(half));
	if (half->bulk && !half->no_splice && has_pipe(half, tools))
		n = fill_by_splice(half, tools);
	/* When there is nothing to splice there may be something to read: a
	 * byte that was sent as urgent is in splice's way for ever. */
	if (n == -EAGAIN)
		n = fill_by_copy(half, tools);
	/* What Linux says in place of "end" of a vsock socket whose peer had
	 * closed it just before our shutdown(2), which cleared the mark of
	 * the orderly end (vsock_shutdown(), SOCK_DONE). */
	return n == -ENOTCONN ? 0 : n;
}

/* ---- both ---- */

static int end(struct relay_half *half)
{
	half->state = RELAY_ENDED;
	/* ENOTCONN: the peer has gone in the meantime. If it left in good
	 * order its own direction has ended too; if not, reading says so. */
	if (shutdown(half->to, SHUT_WR) != 0 && errno != ENOTCONN)
		return -errno;
	return 0;
}

/* Until one of them has to be waited for; see relay_half_move. */
static int move(struct relay_half *half, struct relay_tools *tools)
{
	size_t moved = 0;

	while (half->state != RELAY_ENDED) {
		int err = drain(half, tools);
		ssize_t n;

		if (err != 0)
			return err;
		half->state = RELAY_FLOWING;
		if (!half->readable)
			return 0;
		if (moved >= RELAY_TURN_BYTES)
			return 1;
		n = fill(half, tools);
		if (n == 0)
			return end(half);
		if (n == -EAGAIN)
			half->readable = false;
		else if (n < 0)
			return (int)n;
		else
			half->bytes += (uint64_t)n;
		moved += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

static void give_pipe_back(struct relay_half *half, struct relay_tools *tools)
{
	relay_pipes_give(&tools->pipes, half->pipe, half->pipe_len == 0);
	half->pipe = NULL;
	half->pipe_len = 0;
}

int relay_half_move(struct relay_half *half, struct relay_tools *tools)
{
	int ret = move(half, tools);

	if (ret == UV_EAGAIN) {
		half->state = RELAY_BLOCKED;
		ret = 0;
	}
	if (half->pipe_len == 0)
		give_pipe_back(half, tools);
	return ret;
}

int relay_half_put(struct relay_half *half, const void *bytes, size_t len)
{
	int err = len > 0 ? send_or_keep(half, bytes, len) : 0;

	if (waits(half))
		half->state = RELAY_BLOCKED;
	return err;
}

bool relay_half_progressed(struct relay_half *half)
{
	uint32_t before = half->unsent_seen;
	int unsent = 0;

	/* Not every kind of socket can tell: then it has none. */
	if (ioctl(half->to, SIOCOUTQ, &unsent) != 0 || unsent < 0)
		unsent = 0;
	half->unsent_seen = (uint32_t)unsent;
	return half->unsent_seen != before;
}

void relay_half_fini(struct relay_half *half, struct relay_tools *tools)
{
	free(half->kept);
	half->kept = NULL;
	half->kept_len = 0;
	give_pipe_back(half, tools);
}
