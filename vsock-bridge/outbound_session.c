/* outbound_session: see outbound_session.h. */
#include "vsock-bridge/outbound_session.h"

#include "base/log.h"
#include "vsock-bridge/connect_request.h"
#include "vsock-bridge/outbound_state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- HEAD and HELLO: the client speaks ---- */

static void judge_head(struct outbound_session *session);
static void judge_hello(struct outbound_session *session);

static void on_client_gone(struct outbound_session *session, int err)
{
	struct gate_verdict verdict = {.error = CLIENT_HELLO_NOT_TLS,
	    .detail = "the stream ended before its ClientHello did"};

	/* Without a byte it was a probe (a health check), or a connection that
	 * was not needed after all: nothing was refused and nothing failed. */
	if (session->setup->len == 0)
		outbound_end_silent(session, SIGHT_LEFT);
	else if (session->state == OUTBOUND_HELLO)
		outbound_end_shut(session, SIGHT_NOT_TLS, &verdict);
	else
		outbound_end_refused(session, ANSWER_BAD_REQUEST,
		    err == UV_EOF ? "the request ended before its head did"
				  : uv_strerror(err));
}

/* Never 0: what fills the buffer has been judged for good. */
static size_t room(const struct outbound_session *session)
{
	size_t max = session->state == OUTBOUND_HEAD ? CONNECT_REQUEST_BYTES_MAX
						     : GATE_BYTES_MAX;

	assert(session->setup->len < max);
	return max - session->setup->len;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct outbound_setup *setup = poll->data;
	struct outbound_session *session = setup->session;
	ssize_t n = recv(
	    setup->client, setup->bytes + setup->len, room(session), 0);

	(void)status; /* an error shows in recv */
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		on_client_gone(session, n == 0 ? UV_EOF : -errno);
		return;
	}
	setup->len += (size_t)n;
	if (session->state == OUTBOUND_HEAD)
		judge_head(session);
	else
		judge_hello(session);
}

static void on_late(uv_timer_t *timer)
{
	struct outbound_setup *setup = timer->data;
	struct gate_verdict verdict = {.error = "request_timeout",
	    .detail = "the ClientHello did not come in time"};

	if (setup->session->state == OUTBOUND_HELLO)
		outbound_end_shut(setup->session, SIGHT_TOO_SLOW, &verdict);
	else
		outbound_end_refused(setup->session, ANSWER_TOO_SLOW,
		    "the request did not come in time");
}

static void listen_to_client(struct outbound_session *session)
{
	struct outbound_setup *setup = session->setup;
	int err = uv_poll_start(&setup->poll, UV_READABLE, on_readable);

	assert(err == 0); /* fails on a closing handle only */
	(void)err;
	uv_timer_start(&setup->timer, on_late,
	    outbound_state_service(session)->limits.request_timeout_ms, 0);
}

/* ---- HELLO ---- */

static enum sight_reason reason_of_verdict(const struct gate_verdict *verdict)
{
	bool named = strcmp(verdict->error, CLIENT_HELLO_NOT_TLS) != 0 &&
		     strcmp(verdict->error, CLIENT_HELLO_MALFORMED) != 0;

	return named ? SIGHT_WRONG_SERVER_NAME : SIGHT_NOT_TLS;
}

static void judge_hello(struct outbound_session *session)
{
	struct outbound_setup *setup = session->setup;
	struct gate_verdict verdict;

	switch (gate_judge(
	    &verdict, session->target.host, setup->bytes, setup->len)) {
	case GATE_MORE:
		return;
	case GATE_OPEN:
		outbound_end_relayed(session, "");
		return;
	case GATE_SHUT:
		outbound_end_shut(
		    session, reason_of_verdict(&verdict), &verdict);
		return;
	}
}

