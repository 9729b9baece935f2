/*
 * validate: the verdict on each item of a stream.
 *
 * An item that is good now takes its place in the order of its feed and boot.
 * One that comes after its time (a connection was away and the oracle's ring
 * had kept it) is judged at its own time instead: it closes a gap in the
 * archive, but is not served as a price.
 *
 * Of the co-signatures of what is accepted those go on that hold, whether the
 * policy has a quorum or not: who reads the archive later may have one.
 */
#include "verifier/daemon/validate.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct place { /* one feed of one boot */
	char feed[32];
	struct hm_sequence state;
	uint64_t used; /* when, in judgements */
};

struct validator {
	const struct hm_policy *policy;
	struct hm_cache *cache;
	int64_t late_ms;
	struct place *places;
	size_t count, capacity;
	uint64_t judged;
	uint64_t counts[HM_VERDICT_COUNT], head_counts[HM_VERDICT_COUNT];
};

struct validator *validator_new(const struct hm_policy *policy)
{
	struct validator *v = calloc(1, sizeof(*v));

	if (!v || !(v->cache = hm_cache_new(VALIDATOR_DOCUMENTS)))
		log_die("validate", "out of memory");
	v->policy = policy;
	v->late_ms = VALIDATOR_LATE_MS;
	return v;
}

void validator_set_late_ms(struct validator *validator, int64_t late_ms)
{
	validator->late_ms = late_ms;
}

void validator_free(struct validator *validator)
{
	if (!validator)
		return;
	hm_cache_free(validator->cache);
	free(validator->places);
	free(validator);
}

/* ---- the order of each feed and boot ---- */

static void grow(struct validator *v)
{
	size_t capacity = v->capacity ? 2 * v->capacity : 64;
	struct place *places = realloc(v->places, capacity * sizeof(*places));

	if (!places)
		log_die("validate", "out of memory");
	v->places = places;
	v->capacity = capacity;
}

static struct place *new_place(struct validator *v, const char *feed)
{
	struct place *place = v->places;

	if (v->count < VALIDATOR_STATES_MAX) {
		if (v->count == v->capacity)
			grow(v);
		place = &v->places[v->count++];
	} else {
		for (size_t i = 1; i < v->count; i++)
			if (v->places[i].used < place->used)
				place = &v->places[i];
	}
	memset(place, 0, sizeof(*place));
	snprintf(place->feed, sizeof(place->feed), "%s", feed);
	return place;
}

static struct place *find_place(
    struct validator *v, const char *feed, const uint8_t boot_id[16])
{
	struct place *place = NULL;

	for (size_t i = 0; i < v->count && !place; i++) {
		struct place *p = &v->places[i];

		if (memcmp(p->state.boot_id, boot_id, 16) == 0 &&
		    strcmp(p->feed, feed) == 0)
			place = p;
	}
	if (!place) {
		place = new_place(v, feed);
		memcpy(place->state.boot_id, boot_id, 16);
	}
	place->used = ++v->judged;
	return place;
}

void validator_seed(struct validator *validator, const char *feed,
    const struct hm_sequence *state)
{
	find_place(validator, feed, state->boot_id)->state = *state;
}

static void log_gap(const struct record *r, uint64_t expected)
{
	log_warn("validate", "sequence_gap", LOG_S("oracle", r->origin),
	    LOG_S("feed", r->feed), LOG_D("expected", expected),
	    LOG_D("found", r->sequence));
}

/* This boot published before we listened: nothing that we had is missing. */
static void log_joined(const struct record *r)
{
	log_info("validate", "joined_boot", LOG_S("oracle", r->origin),
	    LOG_S("feed", r->feed), LOG_D("sequence", r->sequence));
}

static void judge_order(
    struct validator *v, struct record *r, const struct hm_item *item)
{
	struct place *place = find_place(v, item->feed, item->boot_id);
	bool first = !place->state.started;
	uint64_t expected = place->state.sequence + 1;
	enum hm_verdict order = hm_sequence_next(&place->state, item);

	if (first && item->sequence > 0)
		log_joined(r);
	if (order == HM_VALID)
		return;
	if (order == HM_SEQUENCE_GAP) {
		r->missing = item->sequence - expected;
		log_gap(r, expected);
	} else if (order == HM_SEQUENCE_REPLAY) {
		r->late = true;
	} else {
		r->refused = true;
	}
	r->verdict = order;
}

/* ---- one item ---- */

static bool only_too_late(enum hm_verdict verdict)
{
	return verdict == HM_ITEM_EXPIRED || verdict == HM_ITEM_TOO_OLD ||
	       verdict == HM_DOCUMENT_TOO_OLD || verdict == HM_CHAIN_EXPIRED;
}

/* Of what was good when it was published, and is no longer. */
static bool is_late(
    const struct validator *v, int64_t published_ms, int64_t now_ms)
{
	return published_ms > now_ms - v->late_ms && published_ms <= now_ms;
}

static enum hm_verdict verify(
    struct validator *v, struct record *r, int64_t now_ms, struct hm_item *item)
{
	const uint8_t *bytes = r->document ? r->document->bytes : NULL;
	size_t len = r->document ? r->document->len : 0;
	const struct hm_report quiet = {0};
	enum hm_verdict live, then;

