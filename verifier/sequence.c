/* sequence: the order of one feed's items, hm_sequence_next() of hallmark.h.
 *
 * Within a boot the numbers rise by one and each item names the hash of the
 * one before. Another boot starts a chain of its own, at any number that we
 * happen to see first, but never earlier than what we hold: an old boot's
 * items are not news. */
#include "verifier/hallmark.h"

#include "feeds/check.h"

#include <string.h>

static bool same_hash(const uint8_t *a, const uint8_t *b)
{
	return memcmp(a, b, HM_SHA256_LEN) == 0;
}

static void move_on(struct hm_sequence *state, const struct hm_item *item)
{
	state->started = true;
	state->sequence = item->sequence;
	state->published_ms = item->published_ms;
	memcpy(state->boot_id, item->boot_id, sizeof(state->boot_id));
	memcpy(state->content_sha256, item->content_sha256, HM_SHA256_LEN);
}

/* The first item of a boot has no predecessor to name. */
static bool names_none(const struct hm_item *item)
{
	static const uint8_t zero[HM_SHA256_LEN];

	return same_hash(item->previous_sha256, zero);
}

static enum hm_verdict judge_new_boot(
    const struct hm_sequence *state, const struct hm_item *item)
{
	if (REFUSE(boot_first, item->sequence == 0 && !names_none(item)))
		return HM_SEQUENCE_FORK;
	if (REFUSE(boot_earlier,
		state->started && item->published_ms < state->published_ms))
		return HM_TIME_REGRESSION;
	return HM_VALID;
}

static enum hm_verdict judge_same_boot(
    const struct hm_sequence *state, const struct hm_item *item)
{
	bool next = item->sequence - state->sequence == 1;

	if (REFUSE(sequence_back, item->sequence < state->sequence))
		return HM_SEQUENCE_REPLAY;
	if (REFUSE(sequence_other_bytes,
		item->sequence == state->sequence &&
		    !same_hash(item->content_sha256, state->content_sha256)))
		return HM_SEQUENCE_FORK;
	if (REFUSE(sequence_again, item->sequence == state->sequence))
		return HM_SEQUENCE_REPLAY;
	if (REFUSE(sequence_previous, next && !same_hash(item->previous_sha256,
						  state->content_sha256)))
		return HM_SEQUENCE_FORK;
	if (REFUSE(sequence_earlier, item->published_ms < state->published_ms))
		return HM_TIME_REGRESSION;
	return REQUIRE(sequence_gap, next) ? HM_VALID : HM_SEQUENCE_GAP;
}

enum hm_verdict hm_sequence_next(
    struct hm_sequence *state, const struct hm_item *item)
{
	enum hm_verdict verdict;

	if (state->started &&
	    memcmp(state->boot_id, item->boot_id, sizeof(state->boot_id)) == 0)
		verdict = judge_same_boot(state, item);
	else
		verdict = judge_new_boot(state, item);
	if (verdict == HM_VALID || verdict == HM_SEQUENCE_GAP)
		move_on(state, item);
	return verdict;
}
