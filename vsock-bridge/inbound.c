/*
 * inbound: see inbound.h. A session connects, relays, and is freed:
 *
 *   CONNECTING --> RELAYING --> freed
 *       |                         ^
 *       +-- cannot connect -------+
 */
#include "vsock-bridge/inbound.h"

#include "base/log.h"
#include "vsock-bridge/peer.h"
#include "vsock-bridge/relay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct session {
	struct connection member; /* first: recovered by a cast */
	struct inbound *inbound;
	char peer[PEER_TEXT_MAX];
	int fd;                           /* the client, while CONNECTING */
	struct endpoint_connect *connect; /* NULL when RELAYING */
	struct relay relay;
	bool aborted; /* CONNECTING was told to end */
};

static void free_session(struct session *session)
{
	connections_leave(
	    &session->inbound->service->connections, &session->member);
	free(session);
}

static void log_failure(
    const struct session *session, const char *event, const char *error)
{
	char listen[ENDPOINT_TEXT_MAX], connect[ENDPOINT_TEXT_MAX];

	listener_describe(&session->inbound->listener, listen);
	endpoint_format(&session->inbound->rule->connect, connect);
	log_warn("inbound", event, LOG_S("peer", session->peer),
	    LOG_S("listen", listen), LOG_S("connect", connect),
	    LOG_S("error", error));
}

static void on_relayed(struct relay *relay, int result)
{
	struct session *session = relay->data;

	if (result != 0)
		log_info("inbound", "broken", LOG_S("peer", session->peer),
		    LOG_S("error", relay_strerror(result)),
		    LOG_D("bytes_in", relay->to_b.bytes),
		    LOG_D("bytes_out", relay->to_a.bytes));
	free_session(session);
}

static void on_connected(struct endpoint_connect *connect, int fd)
{
	struct session *session = connect->data;
	const struct service *service = session->inbound->service;

	free(connect);
	session->connect = NULL;
	if (fd < 0 && !session->aborted)
		log_failure(session, "failed", uv_strerror(fd));
	if (fd < 0 || session->aborted) {
		/* It may have been connected already when it was canceled. */
		if (fd >= 0)
			close(fd);
		close(session->fd);
		free_session(session);
		return;
	}
	session->relay.data = session;
	relay_start(&session->relay,
	    &(struct relay_options){
		.hub = &session->inbound->service->relays,
		.a = session->fd,
		.b = fd,
		.idle_timeout_ms = service->limits.idle_timeout_ms,
		.total_timeout_ms = service->limits.total_timeout_ms,
		.on_done = on_relayed,
	    });
}

static void abort_session(struct connection *member)
{
	struct session *session = (struct session *)member;

	if (session->connect == NULL) {
		relay_stop(&session->relay);
		return;
	}
	session->aborted = true;
	endpoint_connect_cancel(session->connect);
}

static int connect_session(struct session *session)
{
	const struct service *service = session->inbound->service;

	session->connect = calloc(1, sizeof(*session->connect));
	if (session->connect == NULL)
		return UV_ENOMEM;
	session->connect->data = session;
	return endpoint_connect_start(session->connect, service->loop,
	    &session->inbound->rule->connect,
	    service->limits.connect_timeout_ms, on_connected);
}

/* For a session that has not entered, or leaves before it has begun. */
static void discard(struct session *session, const char *event, const char *why)
{
	log_failure(session, event, why);
	close(session->fd);
	free(session->connect);
	free(session);
}

static void on_accept(struct listener *listener, int fd)
{
	struct inbound *inbound = listener->data;
	struct connections *all = &inbound->service->connections;
	struct session *session = calloc(1, sizeof(*session));
	int err;

	if (session == NULL) {
		close(fd);
		return;
	}
	session->inbound = inbound;
	session->fd = fd;
	session->member.abort = abort_session;
	peer_describe(fd, session->peer);
	if (!connections_enter_served(all, &session->member)) {
		discard(session, "refused", "too many connections");
		return;
	}
	err = connect_session(session);
	if (err != 0) {
		connections_leave(all, &session->member);
		discard(session, "failed", uv_strerror(err));
	}
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
	err = listener_start(
	    &in->listener, service->loop, &rule->listen, on_accept);
	if (err != 0) {
		snprintf(error, BRIDGE_CONFIG_ERROR_MAX, "%s: %s", listen,
		    uv_strerror(err));
		return -1;
	}
	listener_describe(&in->listener, listen);
	in->sight = sight_add(&service->sight, SIGHT_INBOUND, listen);
	log_info("inbound", "listening", LOG_S("listen", listen),
	    LOG_S("connect", connect));
	return 0;
}

void inbound_stop(struct inbound *inbound, listener_stopped_cb on_stopped)
{
	listener_stop(&inbound->listener, on_stopped);
}
