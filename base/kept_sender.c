/* kept_sender: see kept_sender.h. */
#include "base/kept_sender.h"

#include "base/log.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum asker_state {
	ASKING,
	SENDING,
	CLOSING
};

struct asker {
	enum asker_state state;
	struct kept_sender *sender;
	struct http_arrival arrival;
	struct kept_answer *last; /* a place of the table, or NULL */
	unsigned steady;          /* how often it has asked the same, about */
	char *rest;               /* in SENDING: what has not gone */
	size_t rest_len, rest_gone;
	uint64_t moved_ms;  /* the loop's time of its last request */
	uint64_t queued_ms; /* moved_ms as it was when it was put last */
	TAILQ_ENTRY(asker) entry;
	uv_poll_t poll;
};

static void on_poll(uv_poll_t *poll, int status, int events);
static void on_timer(uv_timer_t *timer);

/* ---- the end ---- */

static void finish_stop(struct kept_sender *sender)
{
	if (sender->closed && sender->count == 0 && sender->timer_closed)
		sender->closed(sender->closed_data);
}

static void on_closed(uv_handle_t *handle)
{
	struct asker *asker = handle->data;
	struct kept_sender *sender = asker->sender;

	free(asker->rest);
	free(asker);
	assert(sender->count > 0);
	sender->count--;
	finish_stop(sender);
}

/* Its descriptor is out of the loop and still open. */
static void release(struct asker *asker)
{
	asker->state = CLOSING;
	TAILQ_REMOVE(&asker->sender->all, asker, entry);
	uv_close((uv_handle_t *)&asker->poll, on_closed);
}

static void finish(struct asker *asker)
{
	release(asker);
	close(asker->arrival.fd);
	http_clients_leave(
	    asker->sender->options.clients, asker->arrival.client);
}

/* ---- sending ---- */

static void watch(struct asker *asker)
{
	uv_poll_start(&asker->poll,
	    asker->state == SENDING ? UV_WRITABLE : UV_READABLE, on_poll);
}

/* Bytes that the socket took; -1: it takes none any more. */
static ssize_t send_some(int fd, const char *bytes, size_t len)
{
	ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n;
}

/* The table may have another answer in this place by then. */
static void keep_rest(struct asker *asker, const char *bytes, size_t len)
{
	asker->rest = malloc(len);
	if (!asker->rest)
		log_die("http", "out of memory");
	memcpy(asker->rest, bytes, len);
	asker->rest_len = len;
	asker->rest_gone = 0;
	asker->state = SENDING;
	watch(asker);
}

static void send_rest(struct asker *asker)
{
	ssize_t n = send_some(asker->arrival.fd, asker->rest + asker->rest_gone,
	    asker->rest_len - asker->rest_gone);

	if (n < 0) {
		finish(asker);
		return;
	}
	asker->rest_gone += (size_t)n;
	if (asker->rest_gone < asker->rest_len)
		return;
	free(asker->rest);
	asker->rest = NULL;
	asker->state = ASKING;
	if (asker->sender->stopping)
		finish(asker);
	else
		watch(asker);
}

static void send_answer(struct asker *asker, struct kept_answer *answer)
{
	ssize_t n = send_some(asker->arrival.fd, answer->bytes, answer->len);

	if (answer != asker->last)
		asker->steady = 0;
	else if (asker->steady < KEPT_SENDER_STEADY)
		asker->steady++;
	asker->last = answer;
	if (n < 0)
		finish(asker);
	else if ((size_t)n < answer->len)
		keep_rest(asker, answer->bytes + n, answer->len - (size_t)n);
}

/* Its request is in the socket, and is read now. */
static void answer_it(struct asker *asker, struct kept_answer *answer)
{
	char asked[KEPT_ASKED_MAX];
	ssize_t n = recv(
	    asker->arrival.fd, asked, answer->asked_len, MSG_DONTWAIT);

	/* It was all there when it was looked at: this is an error. */
	if (n != (ssize_t)answer->asked_len)
		finish(asker);
	else
		send_answer(asker, answer);
}

/* ---- what the loop says ---- */

static void hand_on(
    struct asker *asker, http_door_cb to, const char *bytes, size_t len)
{
	struct http_arrival arrival = asker->arrival;

	release(asker);
	to(&arrival, bytes, len, asker->sender->options.data);
}

/* What recv said; false if there is nothing to go on with. */
static bool has_come(struct asker *asker, ssize_t n)
{
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (n <= 0) {
		finish(asker);
		return false;
	}
	asker->moved_ms = uv_now(asker->sender->options.loop);
	return true;
}

static struct kept_answer *find(
    struct asker *asker, const char *bytes, size_t len)
{
	const struct kept_sender_options *options = &asker->sender->options;

	return options->find(
	    &asker->arrival, asker->last, bytes, len, options->data);
}

