/*
 * handout: see handout.h. A session:
 *
 *   SENDING --all is sent--> ENDING --it closes--> freed
 *
 * SENDING waits for room, ENDING for the enclave to have read it all; both for
 * request_timeout_ms together.
 */
#include "vsock-bridge/handout.h"

#include "base/file.h"
#include "base/log.h"
#include "vsock-bridge/peer.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_BYTES 4

struct handout_text {
	unsigned users; /* the rule, and each session that sends it */
	size_t len;     /* of the whole message */
	uint8_t bytes[];
};

struct session {
	struct connection member; /* first: recovered by a cast */
	struct handout *handout;
	struct handout_text *text; /* shared */
	size_t sent;
	int fd;
	enum sight_outcome outcome;
	uv_poll_t poll;
	uv_timer_t timer;
	unsigned open_handles; /* poll, timer: closed before it is freed */
	bool closing;
	char peer[PEER_TEXT_MAX];
};

/* ---- the text ---- */

static void release(struct handout_text *text)
{
	if (text != NULL && --text->users == 0)
		free(text);
}

static struct handout_text *new_text(const uint8_t *bytes, size_t len)
{
	struct handout_text *text = malloc(sizeof(*text) + HEAD_BYTES + len);

	if (text == NULL)
		log_die("handout", "out of memory");
	text->users = 1;
	text->len = HEAD_BYTES + len;
	for (size_t i = 0; i < HEAD_BYTES; i++)
		text->bytes[i] = (uint8_t)(len >> 8 * (HEAD_BYTES - 1 - i));
	memcpy(text->bytes + HEAD_BYTES, bytes, len);
	return text;
}

/* What the oracle would refuse at once is refused here, where somebody sees
 * it. NULL: it is good. */
static const char *judge(const uint8_t *bytes, size_t len, json_error_t *detail)
{
	json_t *root = json_loadb(
	    (const char *)bytes, len, JSON_REJECT_DUPLICATES, detail);
	const char *why = NULL;

	if (root == NULL)
		why = detail->text;
	else if (!json_is_object(root))
		why = "not a JSON object";
	json_decref(root);
	return why;
}

static int read_text(const char *path, struct handout_text **out,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	int err = file_read(path, HANDOUT_BYTES_MAX, &bytes, &len);
	json_error_t detail;
	const char *why = err == 0 ? judge(bytes, len, &detail)
				   : strerror(-err);

	*out = why == NULL ? new_text(bytes, len) : NULL;
	if (why != NULL)
		snprintf(
		    error, BRIDGE_CONFIG_ERROR_MAX, "%.200s: %s", path, why);
	free(bytes);
	return why == NULL ? 0 : -1;
}

int handout_check(
    const char *path, size_t *len, char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	struct handout_text *text;

	*len = 0;
	if (read_text(path, &text, error) != 0)
		return -1;
	*len = text->len - HEAD_BYTES;
	release(text);
	return 0;
}

/* ---- a session ends ---- */

static void log_handed_out(const struct session *session)
{
	struct handout *handout = session->handout;
	uint64_t unsaid;

	if (pace_line_may(
		&handout->said, uv_now(handout->service->loop), &unsaid))
		log_info("handout", "handed_out", LOG_S("peer", session->peer),
		    LOG_S("file", handout->rule->file),
		    LOG_D("bytes", session->text->len - HEAD_BYTES),
		    LOG_S("all",
			session->sent == session->text->len ? "yes" : "no"),
		    LOG_D("more", unsaid));
}

static void on_closed(uv_handle_t *handle)
{
	struct session *session = handle->data;

	if (--session->open_handles > 0)
		return;
	log_handed_out(session);
	sight_closed(
	    session->handout->sight, session->outcome, 0, session->sent);
	close(session->fd);
	release(session->text);
	connections_leave(
	    &session->handout->service->connections, &session->member);
	free(session);
}

static void end(struct session *session, enum sight_outcome outcome)
{
	if (session->closing)
		return;
	session->closing = true;
	session->outcome = outcome;
	uv_close((uv_handle_t *)&session->poll, on_closed);
	uv_close((uv_handle_t *)&session->timer, on_closed);
}

static void abort_session(struct connection *member)
{
	end((struct session *)member, SIGHT_STOPPED);
}

static void on_time(uv_timer_t *timer)
{
	end(timer->data, SIGHT_IDLE);
}

