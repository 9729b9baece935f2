/*
 * replay: an archive judged as a whole, years later, trusting nobody who kept
 * it. Of each item: signature, attestation and policy at its own time (or,
 * live, now), its co-signatures, what its row says of it, and its price,
 * recomputed from its own sources by feeds/aggregate and compared byte for
 * byte. Of all of them: the hash chain and the numbers of each feed and boot.
 *
 *   replay_new -> replay_read for each file -> replay_end -> replay_free
 *
 * With more than one job that many threads judge batches of items while the
 * caller's reads on; findings and progress are told from the caller's thread,
 * in the order of the archive. Memory does not grow with the items: what is
 * kept is one record for each feed and boot, and one for each 1024 items.
 *
 * What stands unsigned beside the items (when they were received, who was
 * refused) is nobody's word and not judged.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_H

#include "feeds/feed_config.h"
#include "verifier/archive/archive_source.h"

#define REPLAY_JOBS_MAX 64
#define REPLAY_TEXT_MAX 400
#define REPLAY_HEX_MAX  33 /* a boot_id's digits and a NUL */

/* name, what it counts as (verdict.class is the exit code) */
#define REPLAY_KINDS(X)                                                     \
	/* verifies as no item or head; counts as its own verdict */        \
	X(REFUSED, "refused", HM_VALID)                                     \
	/* cannot be read */                                                \
	X(DAMAGED, "damaged", HM_ENVELOPE_MALFORMED)                        \
	/* the row says something else than the item in it */               \
	X(ROW_MISMATCH, "row_mismatch", HM_CONTENT_MALFORMED)               \
	/* another enclave's signature beside it does not hold */           \
	X(COSIGNATURE, "cosignature", HM_QUORUM_MISSING)                    \
	/* its sources do not give its price */                             \
	X(PRICE_MISMATCH, "price_mismatch", HM_CONTENT_MALFORMED)           \
	/* the exchange's answer is not what the item says it was */        \
	X(RAW_MISMATCH, "raw_mismatch", HM_CONTENT_MALFORMED)               \
	/* numbers between two items that are not there */                  \
	X(GAP, "sequence_gap", HM_SEQUENCE_GAP)                             \
	/* it is known that more items were signed */                       \
	X(END_MISSING, "end_missing", HM_SEQUENCE_GAP)                      \
	/* two items under one number, or one that names another before it  \
	 */                                                                 \
	X(FORK, "sequence_fork", HM_SEQUENCE_FORK)                          \
	/* there twice, too far apart to say whether it is the same */      \
	X(TWICE, "twice", HM_SEQUENCE_REPLAY)                               \
	/* its row was written after a later item's, and does not say late; \
	 * of a text, whose lines may have any order: counts as nothing */  \
	X(OUT_OF_ORDER, "out_of_order", HM_SEQUENCE_REPLAY)                 \
	X(TIME_REGRESSION, "time_regression", HM_TIME_REGRESSION)           \
	/* two signed tree heads that contradict each other */              \
	X(LOG_MISMATCH, "log_mismatch", HM_LOG_FORK)

enum replay_kind {
#define REPLAY_KIND_ENUM(c, name, verdict) REPLAY_##c,
	REPLAY_KINDS(REPLAY_KIND_ENUM)
#undef REPLAY_KIND_ENUM
	REPLAY_KIND_COUNT
};

/* "row_mismatch"; never NULL. */
const char *replay_kind_name(enum replay_kind kind);

/* Borrowed for the call. */
struct replay_finding {
	enum replay_kind kind;
	enum hm_verdict verdict;              /* what it counts as */
	char where[ARCHIVE_SOURCE_WHERE_MAX]; /* "" if it is nowhere */
	/* The item, as its signature says, or else its row; "" if nobody. */
	char feed[64];
	char boot_id[REPLAY_HEX_MAX];
	bool has_sequence;
	uint64_t sequence;
	int64_t published_ms;
	char text[REPLAY_TEXT_MAX]; /* for people */
};

/* One feed of one boot, told by replay_end(); borrowed for the call. */
struct replay_line {
	const char *feed;
	char boot_id[REPLAY_HEX_MAX];
	uint64_t first, last; /* sequence */
	uint64_t items, missing, pieces;
	int64_t first_ms, last_ms;
};

struct replay_progress {
	uint64_t items;
	uint64_t position, total; /* of the file that is being read */
};

struct replay_report {
	uint64_t items, valid, documents, heads, heads_valid, raw;
	uint64_t late, twice;      /* twice: and the same bytes */
	int64_t first_ms, last_ms; /* published; 0: no item */

	/* Prices. whole: all rules, with the configuration. jump_open: of
	 * those, where the price before is not known. part: without the
	 * configuration, see REPLAY_NOT_RECOMPUTED. */
	uint64_t whole, jump_open, part;
	uint64_t answers; /* of exchanges, parsed again, the same */

	uint64_t findings[REPLAY_KIND_COUNT];
	uint64_t verdicts[HM_VERDICT_COUNT]; /* of items */
	enum hm_verdict worst; /* of all findings, see replay_worse() */
};

/* What no item says and its configuration does. */
#define REPLAY_NOT_RECOMPUTED                                              \
	"which sources are stale, outliers or checks; min_share_percent; " \
	"the jump guard"

struct replay_options {
	/* One for each job: a policy serves one thread. Borrowed. */
	const struct hm_policy *const *policies;
	unsigned jobs; /* 1..REPLAY_JOBS_MAX; 1: no threads */
	bool live;     /* judge at now_ms instead of at the item's time */
	int64_t now_ms;
	/* The oracle's configuration, or NULL; for items that name it. */
	const struct feed_set *feeds;
	uint8_t config_sha256[HM_SHA256_LEN];
	bool no_prices; /* do not recompute */

	/* Each may be NULL. */
	void (*finding)(const struct replay_finding *finding, void *data);
	void (*progress)(const struct replay_progress *progress, void *data);
	void (*line)(const struct replay_line *line, void *data);
	void *data;
};

struct replay;

/* NULL: no memory, or no threads. */
struct replay *replay_new(const struct replay_options *options);
/* All that is in it. An item that another file had too is compared with it. */
void replay_read(struct replay *replay, struct archive_source *source);
/* Tells the gaps, the ends and the lines, and sums up. Once. */
void replay_end(struct replay *replay, struct replay_report *out);
void replay_free(struct replay *replay); /* NULL is fine */

/* The graver of the two: a signature before a chain, form, debug, policy, time,
 * order, and that before none. */
enum hm_verdict replay_worse(enum hm_verdict a, enum hm_verdict b);

#endif
