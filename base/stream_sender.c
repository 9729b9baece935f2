/* stream_sender: see stream_sender.h. */
#include "base/stream_sender.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REST_READS_MAX 16 /* of 4 KiB that a client sent, at its end */

enum stream_state {
	FLOWING,
	BLOCKED,
	CLOSING
};

struct stream {
	struct http_stream base; /* first: it is what others hold */
	enum stream_state state;
	int fd;
	char *head; /* until it has gone */
	size_t head_len, head_gone;
	uint64_t moved_ms; /* when it took something last, or was blocked */
	struct stream_sender *sender;
	struct http_client *client;
	enum http_stream_ended ended;
	TAILQ_ENTRY(stream) entry;
	TAILQ_ENTRY(stream) blocked_entry; /* in BLOCKED */
	uv_poll_t poll;
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

/* ---- the end ---- */

static void finish_stop(struct stream_sender *sender)
{
	if (sender->closed && sender->count == 0 && sender->timer_closed)
		sender->closed(sender->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct stream *stream = handle->data;
	struct stream_sender *sender = stream->sender;

	stream->base.ops->closed(stream->base.data, stream->ended);
	http_clients_leave(sender->clients, stream->client);
	free(stream->head);
	free(stream);
	assert(sender->count > 0);
	sender->count--;
	finish_stop(sender);
}

static void unblock(struct stream *stream)
{
	TAILQ_REMOVE(&stream->sender->blocked, stream, blocked_entry);
	stream->state = FLOWING;
}

static void finish(struct stream *stream, enum http_stream_ended how)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	char rest[4096];

	if (stream->state == CLOSING)
		return;
	if (stream->state == BLOCKED)
		unblock(stream);
	stream->state = CLOSING;
	stream->ended = how;
	TAILQ_REMOVE(&stream->sender->all, stream, entry);
	uv_close((uv_handle_t *)&stream->poll, on_closed);
	/* Closed with something unread, the last events would be lost in a
	 * reset (RFC 9112 9.6). */
	for (int i = 0; how == HTTP_STREAM_OVER && i < REST_READS_MAX; i++)
		if (recv(stream->fd, rest, sizeof(rest), MSG_DONTWAIT) <= 0)
			break;
	/* What a stalled one has not taken is not kept for it. */
	if (how == HTTP_STREAM_STALLED)
		(void)setsockopt(stream->fd, SOL_SOCKET, SO_LINGER, &at_once,
		    sizeof(at_once));
	close(stream->fd);
}

/* ---- sending ---- */

static void watch(struct stream *stream)
{
	int events = UV_DISCONNECT;

	if (stream->state == BLOCKED)
		events |= UV_WRITABLE;
	uv_poll_start(&stream->poll, events, on_poll);
}

static void arm(struct stream_sender *sender)
{
	struct stream *first = TAILQ_FIRST(&sender->blocked);
	uint64_t now = uv_now(sender->loop), at;

	if (!first)
		return;
	at = first->moved_ms + sender->stall_ms;
	uv_timer_start(&sender->timer, on_timer, at > now ? at - now : 0, 0);
}

static void block(struct stream *stream)
{
	struct stream_sender *sender = stream->sender;

	if (stream->state == BLOCKED)
		return;
	stream->state = BLOCKED;
	stream->moved_ms = uv_now(sender->loop);
	TAILQ_INSERT_TAIL(&sender->blocked, stream, blocked_entry);
	watch(stream);
	if (!uv_is_active((uv_handle_t *)&sender->timer))
		arm(sender);
}

static void moved(struct stream *stream)
{
	struct stream_sender *sender = stream->sender;

	if (stream->state != BLOCKED)
		return;
	stream->moved_ms = uv_now(sender->loop);
	TAILQ_REMOVE(&sender->blocked, stream, blocked_entry);
	TAILQ_INSERT_TAIL(&sender->blocked, stream, blocked_entry);
}

/* As gather, with what is left of the head in front. */
static int gather(struct stream *stream, struct iovec iov[STREAM_VECTORS_MAX])
{
	int own = stream->head ? 1 : 0, n;

	if (own) {
		iov[0].iov_base = stream->head + stream->head_gone;
		iov[0].iov_len = stream->head_len - stream->head_gone;
	}
	n = stream->base.ops->gather(
	    stream->base.data, iov + own, STREAM_VECTORS_MAX - own);
	assert(n <= STREAM_VECTORS_MAX - own);
	if (own)
		return n > 0 ? n + 1 : 1;
	return n;
}

static void taken(struct stream *stream, size_t len)
{
	if (stream->head) {
		size_t left = stream->head_len - stream->head_gone;
		size_t own = len < left ? len : left;

		stream->head_gone += own;
		len -= own;
		if (own == left) {
			free(stream->head);
			stream->head = NULL;
		}
	}
	if (len > 0)
		stream->base.ops->taken(stream->base.data, len);
}

static ssize_t send_some(int fd, struct iovec *iov, int count)
{
	struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)count};

	/* The usual case, and the cheaper call. */
	if (count == 1)
		return send(fd, iov->iov_base, iov->iov_len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static size_t sum(const struct iovec *iov, int count)
{
	size_t total = 0;

	for (int i = 0; i < count; i++)
		total += iov[i].iov_len;
	return total;
}

/* Sends what waits: until nothing does, or the socket is full, or it has had
 * its share of this turn. */
static void flush(struct stream *stream)
{
	struct iovec iov[STREAM_VECTORS_MAX];

	for (size_t sent = 0; sent < STREAM_TURN_BYTES;) {
		int count = gather(stream, iov);
		ssize_t n;

		if (count < 0 || (count == 0 && stream->sender->stopping)) {
			finish(stream, HTTP_STREAM_OVER);
			return;
		}
		if (count == 0) {
			if (stream->state == BLOCKED) {
				unblock(stream);
				watch(stream);
			}
			return;
		}
		n = send_some(stream->fd, iov, count);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN) {
			finish(stream, errno == ETIMEDOUT ? HTTP_STREAM_STALLED
							  : HTTP_STREAM_LEFT);
			return;
		}
		if (n < 0)
			break;
		sent += (size_t)n;
		moved(stream);
		taken(stream, (size_t)n);
		if ((size_t)n < sum(iov, count))
			break;
	}
	block(stream);
}

