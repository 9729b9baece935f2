/*
 * peer_link: one connection between two enclaves, from a connected descriptor
 * to frames both ways:
 *
 *   TLS 1.3 -> our hello out, theirs in (peer_hello.h) -> open: frames
 *
 *      handshake ---> attesting ---> open
 *          |              |            |
 *          +--------------+------------+--> closed
 *
 * It waits for the peer in `handshake`, for our attester and the peer's hello
 * in `attesting`, both under one deadline of PEER_LINK_OPEN_MS. No frame but
 * the hello is taken before the link is open, and none is sent. A peer that
 * does not read is cut off at PEER_LINK_OUT_MAX, or when nothing went out for
 * PEER_LINK_STALL_MS.
 */
#ifndef HALLMARK_ORACLE_PEER_LINK_H
#define HALLMARK_ORACLE_PEER_LINK_H

#include "oracle/peer_frame.h"
#include "oracle/peer_tls.h"

#define PEER_LINK_OPEN_MS  10000
#define PEER_LINK_STALL_MS 10000
#define PEER_LINK_OUT_MAX  (8u * PEER_FRAME_MAX)
#define PEER_LINK_WHY_MAX  160

struct peer_link;

/* None fires before peer_link_start() has returned, none after
 * peer_link_close() or `closed`. Either frame or opened may call that. */
struct peer_link_events {
	/* Attested on both sides: frames may be sent. Once. */
	void (*opened)(struct peer_link *link, void *data);
	/* One frame; text (with a NUL behind it) is borrowed for the call. */
	void (*frame)(
	    struct peer_link *link, const char *text, size_t len, void *data);
	/* It is over; the link frees itself. self: it is our own other end. */
	void (*closed)(
	    struct peer_link *link, const char *why, bool self, void *data);
};

struct peer_link_options { /* all borrowed until closed */
	uv_loop_t *loop;
	SSL_CTX *tls;
	struct attestation *attestation;
	const struct hm_policy *policy;
	struct hm_cache *cache;
	const uint8_t *boot_id; /* our own, 16 bytes */
	const struct peer_link_events *events;
	void *data;
	uint64_t open_ms, stall_ms; /* for tests; 0: the constants above */
};

/* Takes the descriptor (connected, non-blocking), also on failure. host: the
 * name that was dialed, for those on the way who go by it (SNI), or NULL.
 * NULL: the loop has no room for it. */
struct peer_link *peer_link_start(const struct peer_link_options *options,
    int fd, enum peer_role own_role, const char *host);

/* Ends it without an event. */
void peer_link_close(struct peer_link *link);

/* While open. The text is copied. A peer that does not read is cut off: then
 * `closed` comes, later. */
void peer_link_send(struct peer_link *link, const char *text, size_t len);

/* 16 bytes; zeros before the link is open. */
const uint8_t *peer_link_boot_id(const struct peer_link *link);
bool peer_link_is_open(const struct peer_link *link);

#endif
