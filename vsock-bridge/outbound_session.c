/* outbound_session: see outbound_session.h. */
#include "vsock-bridge/outbound_session.h"

#include "base/log.h"
#include "vsock-bridge/connect_request.h"
#include "vsock-bridge/destination.h"
#include "vsock-bridge/peer.h"
#include "vsock-bridge/refusal.h"
#include "vsock-bridge/relay.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum state {
	HEAD,
	CONNECTING,
	RELAYING,
	REFUSING,
	CLOSING
};

struct session {
	struct connection member; /* first: recovered by a cast */
	struct outbound *outbound;
	enum state state;
	char peer[PEER_TEXT_MAX];
	struct authority target; /* from CONNECTING on; port 0 before */

	uv_pipe_t client;      /* until RELAYING or REFUSING takes it */
	uv_timer_t timer;      /* of HEAD */
	unsigned open_handles; /* client and timer, while they close */
	bool aborted;          /* CONNECTING was told to end */

	/* For the way to RELAYING, or the refusal; idle sessions have none. */
	struct setup *setup;
	struct relay relay;
};

struct setup {
	uint8_t head[CONNECT_REQUEST_BYTES_MAX];
	size_t len, head_len; /* bytes read; those of the head */
	struct destination destination;
	struct refusal refusal;
};

static struct service *service_of(const struct session *session)
{
	return session->outbound->service;
}

/* ---- CLOSING ---- */

static void free_session(struct session *session)
{
	connections_leave(&service_of(session)->connections, &session->member);
	free(session->setup);
	free(session);
}

static void on_closed(uv_handle_t *handle)
{
	struct session *session = handle->data;

	if (--session->open_handles == 0 && session->state == CLOSING)
		free_session(session);
}

/* From HEAD and CONNECTING, where the client's stream is ours. */
static void close_session(struct session *session)
{
	session->state = CLOSING;
	session->open_handles = 2;
	uv_close((uv_handle_t *)&session->client, on_closed);
	uv_close((uv_handle_t *)&session->timer, on_closed);
}

/* RELAYING and REFUSING have closed the client; the timer is left. */
static void close_timer(struct session *session)
{
	session->state = CLOSING;
	session->open_handles++;
	uv_close((uv_handle_t *)&session->timer, on_closed);
}

/* ---- REFUSING ---- */

static void on_refused(struct refusal *refusal)
{
	close_timer(refusal->data);
}

/* The one place where a refusal is logged. */
static void refuse(
    struct session *session, enum answer_code code, const char *detail)
{
	struct setup *setup = session->setup;
	char target[AUTHORITY_TEXT_MAX];
	bool named = session->target.port != 0;

	authority_format(&session->target, target);
	log_warn("outbound", "refused", LOG_S("peer", session->peer),
	    LOG_S("target", named ? target : NULL),
	    LOG_D("status", answer_status(code)),
	    LOG_S("reason", answer_error(code)), LOG_S("detail", detail));
	connections_refuse(&service_of(session)->connections, &session->member);
	session->state = REFUSING;
	uv_timer_stop(&session->timer);
	uv_read_stop((uv_stream_t *)&session->client);
	setup->refusal.data = session;
	refusal_start(&setup->refusal, (uv_stream_t *)&session->client, code,
	    detail, on_refused);
}

/* ---- RELAYING ---- */

static void on_relayed(struct relay *relay, int result)
{
	struct session *session = relay->data;
	char target[AUTHORITY_TEXT_MAX];

	if (result != 0) {
		authority_format(&session->target, target);
		log_info("outbound", "broken", LOG_S("peer", session->peer),
		    LOG_S("target", target),
		    LOG_S("error", relay_strerror(result)),
		    LOG_D("bytes_out", relay->to_b.bytes),
		    LOG_D("bytes_in", relay->to_a.bytes));
	}
	close_timer(session);
}

/* The relay works on the descriptor itself: the stream on it is closed. */
static int release_client(struct session *session)
{
	uv_os_fd_t fd;
	int ret = uv_fileno((uv_handle_t *)&session->client, &fd);

	assert(ret == 0);
	ret = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (ret < 0)
		return -errno;
	session->open_handles++;
	uv_close((uv_handle_t *)&session->client, on_closed);
	return ret;
}

static void start_relay(struct session *session, int client, int upstream)
{
	const struct bridge_limits *limits = &service_of(session)->limits;
	struct setup *setup = session->setup;
	size_t early = setup->len - setup->head_len;

	session->state = RELAYING;
	session->relay.data = session;
	relay_start(
	    &session->relay, &(struct relay_options){
				 .hub = &service_of(session)->relays,
				 .a = client,
				 .b = upstream,
				 .first_to_b = setup->head + setup->head_len,
				 .first_to_b_len = early,
				 .first_to_a = ANSWER_GRANTED,
				 .first_to_a_len = strlen(ANSWER_GRANTED),
				 .idle_timeout_ms = limits->idle_timeout_ms,
				 .total_timeout_ms = limits->total_timeout_ms,
				 .on_done = on_relayed,
			     });
	session->relay.to_b.bytes += early;
	session->setup = NULL;
	free(setup);
}

/* ---- CONNECTING ---- */

static enum answer_code answer_of(enum destination_failure failure)
{
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
    struct session *session, enum destination_failure failure, int err)
{
	char target[AUTHORITY_TEXT_MAX], detail[ANSWER_DETAIL_MAX];
	const char *why = uv_strerror(err);

	if (failure == DESTINATION_PROHIBITED)
		why = "its name leads to no public address";
	authority_format(&session->target, target);
	snprintf(
	    detail, sizeof(detail), "cannot connect to %s: %s", target, why);
	refuse(session, answer_of(failure), detail);
}

