/*
 * journal: see journal.h. A session reads as long as the rule's pace allows it,
 * waits with all others of the rule when it does not, and ends when the enclave
 * does.
 */
#include "vsock-bridge/journal.h"

#include "base/lines.h"
#include "base/log.h"
#include "vsock-bridge/peer.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Read at once: nothing but newlines is as many lines, all charged after. */
#define CHUNK_BYTES 1024

struct journal_session {
	struct connection member; /* first: recovered by a cast */
	struct journal *journal;
	struct journal_session *previous, *next;
	int fd;
	uint64_t bytes;
	enum sight_outcome outcome;
	uv_poll_t poll;
	bool closing;
	struct lines lines;
	char peer[PEER_TEXT_MAX];
};

static void on_readable(uv_poll_t *poll, int status, int events);

static uint64_t now_ms(const struct journal *journal)
{
	return uv_now(journal->service->loop);
}

/* ---- the pace ---- */

static void read_on(struct journal_session *session)
{
	int err;

	if (session->closing)
		return;
	err = uv_poll_start(&session->poll, UV_READABLE, on_readable);
	assert(err == 0); /* fails on a closing handle only */
	(void)err;
}

static void on_resume(uv_timer_t *timer)
{
	struct journal *journal = timer->data;

	for (struct journal_session *s = journal->first; s; s = s->next)
		read_on(s);
}

/* All of the rule's wait, if they must. */
static void keep_pace(struct journal *journal)
{
	uint64_t wait_ms = pace_wait_ms(&journal->pace, now_ms(journal));

	if (wait_ms == 0)
		return;
	journal->sight->paces++;
	for (struct journal_session *s = journal->first; s; s = s->next)
		if (!s->closing)
			uv_poll_stop(&s->poll);
	if (!uv_is_closing((uv_handle_t *)&journal->resume))
		uv_timer_start(&journal->resume, on_resume, wait_ms, 0);
}

/* ---- a session ends ---- */

static void log_event(struct journal_session *session, const char *event)
{
	struct journal *journal = session->journal;
	uint64_t unsaid;

	if (pace_line_may(&journal->said, now_ms(journal), &unsaid))
		log_info("journal", event, LOG_S("peer", session->peer),
		    LOG_D("bytes", session->bytes), LOG_D("more", unsaid));
}

static void leave(struct journal_session *session)
{
	struct journal *journal = session->journal;

	if (session->previous != NULL)
		session->previous->next = session->next;
	else
		journal->first = session->next;
	if (session->next != NULL)
		session->next->previous = session->previous;
	journal->count--;
}

static void on_closed(uv_handle_t *handle)
{
	struct journal_session *session = handle->data;
	struct journal *journal = session->journal;

	log_event(session, "ended");
	sight_closed(journal->sight, session->outcome, session->bytes, 0);
	close(session->fd);
	leave(session);
	connections_leave(&journal->service->connections, &session->member);
	free(session);
}

static void put_line(void *data, const char *text, size_t len, bool cut);

static void end(struct journal_session *session, enum sight_outcome outcome)
{
	if (session->closing)
		return;
	session->closing = true;
	session->outcome = outcome;
	lines_end(&session->lines, put_line, session);
	uv_close((uv_handle_t *)&session->poll, on_closed);
}

static void abort_session(struct connection *member)
{
	end((struct journal_session *)member, SIGHT_STOPPED);
}

/* ---- a session reads ---- */

/* One without text is not worth a line, but its cost. */
static void put_line(void *data, const char *text, size_t len, bool cut)
{
	struct journal_session *session = data;
	struct journal *journal = session->journal;
	size_t written = 0;

	if (len > 0)
		written = log_passed_on(
		    "enclave", session->peer, text, len, cut);
	if (cut)
		journal->sight->cut_lines++;
	else
		journal->sight->lines++;
	pace_take(
	    &journal->pace, now_ms(journal), (int64_t)written + JOURNAL_LINE);
}