/* Few bytes, and the first ones: a socket that cannot take them is broken. */
static void grant(struct outbound_session *session)
{
	struct outbound_setup *setup = session->setup;
	size_t len = strlen(ANSWER_GRANTED);
	ssize_t n = send(setup->client, ANSWER_GRANTED, len, MSG_NOSIGNAL);

	if (n != (ssize_t)len) {
		outbound_end_log_broken(
		    session, n < 0 ? strerror(errno) : "short write");
		outbound_end_silent(session, SIGHT_BROKEN);
		return;
	}
	session->state = OUTBOUND_HELLO;
	listen_to_client(session);
	judge_hello(session); /* it may not have waited for the 200 */
}

/* ---- CONNECTING ---- */

static enum answer_code answer_of(enum destination_failure failure, int err)
{
	if (err == UV_EMFILE || err == UV_ENFILE || err == UV_ENOMEM ||
	    err == UV_ENOBUFS)
		return ANSWER_NO_MEANS;
	switch (failure) {
	case DESTINATION_NO_NAME:
		return ANSWER_NO_NAME;
	case DESTINATION_PROHIBITED:
		return ANSWER_PROHIBITED;
	case DESTINATION_NO_TIME:
		return ANSWER_NO_TIME;
	default:
		return ANSWER_NO_CONNECTION;
	}
}

static void refuse_unconnected(
    struct outbound_session *session, enum destination_failure failure, int err)
{
	char target[AUTHORITY_TEXT_MAX], detail[ANSWER_DETAIL_MAX];
	const char *why = uv_strerror(err);

	if (failure == DESTINATION_NO_TIME &&
	    session->setup->destination.connect_ms < 0)
		why = "its name was not looked up in time";
	if (failure == DESTINATION_PROHIBITED)
		why = "its name leads to no address that is allowed";
	authority_format(&session->target, target);
	snprintf(
	    detail, sizeof(detail), "cannot connect to %s: %s", target, why);
	outbound_end_refused(session, answer_of(failure, err), detail);
}

static void count_latencies(const struct outbound_session *session)
{
	const struct destination *destination = &session->setup->destination;

	if (destination->lookup_ms >= 0)
		sight_dns_ms(outbound_state_sight(session),
		    (uint64_t)destination->lookup_ms);
	if (destination->connect_ms >= 0)
		sight_connect_ms(outbound_state_sight(session),
		    (uint64_t)destination->connect_ms);
}

static void on_destination(struct destination *destination, int fd)
{
	struct outbound_setup *setup = destination->data;
	struct outbound_session *session = setup->session;

	count_latencies(session);
	setup->upstream = fd >= 0 ? fd : -1;
	if (setup->aborted)
		outbound_end_silent(session, SIGHT_STOPPED);
	else if (fd < 0)
		refuse_unconnected(session, destination->failure, fd);
	else if (setup->any_protocol)
		outbound_end_relayed(session, ANSWER_GRANTED);
	else
		grant(session);
}

static void ask(
    struct outbound_session *session, const struct authority *target)
{
	const struct allowlist_rule *rule = allowlist_find(
	    session->outbound->allowlist, target);
	struct outbound_setup *setup = session->setup;
	int err;

	session->target = *target;
	if (rule == NULL) {
		outbound_end_refused(session, ANSWER_NOT_ALLOWED,
		    "the destination is not on the allow-list");
		return;
	}
	/* The list may be another one when this is over. */
	setup->any_protocol = rule->any_protocol;
	session->state = OUTBOUND_CONNECTING;
	setup->destination.data = setup;
	err = destination_start(&setup->destination,
	    outbound_state_service(session)->loop,
	    &(struct destination_options){
		.target = target,
		.connect_to = rule->pinned ? &rule->connect_to : NULL,
		.allow_private = rule->allow_private,
		.timeout_ms =
		    outbound_state_service(session)->limits.connect_timeout_ms,
	    },
	    on_destination);
	if (err != 0)
		refuse_unconnected(session, DESTINATION_REFUSED, err);
}

/* ---- HEAD ---- */