/* ---- ENDING ---- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct session *session = poll->data;
	char ignored[256];
	ssize_t n = recv(session->fd, ignored, sizeof(ignored), MSG_DONTWAIT);

	(void)status; /* an error shows in recv */
	(void)events;
	if (n == 0)
		end(session, SIGHT_COMPLETED);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		end(session, SIGHT_BROKEN);
}

/* ---- SENDING ---- */

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct session *session = poll->data;
	const struct handout_text *text = session->text;
	ssize_t n = send(session->fd, text->bytes + session->sent,
	    text->len - session->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
	int err;

	(void)status; /* an error shows in send */
	(void)events;
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end(session, SIGHT_BROKEN);
		return;
	}
	session->sent += (size_t)n;
	if (session->sent < text->len)
		return;
	shutdown(session->fd, SHUT_WR);
	err = uv_poll_start(poll, UV_READABLE, on_readable);
	assert(err == 0); /* fails on a closing handle only */
	(void)err;
}

static int watch(struct session *session)
{
	const struct service *service = session->handout->service;
	int err = uv_poll_init(service->loop, &session->poll, session->fd);

	if (err != 0)
		return err;
	uv_timer_init(service->loop, &session->timer);
	session->poll.data = session->timer.data = session;
	session->open_handles = 2;
	uv_timer_start(
	    &session->timer, on_time, service->limits.request_timeout_ms, 0);
	return uv_poll_start(&session->poll, UV_WRITABLE, on_writable);
}

/* ---- accepted ---- */

static struct session *new_session(struct handout *handout, int fd)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL)
		return NULL;
	session->handout = handout;
	session->fd = fd;
	session->member.abort = abort_session;
	connections_identify(
	    &handout->service->connections, &session->member, fd);
	peer_describe(fd, session->peer);
	return session;
}

static void refuse(struct session *session, enum sight_reason reason)
{
	struct handout *handout = session->handout;

	service_turn_away(handout->service, "handout", session->peer,
	    &handout->listener, handout->sight, reason, session->fd);
	free(session);
}

static void on_accept(struct listener *listener, int fd)
{
	struct handout *handout = listener->data;
	struct session *session = new_session(handout, fd);
	int err;

	sight_opened(handout->sight);
	if (session == NULL) { /* UNTESTED: no memory */
		sight_refused(handout->sight, SIGHT_NO_MEANS);
		close(fd);
		return;
	}
	if (!connections_enter_served(
		&handout->service->connections, &session->member)) {
		refuse(session, service_full_reason(&session->member));
		return;
	}
	session->text = handout->text;
	session->text->users++;
	err = watch(session);
	assert(err == 0); /* a good socket, ours alone */
	(void)err;
}

/* ---- public ---- */

int handout_start(struct handout *out, struct service *service,
    const struct bridge_configuration *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX];
	int err;

	memset(out, 0, sizeof(*out));
	out->service = service;
	out->rule = rule;
	out->listener.data = out;
	if (read_text(rule->file, &out->text, error) != 0)
		return -1;
	endpoint_format(&rule->listen, listen);
	err = listener_start(&out->listener, service->loop, &rule->listen,
	    rule->inherited, on_accept);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", listen,
		    uv_strerror(err));
		handout_fini(out);
		return -1;
	}
	listener_describe(&out->listener, listen);
	out->sight = sight_add(&service->sight, SIGHT_CONFIGURATION, listen);
	out->listener.pauses = &out->sight->accept_pauses;
	log_info("handout", "listening", LOG_S("listen", listen),
	    LOG_S("file", rule->file),
	    LOG_D("bytes", out->text->len - HEAD_BYTES));
	return 0;
}

bool handout_reload(struct handout *handout)
{
	char error[BRIDGE_CONFIG_ERROR_MAX];
	struct handout_text *fresh;

	if (read_text(handout->rule->file, &fresh, error) != 0) {
		log_error(
		    "handout", "configuration_kept", LOG_S("error", error));
		sight_reloaded(handout->sight, false);
		return false;
	}
	release(handout->text);
	handout->text = fresh;
	sight_reloaded(handout->sight, true);
	log_info("handout", "configuration_reloaded",
	    LOG_S("file", handout->rule->file),
	    LOG_D("bytes", fresh->len - HEAD_BYTES));
	return true;
}

void handout_stop(struct handout *handout, listener_stopped_cb on_stopped)
{
	listener_stop(&handout->listener, on_stopped);
}

void handout_fini(struct handout *handout)
{
	release(handout->text);
	handout->text = NULL;
}
