/*
 * outbound_state: one session, shared by the two files that it is made of:
 * outbound_session.c reads what the client says and decides, outbound_end.c
 * carries it out and cleans up. Nobody else includes this.
 */
#ifndef HALLMARK_BRIDGE_OUTBOUND_STATE_H
#define HALLMARK_BRIDGE_OUTBOUND_STATE_H

#include "vsock-bridge/destination.h"
#include "vsock-bridge/gate.h"
#include "vsock-bridge/outbound.h"
#include "vsock-bridge/peer.h"
#include "vsock-bridge/refusal.h"

enum outbound_state {
	OUTBOUND_HEAD,
	OUTBOUND_CONNECTING,
	OUTBOUND_HELLO,
	OUTBOUND_RELAYING,
	OUTBOUND_REFUSING,
	OUTBOUND_OVER
};

struct outbound_session {
	struct connection member; /* first: recovered by a cast */
	struct outbound *outbound;
	enum outbound_state state;
	char peer[PEER_TEXT_MAX];
	struct authority target;      /* from CONNECTING on; port 0 before */
	struct outbound_setup *setup; /* NULL when its handles are closed */
	struct relay relay;           /* RELAYING */
};

/* For the way to RELAYING, or to the refusal; idle sessions have none. */
struct outbound_setup {
	struct outbound_session *session;
	int client, upstream;  /* -1: not ours, or not any more */
	uv_poll_t poll;        /* of the client: HEAD and HELLO */
	uv_timer_t timer;      /* of HEAD and HELLO */
	unsigned open_handles; /* these, and the refusal; freed at 0 */
	bool polled, any_protocol, aborted;
	struct destination destination; /* CONNECTING */
	struct refusal refusal;         /* REFUSING */
	size_t len;
	uint8_t bytes[GATE_BYTES_MAX]; /* HEAD: the request; then the stream */
};

static inline struct service *outbound_state_service(
    const struct outbound_session *session)
{
	return session->outbound->service;
}

static inline struct sight_rule *outbound_state_sight(
    const struct outbound_session *session)
{
	return session->outbound->sight;
}

/* The ends of HEAD, CONNECTING and HELLO; one of them, once. The session is
 * freed later, from the loop. */

/* With a status and a reason. */
void outbound_end_refused(struct outbound_session *session,
    enum answer_code code, const char *detail);
/* After the 200: with an alert, if the verdict has one. */
void outbound_end_shut(struct outbound_session *session,
    enum sight_reason reason, const struct gate_verdict *verdict);
/* Without a word. */
void outbound_end_silent(
    struct outbound_session *session, enum sight_outcome outcome);
/* By relaying, what setup->bytes holds first. `granted`: the 200, or "" if the
 * client has had it. */
void outbound_end_relayed(
    struct outbound_session *session, const char *granted);

void outbound_end_log_broken(
    const struct outbound_session *session, const char *error);

#endif
