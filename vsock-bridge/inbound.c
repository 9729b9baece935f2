/*
 * inbound: see inbound.h. A session connects, relays, and is freed:
 *
 *   CONNECTING --> RELAYING --> freed
 *       |                         ^
 *       +-- cannot connect -------+
 */
#include "vsock-bridge/inbound.h"

#include "base/log.h"
#include "base/proxy_header.h"
#include "vsock-bridge/peer.h"
#include "vsock-bridge/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
	struct connection member; /* first: recovered by a cast */
	struct inbound *inbound;
	struct session_connect *connect; /* NULL when RELAYING */
	struct relay relay;
	int fd;      /* the client, while CONNECTING */
	char peer[]; /* as text: no longer than it is, for thousands of them */
};

/* Of CONNECTING only; what is open for long does not carry it along. */
struct session_connect {
	struct endpoint_connect op;
	uint64_t began_ms;
	bool aborted; /* was told to end */
};

static void free_session(struct session *session)
{
	connections_leave(
	    &session->inbound->service->connections, &session->member);
	free(session);
}

static void log_failure(const struct session *session, const char *error)
{
	char listen[ENDPOINT_TEXT_MAX], connect[ENDPOINT_TEXT_MAX];

	listener_describe(&session->inbound->listener, listen);
	endpoint_format(&session->inbound->rule->connect, connect);
	log_warn("inbound", "failed", LOG_S("peer", session->peer),
	    LOG_S("listen", listen), LOG_S("connect", connect),
	    LOG_S("error", error));
}

/* So that nobody takes it for an answer. */
static void reset_client(int fd)
{
	peer_reset_on_close(fd);
	close(fd);
}

/* The one place where a client that gets nothing is let go. */
static void refuse(struct session *session, enum sight_reason reason, int err)
{
	if (reason == SIGHT_TOO_MANY || reason == SIGHT_TOO_MANY_OF_PEER)
		service_log_full(session->inbound->service, "inbound",
		    session->peer, &session->inbound->listener, reason);
	else
		log_failure(session, uv_strerror(err));
	sight_refused(session->inbound->sight, reason);
	reset_client(session->fd);
}

static enum sight_reason reason_of(int err)
{
	switch (err) {
	case UV_ETIMEDOUT:
		return SIGHT_NO_TIME;
	case UV_EMFILE:
	case UV_ENFILE:
	case UV_ENOMEM:
	case UV_ENOBUFS:
		return SIGHT_NO_MEANS;
	default:
		return SIGHT_NO_CONNECTION;
	}
}

/* ---- RELAYING ---- */

static void on_relayed(struct relay *relay, int result)
{
	struct session *session = relay->data;

	if (result != 0)
		log_info("inbound", "broken", LOG_S("peer", session->peer),
		    LOG_S("error", relay_strerror(result)),
		    LOG_D("bytes_in", relay->to_b.bytes),
		    LOG_D("bytes_out", relay->to_a.bytes));
	sight_closed(session->inbound->sight, sight_outcome_of(result),
	    relay->to_b.bytes, relay->to_a.bytes);
	free_session(session);
}

static void start_relay(struct session *session, int upstream)
{
	const struct bridge_limits *limits = &session->inbound->service->limits;
	uint8_t first[PROXY_HEADER_ENCODED_MAX];
	struct proxy_header header;
	size_t len = 0;

	if (session->inbound->rule->proxy_protocol) {
		proxy_header_of(&header, session->fd);
		len = proxy_header_encode(first, &header);
	}
	session->relay.data = session;
	relay_start(
	    &session->relay, &(struct relay_options){
				 .hub = &session->inbound->service->relays,
				 .a = session->fd,
				 .b = upstream,
				 .first_to_b = first,
				 .first_to_b_len = len,
				 .idle_timeout_ms = limits->idle_timeout_ms,
				 .total_timeout_ms = limits->total_timeout_ms,
				 .on_done = on_relayed,
			     });
}

/* ---- CONNECTING ---- */