static void judge_head(struct outbound_session *session)
{
	struct outbound_setup *setup = session->setup;
	struct connect_request request;

	switch (connect_request_parse(&request, setup->bytes, setup->len)) {
	case CONNECT_REQUEST_MORE:
		return;
	case CONNECT_REQUEST_REFUSED:
		outbound_end_refused(session,
		    request.bad_method ? ANSWER_BAD_METHOD : ANSWER_BAD_REQUEST,
		    request.reason);
		return;
	case CONNECT_REQUEST_READY:
		break;
	}
	uv_timer_stop(&setup->timer);
	uv_poll_stop(&setup->poll);
	setup->len -= request.head_len;
	memmove(setup->bytes, setup->bytes + request.head_len, setup->len);
	ask(session, &request.target);
}

/* ---- the ends ---- */

static void abort_session(struct connection *member)
{
	struct outbound_session *session = (struct outbound_session *)member;

	switch (session->state) {
	case OUTBOUND_HEAD:
	case OUTBOUND_HELLO:
		outbound_end_silent(session, SIGHT_STOPPED);
		break;
	case OUTBOUND_CONNECTING:
		session->setup->aborted = true;
		destination_cancel(&session->setup->destination);
		break;
	case OUTBOUND_RELAYING:
		relay_stop(&session->relay);
		break;
	case OUTBOUND_REFUSING:
		refusal_stop(&session->setup->refusal);
		break;
	case OUTBOUND_OVER:
		break;
	}
}

static struct outbound_session *new_session(struct outbound *outbound, int fd)
{
	struct outbound_session *session = calloc(1, sizeof(*session));
	struct outbound_setup *setup = malloc(
	    sizeof(*setup)); /* bytes: as they come */

	if (session == NULL || setup == NULL) {
		free(session);
		free(setup);
		return NULL;
	}
	session->member.abort = abort_session;
	session->outbound = outbound;
	session->state = OUTBOUND_HEAD;
	session->setup = setup;
	memset(setup, 0, offsetof(struct outbound_setup, bytes));
	setup->session = session;
	setup->client = fd;
	setup->upstream = -1;
	return session;
}

static bool open_handles(struct outbound_setup *setup, uv_loop_t *loop)
{
	uv_timer_init(loop, &setup->timer);
	setup->timer.data = setup;
	setup->polled = uv_poll_init(loop, &setup->poll, setup->client) == 0;
	setup->poll.data = setup;
	setup->open_handles = 1 + setup->polled;
	return setup->polled;
}

/* For want of memory, and not even told so. */
static void drop(struct outbound *outbound, int fd)
{
	char peer[PEER_TEXT_MAX];

	peer_describe(fd, peer);
	log_warn("outbound", "dropped", LOG_S("peer", peer),
	    LOG_S("detail", "out of memory"));
	sight_refused(outbound->sight, SIGHT_NO_MEANS);
	close(fd);
}

static enum connections_place enter(struct outbound_session *session, int fd)
{
	struct connections *all = &outbound_state_service(session)->connections;

	connections_identify(all, &session->member, fd);
	return connections_enter(all, &session->member);
}

static void refuse_full(struct outbound_session *session)
{
	if (session->member.peer_is_full)
		outbound_end_refused(session, ANSWER_TOO_MANY_OF_PEER,
		    "the bridge serves as many connections of one client as "
		    "it may");
	else
		outbound_end_refused(session, ANSWER_TOO_MANY,
		    "the bridge serves as many connections as it may");
}

void outbound_session_start(struct outbound *outbound, int fd)
{
	struct outbound_session *session = new_session(outbound, fd);
	enum connections_place place;

	sight_opened(outbound->sight);
	if (session == NULL) {
		drop(outbound, fd);
		return;
	}
	peer_describe(fd, session->peer);
	place = enter(session, fd);
	if (place == CONNECTIONS_NONE) {
		service_turn_away(outbound->service, "outbound", session->peer,
		    &outbound->listener, outbound->sight,
		    service_full_reason(&session->member), fd);
		free(session->setup);
		free(session);
		return;
	}
	if (!open_handles(session->setup, outbound->service->loop))
		outbound_end_refused(session, ANSWER_NO_MEANS, "out of memory");
	else if (place == CONNECTIONS_SERVED)
		listen_to_client(session);
	else
		refuse_full(session);
}
