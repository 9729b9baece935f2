/*
 * quote_memo: which quotes a policy has found good lately, and what Intel said
 * of them. Good at one moment is taken for good for QUOTE_MEMO_MS after it, as
 * long as nothing that was used has ended: newer collateral that is worse is
 * noticed that much later. A policy that changes forgets all.
 */
#ifndef HALLMARK_VERIFIER_QUOTE_MEMO_H
#define HALLMARK_VERIFIER_QUOTE_MEMO_H

#include "verifier/hallmark.h"

#include <stdbool.h>

#define QUOTE_MEMO_MS  60000
#define QUOTE_MEMO_MAX 16 /* oracles under one policy */

struct quote_found { /* what a judgement adds to a quote's form */
	size_t root_index;
	int64_t not_before_ms, not_after_ms;
	int64_t collateral_until_ms;
	char tcb_status[40];
	char advisories[HM_TEXT_MAX];
};

struct quote_memo {
	struct quote_memo_entry {
		int64_t from_ms, until_ms;     /* both included; 0, 0: none */
		uint8_t sha256[HM_SHA256_LEN]; /* of the quote */
		bool has_held;
		uint8_t held_sha256[HM_SHA256_LEN];
		struct quote_found found;
	} entries[QUOTE_MEMO_MAX];
	size_t next; /* to be overwritten */
};

/* NULL: not known. Borrowed until the next is kept. held_sha256: NULL if it was
 * not asked for. */
const struct quote_found *quote_memo_find(const struct quote_memo *memo,
    const uint8_t sha256[HM_SHA256_LEN], const uint8_t *held_sha256,
    int64_t at_ms);
void quote_memo_keep(struct quote_memo *memo,
    const uint8_t sha256[HM_SHA256_LEN], const uint8_t *held_sha256,
    int64_t at_ms, const struct quote_found *found);

#endif
