/* quote_memo: see quote_memo.h. */
#include "verifier/quote_memo.h"

#include "feeds/check.h"

#include <string.h>

static bool same_held(
    const struct quote_memo_entry *entry, const uint8_t *held_sha256)
{
	if (held_sha256 == NULL || !entry->has_held)
		return held_sha256 == NULL && !entry->has_held;
	/* unnamed: an entry of other data is another entry */
	return memcmp(entry->held_sha256, held_sha256, HM_SHA256_LEN) == 0;
}

const struct quote_found *quote_memo_find(const struct quote_memo *memo,
    const uint8_t sha256[HM_SHA256_LEN], const uint8_t *held_sha256,
    int64_t at_ms)
{
	for (size_t i = 0; i < QUOTE_MEMO_MAX; i++) {
		const struct quote_memo_entry *e = &memo->entries[i];

		if (memcmp(e->sha256, sha256, HM_SHA256_LEN) != 0 ||
		    REFUSE(memo_held, !same_held(e, held_sha256)) ||
		    REFUSE(memo_early, at_ms < e->from_ms) ||
		    REFUSE(memo_late, at_ms > e->until_ms))
			continue;
		return &e->found;
	}
	return NULL;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void quote_memo_keep(struct quote_memo *memo,
    const uint8_t sha256[HM_SHA256_LEN], const uint8_t *held_sha256,
    int64_t at_ms, const struct quote_found *found)
{
	struct quote_memo_entry *e = &memo->entries[memo->next];

	memset(e, 0, sizeof(*e));
	memcpy(e->sha256, sha256, HM_SHA256_LEN);
	e->has_held = held_sha256 != NULL;
	if (e->has_held)
		memcpy(e->held_sha256, held_sha256, HM_SHA256_LEN);
	e->from_ms = at_ms;
	e->until_ms = least(at_ms + QUOTE_MEMO_MS,
	    least(found->not_after_ms, found->collateral_until_ms));
	e->found = *found;
	memo->next = (memo->next + 1) % QUOTE_MEMO_MAX;
}