static void on_connected(struct endpoint_connect *op, int fd)
{
	struct session *session = op->data;
	struct sight_rule *sight = session->inbound->sight;
	bool aborted = session->connect->aborted;

	sight_connect_ms(sight, uv_now(op->loop) - session->connect->began_ms);
	free(session->connect);
	session->connect = NULL;
	if (fd >= 0 && !aborted) {
		start_relay(session, fd);
		return;
	}
	if (!aborted) {
		refuse(session, reason_of(fd), fd);
	} else {
		sight_closed(sight, SIGHT_STOPPED, 0, 0);
		reset_client(session->fd);
	}
	/* It may have been connected already when it was canceled. */
	if (fd >= 0)
		close(fd);
	free_session(session);
}

static void abort_session(struct connection *member)
{
	struct session *session = (struct session *)member;

	if (session->connect == NULL) {
		relay_stop(&session->relay);
		return;
	}
	session->connect->aborted = true;
	endpoint_connect_cancel(&session->connect->op);
}

static int connect_session(struct session *session)
{
	const struct inbound *inbound = session->inbound;
	const struct service *service = inbound->service;
	struct session_connect *connect = calloc(1, sizeof(*connect));
	int err;

	if (connect == NULL)
		return UV_ENOMEM;
	connect->op.data = session;
	connect->began_ms = uv_now(service->loop);
	session->connect = connect;
	err = endpoint_connect_start(&connect->op, service->loop,
	    &inbound->rule->connect, service->limits.connect_timeout_ms,
	    on_connected);
	if (err != 0) {
		free(connect);
		session->connect = NULL;
	}
	return err;
}

/* ---- accepted ---- */

static void begin(struct session *session)
{
	struct connections *all = &session->inbound->service->connections;
	int err;

	if (!connections_enter_served(all, &session->member)) {
		refuse(session, service_full_reason(&session->member), 0);
		free(session);
		return;
	}
	err = connect_session(session);
	if (err != 0) {
		refuse(session, reason_of(err), err);
		free_session(session);
	}
}

static struct session *new_session(struct inbound *inbound, int fd)
{
	char peer[PEER_TEXT_MAX];
	struct session *session;
	size_t size;

	peer_describe(fd, peer);
	size = strlen(peer) + 1;
	session = calloc(1, sizeof(*session) + size);
	if (session == NULL)
		return NULL;
	memcpy(session->peer, peer, size);
	session->inbound = inbound;
	session->fd = fd;
	session->member.abort = abort_session;
	connections_identify(
	    &inbound->service->connections, &session->member, fd);
	return session;
}

static void on_accept(struct listener *listener, int fd)
{
	struct inbound *inbound = listener->data;
	struct session *session = new_session(inbound, fd);

	sight_opened(inbound->sight);
	if (session != NULL) {
		begin(session);
		return;
	}
	sight_refused(inbound->sight, SIGHT_NO_MEANS);
	reset_client(fd);
}

int inbound_start(struct inbound *in, struct service *service,
    const struct bridge_inbound *rule,
    char error[static BRIDGE_CONFIG_ERROR_MAX])
{
	char listen[ENDPOINT_TEXT_MAX], connect[ENDPOINT_TEXT_MAX];
	int err;

	memset(in, 0, sizeof(*in));
	in->service = service;
	in->rule = rule;
	in->listener.data = in;
	endpoint_format(&rule->listen, listen);
	endpoint_format(&rule->connect, connect);
	err = listener_start(&in->listener, service->loop, &rule->listen,
	    rule->inherited, on_accept);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", listen,
		    uv_strerror(err));
		return -1;
	}
	listener_describe(&in->listener, listen);
	in->sight = sight_add(&service->sight, SIGHT_INBOUND, listen);
	in->listener.pauses = &in->sight->accept_pauses;
	log_info("inbound", "listening", LOG_S("listen", listen),
	    LOG_S("connect", connect));
	return 0;
}

void inbound_stop(struct inbound *inbound, listener_stopped_cb on_stopped)
{
	listener_stop(&inbound->listener, on_stopped);
}