/* False: there is nothing more, for now or for ever. */
static bool read_chunk(struct journal_session *session)
{
	char bytes[CHUNK_BYTES];
	ssize_t n = recv(session->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0) {
		session->bytes += (uint64_t)n;
		lines_feed(
		    &session->lines, bytes, (size_t)n, put_line, session);
	} else if (n == 0) {
		end(session, SIGHT_COMPLETED);
	} else if (errno != EAGAIN && errno != EINTR) {
		end(session, SIGHT_BROKEN);
	}
	return n > 0;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct journal_session *session = poll->data;

	(void)status; /* an error shows in recv */
	(void)events;
	(void)read_chunk(session);
	keep_pace(session->journal);
}

/* ---- accepted ---- */

static struct journal_session *new_session(struct journal *journal, int fd)
{
	struct journal_session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->journal = journal;
	session->fd = fd;
	session->member.abort = abort_session;
	connections_identify(
	    &journal->service->connections, &session->member, fd);
	lines_init(&session->lines);
	peer_describe(fd, session->peer);
	return session;
}

static void refuse(struct journal_session *session, enum sight_reason reason)
{
	struct journal *journal = session->journal;

	service_turn_away(journal->service, "journal", session->peer,
	    &journal->listener, journal->sight, reason, session->fd);
	free(session);
}

static void enter(struct journal_session *session)
{
	struct journal *journal = session->journal;
	int err;

	session->next = journal->first;
	if (session->next != NULL)
		session->next->previous = session;
	journal->first = session;
	journal->count++;
	err = uv_poll_init(journal->service->loop, &session->poll, session->fd);
	assert(err == 0); /* a good socket, ours alone */
	(void)err;
	session->poll.data = session;
	log_event(session, "connected");
	if (!uv_is_active((uv_handle_t *)&journal->resume))
		read_on(session);
}

static void on_accept(struct listener *listener, int fd)
{
	struct journal *journal = listener->data;
	struct journal_session *session = new_session(journal, fd);

	sight_opened(journal->sight);
	if (session == NULL) { /* UNTESTED: no memory */
		sight_refused(journal->sight, SIGHT_NO_MEANS);
		close(fd);
	} else if (journal->count >= JOURNAL_CONNECTIONS_MAX) {
		refuse(session, SIGHT_TOO_MANY);
	} else if (!connections_enter_served(
		       &journal->service->connections, &session->member)) {
		refuse(session, service_full_reason(&session->member));
	} else {
		enter(session);
	}
}

/* ---- public ---- */

int journal_start(struct journal *out, struct service *service,
    const struct bridge_logs *rule, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX];
	int err;

	memset(out, 0, sizeof(*out));
	out->service = service;
	out->pace.per_s = JOURNAL_PER_S;
	out->pace.burst = JOURNAL_BURST;
	out->listener.data = out;
	endpoint_format(&rule->listen, listen);
	err = listener_start(&out->listener, service->loop, &rule->listen,
	    rule->inherited, on_accept);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", listen,
		    uv_strerror(err));
		return -1;
	}
	uv_timer_init(service->loop, &out->resume);
	out->resume.data = out;
	listener_describe(&out->listener, listen);
	out->sight = sight_add(&service->sight, SIGHT_LOGS, listen);
	out->listener.pauses = &out->sight->accept_pauses;
	log_info("journal", "listening", LOG_S("listen", listen));
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct journal *journal = handle->data;

	if (journal->on_stopped != NULL)
		journal->on_stopped(&journal->listener);
}

static void on_listener_stopped(struct listener *listener)
{
	struct journal *journal = listener->data;

	uv_close((uv_handle_t *)&journal->resume, on_timer_closed);
}

/* An enclave's log has no end to wait for: what has come is written, as far as
 * the pace goes, and it will connect again. */
static void stop_session(struct journal_session *session)
{
	while (!session->closing && pace_wait_ms(&session->journal->pace,
					now_ms(session->journal)) == 0)
		if (!read_chunk(session))
			break;
	end(session, SIGHT_STOPPED);
}

void journal_stop(struct journal *journal, listener_stopped_cb on_stopped)
{
	if (journal->stopping)
		return;
	journal->stopping = true;
	for (struct journal_session *s = journal->first; s; s = s->next)
		stop_session(s);
	journal->on_stopped = on_stopped;
	listener_stop(&journal->listener, on_listener_stopped);
}
