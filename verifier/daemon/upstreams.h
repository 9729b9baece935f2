/*
 * upstreams: who brings what. One entry for each oracle, mirror (another
 * verifier daemon) or NATS stream that this daemon listens to: how much it
 * brought first, how much others had brought already, how far it is behind,
 * and whether it contradicted what was archived. Nothing here decides what is
 * served: the freshest valid item is, whoever brought it.
 *
 * An upstream lags if its newest item of a feed has expired while another's
 * newer one is there. It disagrees if it brought, validly signed, another
 * content for a number of a boot that the archive has: one of the two was
 * forged with the enclave's own key, or the enclave broke its promise. Who came
 * second is named; the archive keeps both (items, and refused as
 * sequence_fork).
 */
#ifndef HALLMARK_VERIFIER_DAEMON_UPSTREAMS_H
#define HALLMARK_VERIFIER_DAEMON_UPSTREAMS_H

#include "verifier/daemon/record.h"

#include <jansson.h>

#define UPSTREAMS_MAX               20  /* the oracles, NATS, and the archive */
#define UPSTREAMS_FEEDS_MAX         256 /* of one upstream; more: not judged */
#define UPSTREAMS_DISAGREEMENTS_MAX 16  /* the newest are told */

struct upstreams;

struct upstreams *upstreams_new(void);
void upstreams_free(struct upstreams *upstreams); /* NULL is fine */

/* name outlives it: records are known by this very pointer. kind: "oracle"
 * (or another that serves the same stream) or "nats". */
void upstreams_add(
    struct upstreams *upstreams, const char *name, const char *kind);

/* A record whose batch is durable, its outcome set. Borrowed. */
void upstreams_note(struct upstreams *upstreams, const struct record *record);

struct upstream_view { /* borrowed for the call */
	const char *name, *kind;
	uint64_t items;      /* valid ones, first or not */
	uint64_t first;      /* of these, nobody had brought before */
	uint64_t duplicates; /* of these, the archive had */
	uint64_t refused, disagreements;
	int64_t newest_ms;   /* published_ms of its newest; 0: none yet */
	int64_t delay_ms;    /* from published to received, of its last item */
	int64_t lag_ms;      /* the most that it is behind in a feed */
	size_t feeds;        /* that it has brought */
	size_t behind_feeds; /* in so many it lags */
};
void upstreams_visit(const struct upstreams *upstreams, int64_t now_ms,
    void (*cb)(const struct upstream_view *view, void *data), void *data);

/* The newest disagreements, oldest first: [{"upstream","feed","boot_id",
 * "sequence","content_sha256","received_ms"}]. Owned by the caller. */
json_t *upstreams_disagreements(const struct upstreams *upstreams);

#endif