void stream_sender_wake(struct http_stream *base)
{
	struct stream *stream = (struct stream *)base;

	if (stream->state == FLOWING)
		flush(stream);
}

/* ---- what the loop says ---- */

/* The kernel gave up on it: TCP_USER_TIMEOUT. */
static bool is_timed_out(int fd)
{
	socklen_t len = sizeof(int);
	int err = 0;

	(void)getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
	return err == ETIMEDOUT;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct stream *stream = poll->data;

	if (status < 0 || (events & UV_DISCONNECT) != 0)
		finish(stream, is_timed_out(stream->fd) ? HTTP_STREAM_STALLED
							: HTTP_STREAM_LEFT);
	else if (stream->state == BLOCKED)
		flush(stream);
}

static void on_timer(uv_timer_t *timer)
{
	struct stream_sender *sender = timer->data;
	struct stream *first;

	while ((first = TAILQ_FIRST(&sender->blocked)) &&
	       first->moved_ms + sender->stall_ms <= uv_now(sender->loop))
		finish(first, HTTP_STREAM_STALLED);
	arm(sender);
}

/* ---- public ---- */

void stream_sender_init(
    struct stream_sender *sender, uv_loop_t *loop, struct http_clients *clients)
{
	memset(sender, 0, sizeof(*sender));
	TAILQ_INIT(&sender->all);
	TAILQ_INIT(&sender->blocked);
	sender->loop = loop;
	sender->clients = clients;
	sender->stall_ms = STREAM_STALL_MS;
	uv_timer_init(loop, &sender->timer);
	sender->timer.data = sender;
}

/* Those of TCP fail on other sockets, where they are not needed. */
static void set_options(int fd)
{
	int on = 1, bytes = STREAM_SOCKET_BYTES;
	unsigned stall_ms = STREAM_STALL_MS;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(
	    fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stall_ms, sizeof(stall_ms));
}

struct http_stream *stream_sender_add(struct stream_sender *sender, int fd,
    struct http_client *client, char *head, const struct http_stream_ops *ops,
    void *data)
{
	struct stream *stream = calloc(1, sizeof(*stream));

	assert(!sender->closed);
	if (!stream)
		log_die("http", "out of memory");
	if (uv_poll_init(sender->loop, &stream->poll, fd) != 0) {
		http_clients_leave(sender->clients, client);
		close(fd);
		free(head);
		free(stream);
		return NULL;
	}
	set_options(fd);
	stream->base.ops = ops;
	stream->base.data = data;
	stream->sender = sender;
	stream->client = client;
	stream->fd = fd;
	stream->head = head;
	stream->head_len = strlen(head);
	stream->poll.data = stream;
	sender->count++;
	TAILQ_INSERT_TAIL(&sender->all, stream, entry);
	watch(stream);
	return &stream->base;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct stream_sender *sender = handle->data;

	sender->timer_closed = true;
	finish_stop(sender);
}

void stream_sender_stop(
    struct stream_sender *sender, void (*closed)(void *data), void *data)
{
	struct stream *stream, *next;

	assert(!sender->closed);
	sender->stopping = true;
	sender->closed = closed;
	sender->data = data;
	for (stream = TAILQ_FIRST(&sender->all); stream; stream = next) {
		next = TAILQ_NEXT(stream, entry);
		stream_sender_wake(&stream->base);
	}
	uv_close((uv_handle_t *)&sender->timer, on_timer_closed);
}

void stream_sender_cut(struct stream_sender *sender)
{
	struct stream *stream;

	while ((stream = TAILQ_FIRST(&sender->all)))
		finish(stream, HTTP_STREAM_OVER);
}