static void on_destination(struct destination *destination, int fd)
{
	struct session *session = destination->data;
	int client;

	/* It may have been connected already when it was canceled. */
	if (session->aborted) {
		if (fd >= 0)
			close(fd);
		close_session(session);
		return;
	}
	if (fd < 0) {
		refuse_unconnected(session, destination->failure, fd);
		return;
	}
	client = release_client(session);
	if (client < 0) {
		close(fd);
		refuse_unconnected(session, DESTINATION_REFUSED, client);
		return;
	}
	start_relay(session, client, fd);
}

static void ask(struct session *session, const struct authority *target)
{
	const struct allowlist_rule *rule = allowlist_find(
	    session->outbound->allowlist, target);
	struct destination_options options = {
	    .target = target,
	    .timeout_ms = service_of(session)->limits.connect_timeout_ms,
	};
	struct destination *destination = &session->setup->destination;
	int err;

	session->target = *target;
	if (rule == NULL) {
		refuse(session, ANSWER_NOT_ALLOWED,
		    "the destination is not on the allow-list");
		return;
	}
	if (rule->pinned)
		options.connect_to = &rule->connect_to;
	session->state = CONNECTING;
	destination->data = session;
	err = destination_start(
	    destination, service_of(session)->loop, &options, on_destination);
	if (err != 0)
		refuse_unconnected(session, DESTINATION_REFUSED, err);
}

/* ---- HEAD ---- */

static void on_head_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
	struct session *session = handle->data;
	struct setup *setup = session->setup;

	(void)suggested;
	/* Never empty: a head that fills the buffer has been refused. */
	*buf = uv_buf_init((char *)setup->head + setup->len,
	    (unsigned)(sizeof(setup->head) - setup->len));
}

static void judge_head(struct session *session)
{
	struct setup *setup = session->setup;
	struct connect_request request;

	switch (connect_request_parse(&request, setup->head, setup->len)) {
	case CONNECT_REQUEST_MORE:
		return;
	case CONNECT_REQUEST_REFUSED:
		refuse(session,
		    request.bad_method ? ANSWER_BAD_METHOD : ANSWER_BAD_REQUEST,
		    request.reason);
		return;
	case CONNECT_REQUEST_READY:
		break;
	}
	uv_timer_stop(&session->timer);
	uv_read_stop((uv_stream_t *)&session->client);
	setup->head_len = request.head_len;
	ask(session, &request.target);
}

/* A client that leaves without a byte was a probe (a health check): nothing
 * was refused and nothing failed, so nothing is logged. */
static void on_head_gone(struct session *session, int err)
{
	if (session->setup->len == 0)
		close_session(session);
	else
		refuse(session, ANSWER_BAD_REQUEST,
		    err == UV_EOF ? "the request ended before its head did"
				  : uv_strerror(err));
}

static void on_head(uv_stream_t *stream, ssize_t nread, const uv_buf_t *buf)
{
	struct session *session = stream->data;

	(void)buf;
	if (nread < 0) {
		on_head_gone(session, (int)nread);
	} else if (nread > 0) {
		session->setup->len += (size_t)nread;
		judge_head(session);
	}
}

static void on_head_late(uv_timer_t *timer)
{
	refuse(
	    timer->data, ANSWER_TOO_SLOW, "the request did not come in time");
}

static void start_head(struct session *session)
{
	uv_timer_start(&session->timer, on_head_late,
	    service_of(session)->limits.request_timeout_ms, 0);
	if (uv_read_start(
		(uv_stream_t *)&session->client, on_head_alloc, on_head) != 0)
		close_session(session);
}

/* ---- the ends ---- */

static void abort_session(struct connection *member)
{
	struct session *session = (struct session *)member;

	switch (session->state) {
	case HEAD:
		close_session(session);
		break;
	case CONNECTING:
		session->aborted = true;
		destination_cancel(&session->setup->destination);
		break;
	case RELAYING:
		relay_stop(&session->relay);
		break;
	case REFUSING:
		refusal_stop(&session->setup->refusal);
		break;
	case CLOSING:
		break;
	}
}

static void drop(struct session *session, int fd, const char *detail)
{
	char peer[PEER_TEXT_MAX];

	peer_describe(fd, peer);
	log_warn("outbound", "dropped", LOG_S("peer", peer),
	    LOG_S("detail", detail));
	close(fd);
	if (session != NULL)
		free(session->setup);
	free(session);
}

static void open_handles(struct session *session, int fd)
{
	uv_timer_init(service_of(session)->loop, &session->timer);
	service_open(service_of(session), &session->client, fd);
	session->timer.data = session;
	session->client.data = session;
}

static struct session *new_session(struct outbound *outbound)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->member.abort = abort_session;
	session->outbound = outbound;
	session->state = HEAD;
	session->setup = calloc(1, sizeof(*session->setup));
	if (session->setup != NULL)
		return session;
	free(session);
	return NULL;
}

void outbound_session_start(struct outbound *outbound, int fd)
{
	struct session *session = new_session(outbound);
	enum connections_place place;

	if (session == NULL) {
		drop(session, fd, "out of memory");
		return;
	}
	place = connections_enter(
	    &outbound->service->connections, &session->member);
	if (place == CONNECTIONS_NONE) {
		drop(session, fd, "too many connections");
		return;
	}
	peer_describe(fd, session->peer);
	open_handles(session, fd);
	if (place == CONNECTIONS_SERVED)
		start_head(session);
	else
		refuse(session, ANSWER_TOO_MANY,
		    "the bridge serves as many connections as it may");
}
