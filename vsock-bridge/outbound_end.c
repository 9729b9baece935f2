/* outbound_end: how a session gets out of its hands; see outbound_session.h for
 * the states, outbound_state.h for who calls what. */
#include "vsock-bridge/outbound_state.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- OVER ---- */

static void free_if_over(struct outbound_session *session)
{
	if (session->state != OUTBOUND_OVER || session->setup != NULL)
		return;
	connections_leave(
	    &outbound_state_service(session)->connections, &session->member);
	free(session);
}

static void release_setup(struct outbound_setup *setup)
{
	struct outbound_session *session = setup->session;

	if (--setup->open_handles > 0)
		return;
	free(setup);
	session->setup = NULL;
	free_if_over(session);
}

static void on_closed(uv_handle_t *handle)
{
	release_setup(handle->data);
}

/* Once, on every way out of HEAD, CONNECTING and HELLO. */
static void close_handles(struct outbound_setup *setup)
{
	if (setup->polled)
		uv_close((uv_handle_t *)&setup->poll, on_closed);
	uv_close((uv_handle_t *)&setup->timer, on_closed);
}

static void close_upstream(struct outbound_setup *setup)
{
	if (setup->upstream >= 0)
		close(setup->upstream);
	setup->upstream = -1;
}

/* Without an answer. */
void outbound_end_silent(
    struct outbound_session *session, enum sight_outcome outcome)
{
	struct outbound_setup *setup = session->setup;

	sight_closed(outbound_state_sight(session), outcome, 0, 0);
	session->state = OUTBOUND_OVER;
	close_handles(setup);
	close(setup->client);
	close_upstream(setup);
}

/* ---- REFUSING ---- */

static void on_refused(struct refusal *refusal)
{
	struct outbound_setup *setup = refusal->data;

	setup->session->state = OUTBOUND_OVER;
	release_setup(setup);
}

static void let_go(
    struct outbound_session *session, const void *answer, size_t len)
{
	struct outbound_setup *setup = session->setup;

	connections_refuse(
	    &outbound_state_service(session)->connections, &session->member);
	session->state = OUTBOUND_REFUSING;
	close_handles(setup);
	close_upstream(setup);
	setup->open_handles++;
	setup->refusal.data = setup;
	refusal_start(&setup->refusal, outbound_state_service(session)->loop,
	    setup->client, answer, len, on_refused);
}

static enum sight_reason reason_of(enum answer_code code)
{
	static const enum sight_reason reasons[] = {
#define X(name, status, phrase, error) SIGHT_##name,
	    ANSWER_TABLE(X)
#undef X
	};

	return reasons[code];
}

static void log_refused(const struct outbound_session *session,
    enum answer_code code, const char *detail)
{
	char target[AUTHORITY_TEXT_MAX];
	bool named = session->target.port != 0;

	authority_format(&session->target, target);
	log_warn("outbound", "refused", LOG_S("peer", session->peer),
	    LOG_S("target", named ? target : NULL),
	    LOG_D("status", answer_status(code)),
	    LOG_S("reason", answer_error(code)), LOG_S("detail", detail));
}

/* The one place where a refusal is logged that has a status. */
void outbound_end_refused(
    struct outbound_session *session, enum answer_code code, const char *detail)
{
	const struct outbound *outbound = session->outbound;
	enum sight_reason reason = reason_of(code);
	char answer[ANSWER_BYTES_MAX];

	if (reason == SIGHT_TOO_MANY || reason == SIGHT_TOO_MANY_OF_PEER)
		service_log_full(outbound->service, "outbound", session->peer,
		    &outbound->listener, reason);
	else
		log_refused(session, code, detail);
	sight_refused(outbound_state_sight(session), reason);
	let_go(session, answer, answer_format(answer, code, detail));
}

/* And here one that comes after the 200. */
void outbound_end_shut(struct outbound_session *session,
    enum sight_reason reason, const struct gate_verdict *verdict)
{
	char target[AUTHORITY_TEXT_MAX];

	authority_format(&session->target, target);
	log_warn("outbound", "refused", LOG_S("peer", session->peer),
	    LOG_S("target", target), LOG_S("reason", verdict->error),
	    LOG_S("detail", verdict->detail));
	sight_refused(outbound_state_sight(session), reason);
	let_go(session, verdict->alert, verdict->alert_len);
}

/* ---- RELAYING ---- */

void outbound_end_log_broken(
    const struct outbound_session *session, const char *error)
{
	char target[AUTHORITY_TEXT_MAX];

	authority_format(&session->target, target);
	log_info("outbound", "broken", LOG_S("peer", session->peer),
	    LOG_S("target", target), LOG_S("error", error),
	    LOG_D("bytes_out", session->relay.to_b.bytes),
	    LOG_D("bytes_in", session->relay.to_a.bytes));
}

static void on_relayed(struct relay *relay, int result)
{
	struct outbound_session *session = relay->data;

	if (result != 0)
		outbound_end_log_broken(session, relay_strerror(result));
	sight_closed(outbound_state_sight(session), sight_outcome_of(result),
	    relay->to_b.bytes, relay->to_a.bytes);
	session->state = OUTBOUND_OVER;
	free_if_over(session);
}

/* `granted`: the 200, if the client has not had it yet. */
void outbound_end_relayed(struct outbound_session *session, const char *granted)
{
	const struct bridge_limits *limits =
	    &outbound_state_service(session)->limits;
	struct outbound_setup *setup = session->setup;

	session->state = OUTBOUND_RELAYING;
	close_handles(setup); /* the relay watches the client now */
	session->relay.data = session;
	relay_start(&session->relay,
	    &(struct relay_options){
		.hub = &outbound_state_service(session)->relays,
		.a = setup->client,
		.b = setup->upstream,
		.first_to_b = setup->bytes,
		.first_to_b_len = setup->len,
		.first_to_a = granted,
		.first_to_a_len = strlen(granted),
		.idle_timeout_ms = limits->idle_timeout_ms,
		.total_timeout_ms = limits->total_timeout_ms,
		.on_done = on_relayed,
	    });
	session->relay.to_b.bytes += setup->len;
}
