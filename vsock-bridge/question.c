/*
 * question: see question.h. A session reads what it is asked, waits for the
 * owner, writes the answer, says that this was all, and waits for the other
 * side to close; one timer bounds all of it.
 */
#include "vsock-bridge/question.h"

#include "base/log.h"
#include "vsock-bridge/peer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 4

struct question {
	struct connection member; /* first: recovered by a cast */
	struct question_rule *rule;
	struct question *next; /* the owner's */
	int fd;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles; /* poll, timer: closed before it is freed */
	bool closing, waiting; /* waiting: the owner has it */
	enum sight_outcome outcome;
	uint8_t *bytes;    /* what is read, then what is written; with head */
	size_t len, moved; /* of them, and how many were moved */
	uint64_t read, wrote; /* in all */
	char peer[PEER_TEXT_MAX];
};

static void log_ended(struct question *question)
{
	struct question_rule *rule = question->rule;
	uint64_t unsaid;

	if (pace_line_may(&rule->said, uv_now(rule->service->loop), &unsaid))
		log_info(rule->module, "answered",
		    LOG_S("peer", question->peer),
		    LOG_D("asked_bytes", question->read),
		    LOG_D("answer_bytes", question->wrote),
		    LOG_S("all",
			question->outcome == SIGHT_COMPLETED ? "yes" : "no"),
		    LOG_D("more", unsaid));
}

/* A credential may have been in there. */
static void forget_bytes(struct question *question)
{
	if (question->bytes != NULL)
		explicit_bzero(question->bytes, question->len);
	free(question->bytes);
	question->bytes = NULL;
}

static void on_closed(uv_handle_t *handle)
{
	struct question *question = handle->data;
	struct question_rule *rule = question->rule;

	if (--question->open_handles > 0)
		return;
	log_ended(question);
	sight_closed(
	    rule->sight, question->outcome, question->read, question->wrote);
	close(question->fd);
	forget_bytes(question);
	connections_leave(&rule->service->connections, &question->member);
	free(question);
}

static void end(struct question *question, enum sight_outcome outcome)
{
	if (question->closing)
		return;
	question->closing = true;
	question->outcome = outcome;
	if (question->waiting && question->rule->gone != NULL)
		question->rule->gone(question->rule, question);
	uv_close((uv_handle_t *)&question->poll, on_closed);
	uv_close((uv_handle_t *)&question->timer, on_closed);
}

static void abort_session(struct connection *member)
{
	end((struct question *)member, SIGHT_STOPPED);
}

static void on_time(uv_timer_t *timer)
{
	end(timer->data, SIGHT_IDLE);
}

static void poll_for(struct question *question, int events, uv_poll_cb cb)
{
	int err = uv_poll_start(&question->poll, events, cb);

	assert(err == 0); /* fails on a closing handle only */
	(void)err;
}

/* ---- the answer ---- */

static void on_ending(uv_poll_t *poll, int status, int events)
{
	struct question *question = poll->data;
	char ignored[256];
	ssize_t n = recv(question->fd, ignored, sizeof(ignored), MSG_DONTWAIT);

	(void)status; /* an error shows in recv */
	(void)events;
	if (n == 0)
		end(question, SIGHT_COMPLETED);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		end(question, SIGHT_BROKEN);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct question *question = poll->data;
	ssize_t n = send(question->fd, question->bytes + question->moved,
	    question->len - question->moved, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)status; /* an error shows in send */
	(void)events;
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end(question, SIGHT_BROKEN);
		return;
	}
	question->moved += (size_t)n;
	question->wrote += (uint64_t)n;
	if (question->moved < question->len)
		return;
	shutdown(question->fd, SHUT_WR);
	poll_for(question, UV_READABLE, on_ending);
}

static uint8_t *need(size_t len)
{
	uint8_t *bytes = calloc(1, len);

	if (bytes == NULL)
		log_die("question", "out of memory");
	return bytes;
}

void question_answer(struct question *question, const void *bytes, size_t len)
{
	assert(question->waiting && !question->closing);
	question->waiting = false;
	forget_bytes(question);
	question->len = HEAD_BYTES + len;
	question->moved = 0;
	question->bytes = need(question->len);
	for (size_t i = 0; i < HEAD_BYTES; i++)
		question->bytes[i] = (uint8_t)(len >> 8 * (HEAD_BYTES - 1 - i));
	memcpy(question->bytes + HEAD_BYTES, bytes, len);
	poll_for(question, UV_WRITABLE, on_writable);
}