	live = hm_item_verify_live(v->policy, v->cache, &r->envelope, bytes,
	    len, now_ms, item, &quiet);
	if (!only_too_late(live))
		return live;
	then = hm_item_verify_replay(
	    v->policy, v->cache, &r->envelope, bytes, len, item, &quiet);
	r->late = then == HM_VALID && is_late(v, item->published_ms, now_ms);
	return live;
}

static void copy_facts(struct record *r, const struct hm_item *item)
{
	memcpy(r->feed, item->feed, sizeof(r->feed));
	memcpy(r->boot_id, item->boot_id, sizeof(r->boot_id));
	memcpy(r->price, item->price, sizeof(r->price));
	memcpy(r->confidence, item->confidence, sizeof(r->confidence));
	memcpy(r->reason, item->reason, sizeof(r->reason));
	memcpy(
	    r->content_sha256, item->content_sha256, sizeof(r->content_sha256));
	r->sequence = item->sequence;
	r->ok = item->ok;
	r->published_ms = item->published_ms;
	r->expires_ms = item->expires_ms;
}

void validator_judge_item(struct validator *validator, struct record *record,
    int64_t now_ms, struct hm_item *item)
{
	memset(item, 0, sizeof(*item));
	record->late = record->refused = false;
	record->verdict = record->parsed;
	if (record->verdict == HM_VALID)
		record->verdict = verify(validator, record, now_ms, item);
	record->refused = record->verdict != HM_VALID && !record->late;
	if (!record->refused) {
		copy_facts(record, item);
		record_keep_cosigned(record, item->cosigned);
		judge_order(validator, record, item);
	}
	if (record->refused)
		memset(item, 0, sizeof(*item));
	validator->counts[record->verdict]++;
}

/* ---- one head ---- */

static enum hm_verdict verify_head(
    struct validator *v, struct record *r, int64_t now_ms)
{
	const uint8_t *bytes = r->document ? r->document->bytes : NULL;
	size_t len = r->document ? r->document->len : 0;
	const struct hm_report quiet = {0};
	enum hm_verdict live, then;

	live = hm_head_verify_live(v->policy, v->cache, &r->envelope, bytes,
	    len, now_ms, r->head, &quiet);
	if (!only_too_late(live))
		return live;
	then = hm_head_verify_replay(
	    v->policy, v->cache, &r->envelope, bytes, len, r->head, &quiet);
	r->late = then == HM_VALID && is_late(v, r->head->published_ms, now_ms);
	return live;
}

static void judge_head(struct validator *v, struct record *r, int64_t now_ms)
{
	static const bool
	    none[HM_COSIGNATURES_MAX]; /* nobody co-signs a head */

	r->head = calloc(1, sizeof(*r->head));
	if (!r->head)
		log_die("validate", "out of memory");
	r->late = false;
	r->verdict = r->parsed;
	if (r->verdict == HM_VALID)
		r->verdict = verify_head(v, r, now_ms);
	r->refused = r->verdict != HM_VALID && !r->late;
	v->head_counts[r->verdict]++;
	if (r->refused) {
		free(r->head);
		r->head = NULL;
		return;
	}
	memcpy(r->boot_id, r->head->boot_id, sizeof(r->boot_id));
	memcpy(r->content_sha256, r->head->content_sha256,
	    sizeof(r->content_sha256));
	r->published_ms = r->head->published_ms;
	record_keep_cosigned(r, none);
}

void validator_judge(
    struct validator *validator, struct record *record, int64_t now_ms)
{
	struct hm_item item;

	if (record->is_head)
		judge_head(validator, record, now_ms);
	else
		validator_judge_item(validator, record, now_ms, &item);
}

enum hm_verdict validator_fill_live(
    struct validator *validator, struct record *record, int64_t now_ms)
{
	struct hm_item item = {0};

	record->verdict = verify(validator, record, now_ms, &item);
	record->refused = record->verdict != HM_VALID;
	record->late = false;
	if (!record->refused) {
		copy_facts(record, &item);
		record_keep_cosigned(record, item.cosigned);
	}
	return record->verdict;
}

enum hm_verdict validator_check_live(struct validator *validator,
    const struct hm_envelope *envelope, int64_t now_ms,
    const struct hm_report *report)
{
	struct hm_item item;

	return hm_item_verify_live(validator->policy, validator->cache,
	    envelope, NULL, 0, now_ms, &item, report);
}

enum hm_verdict validator_check_replay(struct validator *validator,
    const struct hm_envelope *envelope, const struct hm_report *report)
{
	struct hm_item item;

	return hm_item_verify_replay(validator->policy, validator->cache,
	    envelope, NULL, 0, &item, report);
}

void validator_cache_stats(
    const struct validator *validator, struct hm_cache_stats *out)
{
	hm_cache_stats(validator->cache, out);
}

uint64_t validator_count(
    const struct validator *validator, enum hm_verdict verdict)
{
	return validator->counts[verdict];
}

uint64_t validator_head_count(
    const struct validator *validator, enum hm_verdict verdict)
{
	return validator->head_counts[verdict];
}
