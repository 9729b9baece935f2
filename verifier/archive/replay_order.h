/*
 * replay_order: the hash chain and the numbers of each feed and boot, whatever
 * the order in which items come.
 *
 * Items of one line (a feed of one boot) that follow each other are a piece:
 * its ends are kept, not what is between. An item extends a piece, or begins
 * one; where two meet they are joined, and the chain is checked across. What is
 * left between pieces at the end is missing.
 *
 * An item that lies inside a piece is there a second time. Whether it is the
 * same is known of the newest 64, of each 1024th and of the ends; of those in
 * between it follows from the chain: if the copies agree at one number, they
 * agree at all before it.
 */
#ifndef HALLMARK_VERIFIER_ARCHIVE_REPLAY_ORDER_H
#define HALLMARK_VERIFIER_ARCHIVE_REPLAY_ORDER_H

#include "feeds/aggregate.h"
#include "verifier/archive/replay.h"

#define REPLAY_ORDER_TOLD_MAX 4 /* of one item */

struct replay_order;

struct replay_seen {      /* a verified item */
	const char *feed; /* shorter than FEED_NAME_MAX */
	const uint8_t *boot_id;
	uint64_t sequence;
	int64_t published_ms;
	const uint8_t *previous_sha256, *content_sha256;
	bool late; /* may come after later ones */
	/* What it alone says of the next one's price (aggregate_remember from
	 * nothing); NULL: unknown. */
	const struct aggregate_past *after;
};

struct replay_told {
	enum replay_kind kind;
	uint64_t sequence; /* of the item that it is about */
	char text[REPLAY_TEXT_MAX];
};

struct replay_step {
	struct replay_told told[REPLAY_ORDER_TOLD_MAX];
	size_t count;
	bool twice; /* it was there before, as far as is known the same */
	/* What the items before it say of its price, if they are there. */
	bool past_known;
	struct aggregate_past past;
};

struct replay_order *replay_order_new(void); /* NULL: no memory */
void replay_order_free(struct replay_order *order);

/* From here on items come from another file. */
void replay_order_next_file(struct replay_order *order);

/* 0, or -1: no memory. */
HM_MUST_CHECK int replay_order_add(struct replay_order *order,
    const struct replay_seen *seen, struct replay_step *step);

/* Somebody knows of this item, the last of its line by then: an archive's own
 * record (content_sha256 set), or a signed count (NULL). Fills `told` and is
 * true if it is not there. To be asked after the items. */
bool replay_order_lacks(const struct replay_order *order, const char *feed,
    const uint8_t boot_id[16], uint64_t sequence, const char *by,
    const uint8_t *content_sha256, struct replay_told *told);

/* Each line, sorted by feed, then first published; and before each, what is
 * missing between its pieces. 0, or -1: no memory. */
HM_MUST_CHECK int replay_order_end(struct replay_order *order,
    void (*told)(const struct replay_told *told, const struct replay_line *line,
	void *data),
    void (*line)(const struct replay_line *line, void *data), void *data);

#endif
