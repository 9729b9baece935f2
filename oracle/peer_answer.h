/*
 * peer_answer: what an enclave says to another's item: its co-signature, which
 * is an envelope in the full form, or
 *
 *   {"disagrees":{"feed":"BTC-USD","sequence":N,"why":"price","price":"1.00"}}
 *
 * (price: null where it has none). Encoder and decoder; and how far two prices
 * are from each other. Pure.
 */
#ifndef HALLMARK_ORACLE_PEER_ANSWER_H
#define HALLMARK_ORACLE_PEER_ANSWER_H

#include "feeds/decimal.h"
#include "verifier/hallmark.h"

#define PEER_ANSWER_WHY_MAX 24
#define PEER_GAP_MAX        1000000 /* bps; more is said to be that */

/* Why not; "price" alone is a disagreement about the price. */
#define PEER_WHY_PRICE    "price"    /* beyond the bound */
#define PEER_WHY_NO_PRICE "no_price" /* it has none itself */
#define PEER_WHY_NO_ITEM  "no_item"  /* nor any item, or no such feed */
#define PEER_WHY_STALE    "stale"    /* its own is too old */
#define PEER_WHY_BUSY     "busy"
#define PEER_WHY_LATE     "late" /* the item came after its time */

struct peer_answer {
	bool cosigned;
	struct hm_envelope envelope; /* if cosigned; owned */
	char feed[32];               /* else this and the rest */
	uint64_t sequence;
	char why[PEER_ANSWER_WHY_MAX];
	char price[DECIMAL_STRMAX]; /* "": none */
};

/* 0, or -1 and *out zeroed. Any bytes are safe. */
__attribute__((warn_unused_result)) int peer_answer_parse(
    struct peer_answer *out, const char *text, size_t len);
void peer_answer_fini(struct peer_answer *answer);

/* One line, the caller's to free; NULL: no memory. price: "" for none. */
char *peer_answer_disagrees(
    const char *feed, uint64_t sequence, const char *why, const char *price);

/* |a - b| in bps of a, rounded up; both positive, with the same exponent. */
unsigned peer_price_gap(struct decimal a, struct decimal b);

#endif