/* ---- the question ---- */

static void hand_over(struct question *question)
{
	struct question_rule *rule = question->rule;
	size_t head = rule->asked_max > 0 ? HEAD_BYTES : 0;

	uv_poll_stop(&question->poll);
	question->waiting = true;
	rule->asked(
	    rule, question, question->bytes + head, question->len - head);
}

/* False: its length is none. */
static bool take_head(struct question *question)
{
	const uint8_t *head = question->bytes;
	size_t follow = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
			(size_t)head[2] << 8 | head[3];

	if (follow == 0 || follow > question->rule->asked_max)
		return false;
	question->len = HEAD_BYTES + follow;
	question->bytes = realloc(question->bytes, question->len);
	if (question->bytes == NULL)
		log_die("question", "out of memory");
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct question *question = poll->data;
	ssize_t n = recv(question->fd, question->bytes + question->moved,
	    question->len - question->moved, MSG_DONTWAIT);

	(void)status; /* an error shows in recv */
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end(question, SIGHT_BROKEN);
		return;
	}
	question->moved += (size_t)n;
	question->read += (uint64_t)n;
	if (question->moved < question->len)
		return;
	if (question->len > HEAD_BYTES)
		hand_over(question);
	else if (!take_head(question))
		end(question, SIGHT_BROKEN);
}

/* ---- accepted ---- */

static struct question *new_question(struct question_rule *rule, int fd)
{
	struct question *question = calloc(1, sizeof(*question));

	if (question == NULL)
		return NULL;
	question->rule = rule;
	question->fd = fd;
	question->member.abort = abort_session;
	connections_identify(
	    &rule->service->connections, &question->member, fd);
	peer_describe(fd, question->peer);
	return question;
}

static void refuse(struct question *question, enum sight_reason reason)
{
	struct question_rule *rule = question->rule;

	service_turn_away(rule->service, rule->module, question->peer,
	    &rule->listener, rule->sight, reason, question->fd);
	free(question);
}

static void begin(struct question *question)
{
	struct question_rule *rule = question->rule;
	uv_loop_t *loop = rule->service->loop;
	int err = uv_poll_init(loop, &question->poll, question->fd);

	assert(err == 0); /* a good socket, ours alone */
	(void)err;
	uv_timer_init(loop, &question->timer);
	question->poll.data = question->timer.data = question;
	question->open_handles = 2;
	uv_timer_start(&question->timer, on_time,
	    rule->service->limits.request_timeout_ms, 0);
	if (rule->asked_max == 0) {
		hand_over(question);
		return;
	}
	question->len = HEAD_BYTES;
	question->bytes = need(question->len);
	poll_for(question, UV_READABLE, on_readable);
}

static void on_accept(struct listener *listener, int fd)
{
	struct question_rule *rule = listener->data;
	struct question *question = new_question(rule, fd);
	uint64_t now_ms = uv_now(rule->service->loop);

	sight_opened(rule->sight);
	if (question == NULL) { /* UNTESTED: no memory */
		sight_refused(rule->sight, SIGHT_NO_MEANS);
		close(fd);
	} else if (pace_wait_ms(&rule->pace, now_ms) > 0) {
		refuse(question, SIGHT_TOO_MANY);
	} else if (!connections_enter_served(
		       &rule->service->connections, &question->member)) {
		refuse(question, service_full_reason(&question->member));
	} else {
		pace_take(&rule->pace, now_ms, 1);
		begin(question);
	}
}

/* ---- public ---- */

int question_start(struct question_rule *rule, struct service *service,
    const struct endpoint *at, int inherited,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char where[ENDPOINT_TEXT_MAX];
	int err;

	rule->service = service;
	rule->pace = (struct pace){
	    .per_s = QUESTION_PER_S, .burst = QUESTION_BURST};
	rule->listener.data = rule;
	endpoint_format(at, where);
	err = listener_start(
	    &rule->listener, service->loop, at, inherited, on_accept);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", where,
		    uv_strerror(err));
		return -1;
	}
	listener_describe(&rule->listener, where);
	rule->sight = sight_add(&service->sight, rule->direction, where);
	rule->listener.pauses = &rule->sight->accept_pauses;
	log_info(rule->module, "listening", LOG_S("listen", where));
	return 0;
}

struct question **question_next(struct question *question)
{
	return &question->next;
}

void question_stop(struct question_rule *rule, listener_stopped_cb on_stopped)
{
	listener_stop(&rule->listener, on_stopped);
}