static void look(struct asker *asker)
{
	char bytes[PLAIN_GET_BYTES_MAX + 1];
	ssize_t n = recv(
	    asker->arrival.fd, bytes, sizeof(bytes), MSG_PEEK | MSG_DONTWAIT);
	struct kept_answer *answer;

	if (!has_come(asker, n))
		return;
	answer = find(asker, bytes, (size_t)n);
	if (answer)
		answer_it(asker, answer);
	else
		hand_on(
		    asker, asker->sender->options.hand_on, bytes, (size_t)n);
}

/* As many bytes as its last request had: most likely the same ones. */
static void read_same(struct asker *asker)
{
	char bytes[KEPT_ASKED_MAX];
	ssize_t n = recv(
	    asker->arrival.fd, bytes, asker->last->asked_len, MSG_DONTWAIT);
	struct kept_answer *answer;

	if (!has_come(asker, n))
		return;
	answer = find(asker, bytes, (size_t)n);
	/* More may have been read than is answered, if the place of its last
	 * answer was given to longer words. */
	if (answer && answer->asked_len == (size_t)n)
		send_answer(asker, answer);
	else
		hand_on(asker, asker->sender->options.hand_on_read, bytes,
		    (size_t)n);
}

/* To some ms, and cheap. */
static int64_t about_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME_COARSE, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Where the answer is out of date there may be none now: then the request is
 * better looked at first. */
static bool is_steady(const struct asker *asker)
{
	const struct kept_sender_options *options = &asker->sender->options;

	return asker->steady == KEPT_SENDER_STEADY &&
	       *asker->last->version == asker->last->seen &&
	       about_now_ms() < asker->last->until_ms &&
	       options->has_room(options->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct asker *asker = poll->data;

	(void)status; /* an error shows in recv and send */
	(void)events;
	if (asker->state == SENDING)
		send_rest(asker);
	else if (is_steady(asker))
		read_same(asker);
	else
		look(asker);
}

static void arm(struct kept_sender *sender)
{
	struct asker *first = TAILQ_FIRST(&sender->all);
	uint64_t now = uv_now(sender->options.loop), at;

	if (!first)
		return;
	at = first->queued_ms + sender->timeout_ms;
	uv_timer_start(&sender->timer, on_timer, at > now ? at - now : 0, 0);
}

static void queue(struct asker *asker)
{
	asker->queued_ms = asker->moved_ms;
	TAILQ_INSERT_TAIL(&asker->sender->all, asker, entry);
}

static void on_timer(uv_timer_t *timer)
{
	struct kept_sender *sender = timer->data;
	uint64_t now = uv_now(sender->options.loop);
	struct asker *first;

	while ((first = TAILQ_FIRST(&sender->all)) &&
	       first->queued_ms + sender->timeout_ms <= now) {
		if (first->moved_ms + sender->timeout_ms <= now) {
			finish(first);
			continue;
		}
		TAILQ_REMOVE(&sender->all, first, entry);
		queue(first);
	}
	arm(sender);
}

/* ---- public ---- */

void kept_sender_init(
    struct kept_sender *sender, const struct kept_sender_options *options)
{
	memset(sender, 0, sizeof(*sender));
	sender->options = *options;
	sender->timeout_ms = KEPT_SENDER_TIMEOUT_MS;
	TAILQ_INIT(&sender->all);
	uv_timer_init(options->loop, &sender->timer);
	sender->timer.data = sender;
}

void kept_sender_add(struct kept_sender *sender,
    const struct http_arrival *arrival, struct kept_answer *answer)
{
	struct asker *asker = calloc(1, sizeof(*asker));
	int on = 1;

	assert(!sender->stopping);
	if (!asker)
		log_die("http", "out of memory");
	if (uv_poll_init(sender->options.loop, &asker->poll, arrival->fd)) {
		close(arrival->fd);
		http_clients_leave(sender->options.clients, arrival->client);
		free(asker);
		return;
	}
	/* Fails on other sockets, where it is not needed. */
	(void)setsockopt(
	    arrival->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	asker->sender = sender;
	asker->arrival = *arrival;
	asker->state = ASKING;
	asker->poll.data = asker;
	asker->moved_ms = uv_now(sender->options.loop);
	sender->count++;
	queue(asker);
	if (!uv_is_active((uv_handle_t *)&sender->timer))
		arm(sender);
	watch(asker);
	answer_it(asker, answer);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct kept_sender *sender = handle->data;

	sender->timer_closed = true;
	finish_stop(sender);
}

static void finish_all(struct kept_sender *sender, bool senders_too)
{
	struct asker *asker, *next;

	for (asker = TAILQ_FIRST(&sender->all); asker; asker = next) {
		next = TAILQ_NEXT(asker, entry);
		if (senders_too || asker->state == ASKING)
			finish(asker);
	}
}

void kept_sender_stop(
    struct kept_sender *sender, void (*closed)(void *data), void *data)
{
	assert(!sender->stopping);
	sender->stopping = true;
	sender->closed = closed;
	sender->closed_data = data;
	finish_all(sender, false);
	uv_close((uv_handle_t *)&sender->timer, on_timer_closed);
}

void kept_sender_cut(struct kept_sender *sender)
{
	finish_all(sender, true);
}
