/*
 * announce: what happens with a record once it is durable, and never before:
 * the board, the log, the counters. A feed that several oracles serve shows
 * the newest good price of any of them.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_ANNOUNCE_H
#define HALLMARK_VERIFIER_DAEMON_ANNOUNCE_H

#include "base/board.h"
#include "verifier/daemon/record.h"

struct announcer;

/* The board is borrowed until free. */
struct announcer *announcer_new(struct board *board);
void announcer_free(struct announcer *announcer);

/* A feed to serve: unknown names are 404. Does nothing if it is there; false
 * if there is no room. */
bool announcer_add_feed(struct announcer *announcer, const char *feed);
bool announcer_has_feed(const struct announcer *announcer, const char *feed);

/* A committed record: its outcome is set. Borrowed. Each item that was not in
 * the archive before is streamed once: as price or status if it is shown now,
 * else as late. */
void announce_committed(struct announcer *announcer, const struct record *r);

/* An item of the archive that was verified again at start: served, neither
 * counted nor logged as new. r->document is there. */
void announce_again(struct announcer *announcer, const struct record *r);

struct announce_stats {
	uint64_t accepted, late, duplicates, refused;
};
void announce_stats(
    const struct announcer *announcer, struct announce_stats *out);

struct announce_feed { /* borrowed for the call */
	const char *feed;
	bool ok;                          /* the item has a price */
	int64_t published_ms, expires_ms; /* 0: there was no item yet */
};
/* What is served of each feed. */
void announce_visit_feeds(const struct announcer *announcer,
    void (*cb)(const struct announce_feed *feed, void *data), void *data);
/* When the chain of this oracle's newest attestation ends, in Unix ms; 0 if
 * nothing of this oracle has been served. */
int64_t announce_not_after(
    const struct announcer *announcer, const char *origin);

/* {"feeds":[{"feed","status","sequence","boot_id","published_ms",
 * "expires_ms"}]} of what is served, null for a feed without an item yet; the
 * caller frees it. */
char *announce_feeds_json(const struct announcer *announcer);

#endif
