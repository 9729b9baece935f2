/* validate: real items of a simulated enclave, in and out of order, in and out
 * of time. */
#include "base/log.h"
#include "mint.h"
#include "verifier/daemon/validate.h"

struct fixture {
	struct validator *validator;
	struct kept_document *document;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->validator = validator_new(mint.policy);
	f->document = kept_document_new(mint.document, mint.document_len);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	validator_free(f->validator);
	kept_document_unref(f->document);
	free(f);
	return 0;
}

/* Mints, judges at `now_ms` (0: the clock), gives the verdict. */
static enum hm_verdict judge(struct fixture *f, struct mint_wish w,
    int64_t now_ms, struct record **out, uint8_t sha256[32])
{
	char *json = mint_item(&mint, &w, sha256);
	struct record *r = record_new(
	    "http://o", "", json, strlen(json), now_unix_ms());
	enum hm_verdict verdict;

	r->document = kept_document_ref(f->document);
	validator_judge(f->validator, r, now_ms ? now_ms : now_unix_ms());
	verdict = r->verdict;
	free(json);
	if (out)
		*out = r;
	else
		record_free(r);
	return verdict;
}

/* What does not hold goes no further, whether anybody asked for it or not. */
static void test_false_cosignature(void **state)
{
	struct fixture *f = *state;
	char *json = mint_item(&mint, &(struct mint_wish){0}, NULL);
	char *other = mint_item(&mint, &(struct mint_wish){0}, NULL), *both;
	struct record *r;

	assert_true(asprintf(&both, "%.*s,\"cosignatures\":[%s]}",
			(int)strlen(json) - 1, json, other) > 0);
	r = record_new("http://o", "", both, strlen(both), now_unix_ms());
	assert_int_equal(r->envelope.cosignature_count, 1);
	r->document = kept_document_ref(f->document);
	validator_judge(f->validator, r, now_unix_ms());
	assert_int_equal(r->verdict, HM_VALID);
	assert_int_equal(r->envelope.cosignature_count, 0);
	record_free(r);
	free(both);
	free(other);
	free(json);
}

static void test_order(void **state)
{
	uint8_t sha[3][32];
	struct fixture *f = *state;
	struct record *r;

	assert_int_equal(
	    judge(f, (struct mint_wish){0}, 0, &r, sha[0]), HM_VALID);
	assert_false(r->refused || r->late);
	assert_string_equal(r->feed, "BTC-USD");
	assert_string_equal(r->price, "84000.00");
	assert_memory_equal(r->content_sha256, sha[0], 32);
	record_free(r);
	assert_int_equal(
	    judge(f, (struct mint_wish){.sequence = 1, .previous = sha[0]}, 0,
		NULL, sha[1]),
	    HM_VALID);
	/* A gap is told and the item is good. */
	assert_int_equal(
	    judge(f, (struct mint_wish){.sequence = 5, .previous = sha[0]}, 0,
		&r, sha[2]),
	    HM_SEQUENCE_GAP);
	assert_false(r->refused || r->late);
	assert_int_equal(r->missing, 3); /* 2, 3, 4 */
	record_free(r);
	/* An earlier number: for the archive to compare. */
	assert_int_equal(
	    judge(f, (struct mint_wish){.sequence = 3, .previous = sha[0]}, 0,
		&r, NULL),
	    HM_SEQUENCE_REPLAY);
	assert_true(r->late && !r->refused);
	record_free(r);
	/* Another predecessor than the one we hold. */
	assert_int_equal(
	    judge(f, (struct mint_wish){.sequence = 6, .previous = sha[0]}, 0,
		&r, NULL),
	    HM_SEQUENCE_FORK);
	assert_true(r->refused);
	record_free(r);
	assert_int_equal(validator_count(f->validator, HM_VALID), 2);
	assert_int_equal(validator_count(f->validator, HM_SEQUENCE_FORK), 1);
}

static void test_feeds_and_boots_have_orders_of_their_own(void **state)
{
	struct fixture *f = *state;
	struct mint other;
	struct hm_sequence seeded = {.started = true, .sequence = 7};
	struct record *r;
	char *json;

	assert_int_equal(
	    judge(f, (struct mint_wish){0}, 0, NULL, NULL), HM_VALID);
	assert_int_equal(
	    judge(f, (struct mint_wish){.feed = "ETH-USD"}, 0, NULL, NULL),
	    HM_VALID);
	/* The archive knew boot 9 up to 7: 0 is a replay. */
	memset(seeded.boot_id, 9, sizeof(seeded.boot_id));
	validator_seed(f->validator, "BTC-USD", &seeded);
	other = mint;
	memset(other.boot_id, 9, sizeof(other.boot_id));
	mint_document(&other);
	json = mint_item(&other, &(struct mint_wish){.full = true}, NULL);
	r = record_new("http://o", "", json, strlen(json), 0);
	validator_judge(f->validator, r, now_unix_ms());
	assert_int_equal(r->verdict, HM_SEQUENCE_REPLAY);
	record_free(r);
	free(json);
	/* The first boot goes on as if nothing had been. */
	assert_int_equal(
	    judge(f, (struct mint_wish){.sequence = 4}, 0, NULL, NULL),
	    HM_SEQUENCE_GAP);
}

static void test_late_is_archived_not_served(void **state)
{
	struct fixture *f = *state;
	struct record *r;
	int64_t now_ms = now_unix_ms();

	assert_int_equal(judge(f, (struct mint_wish){.published_ms = now_ms},
			     now_ms + 60000, &r, NULL),
	    HM_ITEM_EXPIRED);
	assert_true(r->late && !r->refused);
	assert_string_equal(r->feed, "BTC-USD");
	record_free(r);
	/* Too late even for that. */
	assert_int_equal(
	    judge(f, (struct mint_wish){.published_ms = now_ms, .sequence = 1},
		now_ms + VALIDATOR_LATE_MS + 1000, &r, NULL),
	    HM_ITEM_TOO_OLD);
	assert_true(r->refused && !r->late);
	record_free(r);
	/* Unless an upstream keeps them longer. */
	validator_set_late_ms(f->validator, 2 * VALIDATOR_LATE_MS);
	assert_int_equal(
	    judge(f, (struct mint_wish){.published_ms = now_ms, .sequence = 5},
		now_ms + VALIDATOR_LATE_MS + 1000, &r, NULL),
	    HM_SEQUENCE_GAP);
	assert_true(r->late && !r->refused);
	record_free(r);
}

static void test_refused(void **state)
{
	struct fixture *f = *state;
	struct record *r;

	assert_int_equal(
	    judge(f, (struct mint_wish){.spoiled = true}, 0, &r, NULL),
	    HM_ITEM_SIGNATURE);
	assert_true(r->refused);
	record_free(r);
	assert_int_equal(
	    judge(f, (struct mint_wish){.published_ms = now_unix_ms() + 60000},
		0, &r, NULL),
	    HM_ITEM_IN_FUTURE);
	assert_true(r->refused);
	record_free(r);
	r = record_new("http://o", "", "{}", 2, 0);
	validator_judge(f->validator, r, now_unix_ms());
	assert_int_equal(r->verdict, HM_ENVELOPE_MALFORMED);
	assert_true(r->refused);
	record_free(r);
	/* No refusal moved the order on. */
	assert_int_equal(
	    judge(f, (struct mint_wish){0}, 0, NULL, NULL), HM_VALID);
}

static void test_reference_without_document(void **state)
{
	struct fixture *f = *state;
	char *json = mint_item(&mint, &(struct mint_wish){0}, NULL);
	struct record *r = record_new("http://o", "", json, strlen(json), 0);

	validator_judge(f->validator, r, now_unix_ms());
	assert_int_equal(r->verdict, HM_ATTESTATION_MISSING);
	assert_true(r->refused);
	record_free(r);
	free(json);
}

/* Thousands of restarts cost a bounded table, and the feed that is alive
 * keeps its place in it. */
static void test_places_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct hm_sequence seed = {.started = true, .sequence = 1};

	for (uint32_t i = 0; i < VALIDATOR_STATES_MAX + 100; i++) {
		memcpy(seed.boot_id, &i, sizeof(i));
		validator_seed(f->validator, "BTC-USD", &seed);
		if (i == VALIDATOR_STATES_MAX - 10)
			assert_int_equal(
			    judge(f, (struct mint_wish){0}, 0, NULL, NULL),
			    HM_VALID);
	}
	assert_int_equal(
	    judge(f, (struct mint_wish){.sequence = 9}, 0, NULL, NULL),
	    HM_SEQUENCE_GAP);
}

/* ---- the cache ---- */

static struct hm_cache_stats cache_stats(const struct fixture *f)
{
	struct hm_cache_stats stats;

	validator_cache_stats(f->validator, &stats);
	return stats;
}

/* Ten thousand items on one document: it is verified once. */
static void test_ten_thousand_items(void **state)
{
	struct fixture *f = *state;
	char *json = mint_item(&mint, &(struct mint_wish){0}, NULL);
	struct record *r = record_new("http://o", "", json, strlen(json), 0);
	int64_t now_ms = now_unix_ms();

	r->document = kept_document_ref(f->document);
	for (int i = 0; i < 10000; i++)
		validator_judge(f->validator, r, now_ms);
	assert_int_equal(validator_count(f->validator, HM_VALID), 1);
	assert_int_equal(
	    validator_count(f->validator, HM_SEQUENCE_REPLAY), 9999);
	assert_int_equal(cache_stats(f).misses, 1);
	assert_int_equal(cache_stats(f).hits, 9999);
	assert_int_equal(cache_stats(f).signatures, 5);
	record_free(r);
	free(json);
}

/* An oracle that renews its document all the time costs a bounded cache. */
static void test_documents_are_bounded(void **state)
{
	struct fixture *f = *state;
	struct mint own = mint;
	uint8_t sha256[32];
	struct record *r;
	char *json;

	for (unsigned i = 0; i < VALIDATOR_DOCUMENTS + 10; i++) {
		struct mint_wish w = {
		    .sequence = i, .previous = i ? sha256 : NULL, .full = true};

		mint_document(&own);
		json = mint_item(&own, &w, sha256);
		r = record_new("http://o", "", json, strlen(json), 0);
		validator_judge(f->validator, r, now_unix_ms());
		assert_int_equal(r->verdict, HM_VALID);
		record_free(r);
		free(json);
	}
	assert_int_equal(cache_stats(f).documents, VALIDATOR_DOCUMENTS);
	assert_int_equal(cache_stats(f).misses, VALIDATOR_DOCUMENTS + 10);
}

/* ---- the clock ---- */

#define HOUR_MS 3600000LL

/* What a judge says that remembers nothing. */
static enum hm_verdict judge_afresh(const struct record *r, int64_t now_ms)
{
	const struct hm_report quiet = {0};
	struct hm_item item;

	return hm_item_verify_live(mint.policy, NULL, &r->envelope,
	    r->document->bytes, r->document->len, now_ms, &item, &quiet);
}

/* A validator that has seen all of it and one that has seen nothing say the
 * same as that judge. */
static void expect_same(
    const struct fixture *f, struct record *r, int64_t now_ms)
{
	struct validator *cold = validator_new(mint.policy);
	enum hm_verdict wanted = judge_afresh(r, now_ms);

	assert_int_equal(validator_fill_live(f->validator, r, now_ms), wanted);
	assert_int_equal(validator_fill_live(f->validator, r, now_ms), wanted);
	assert_int_equal(r->refused, wanted != HM_VALID);
	validator_judge(cold, r, now_ms);
	assert_int_equal(r->verdict, wanted);
	if (wanted == HM_VALID)
		assert_false(r->refused || r->late);
	validator_free(cold);
}

static void test_moved_clock(void **state)
{
	static const int64_t moves_ms[] = {0, HOUR_MS, 0, -HOUR_MS, 0,
	    2 * HOUR_MS, 4 * HOUR_MS, -4 * HOUR_MS, 0};
	struct fixture *f = *state;
	int64_t now_ms = now_unix_ms();
	const struct mint_wish wishes[] = {
	    {.published_ms = now_ms},                         /* good */
	    {.published_ms = now_ms - 4000, .life_ms = 1000}, /* over */
	    {.published_ms = now_ms + HOUR_MS},               /* to come */
	    {.published_ms = now_ms, .life_ms = 3 * HOUR_MS}, /* long */
	    {.published_ms = now_ms - HOUR_MS},               /* before all */
	    {.published_ms = now_ms, .spoiled = true},
	};
	struct record *items[sizeof(wishes) / sizeof(wishes[0])];
	size_t count = sizeof(wishes) / sizeof(wishes[0]);

	for (size_t i = 0; i < count; i++) {
		char *json = mint_item(&mint, &wishes[i], NULL);

		items[i] = record_new("http://o", "", json, strlen(json), 0);
		items[i]->document = kept_document_ref(f->document);
		free(json);
	}
	for (size_t m = 0; m < sizeof(moves_ms) / sizeof(moves_ms[0]); m++)
		for (size_t i = 0; i < count; i++)
			expect_same(f, items[i], now_ms + moves_ms[m]);
	assert_int_equal(judge_afresh(items[0], now_ms), HM_VALID);
	assert_int_equal(judge_afresh(items[1], now_ms), HM_ITEM_EXPIRED);
	assert_int_equal(judge_afresh(items[2], now_ms), HM_ITEM_IN_FUTURE);
	assert_int_equal(judge_afresh(items[2], now_ms + HOUR_MS), HM_VALID);
	/* the one document, for all of it */
	assert_int_equal(cache_stats(f).signatures, 5);
	for (size_t i = 0; i < count; i++)
		record_free(items[i]);
}

/* The order, too: a clock that was wrong for a while refuses what it cannot
 * judge, and goes on where it was. */
static void test_clock_comes_back(void **state)
{
	struct fixture *f = *state;
	int64_t now_ms = now_unix_ms();
	struct mint_wish w = {.published_ms = now_ms};
	uint8_t first[32], second[32];

	assert_int_equal(judge(f, w, now_ms, NULL, first), HM_VALID);
	w.sequence = 1;
	w.previous = first;
	assert_int_equal(judge(f, w, now_ms - HOUR_MS, NULL, second),
	    HM_CHAIN_NOT_YET_VALID);
	assert_int_equal(
	    judge(f, w, now_ms + HOUR_MS + 1, NULL, second), HM_ITEM_TOO_OLD);
	assert_int_equal(judge(f, w, now_ms, NULL, second), HM_VALID);
	/* Half an hour wrong: it is archived as late, and the next goes on. */
	w.sequence = 2;
	w.previous = second;
	assert_int_equal(
	    judge(f, w, now_ms + HOUR_MS / 2, NULL, first), HM_ITEM_TOO_OLD);
	w.sequence = 3;
	w.previous = first;
	assert_int_equal(judge(f, w, now_ms, NULL, NULL), HM_VALID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* All that a good item says; of a refused one nothing, whatever was there. */
static void test_item(void **state)
{
	struct mint_wish w = {.sequence = 4};
	const struct hm_item nothing = {0};
	struct fixture *f = *state;
	struct hm_item item;

	for (int i = 0; i < 2; i++) {
		char *json = mint_item(&mint, &w, NULL);
		struct record *r = record_new(
		    "http://o", "", json, strlen(json), now_unix_ms());

		r->document = kept_document_ref(f->document);
		memset(&item, 0x5a, sizeof(item));
		validator_judge_item(f->validator, r, now_unix_ms(), &item);
		if (w.spoiled) {
			assert_true(r->refused);
			assert_memory_equal(&item, &nothing, sizeof(item));
		} else {
			assert_int_equal(r->verdict, HM_VALID);
			assert_int_equal(item.sequence, 4);
			assert_int_equal(item.sources_total, 1);
			assert_string_equal(
			    item.document.platform, "simulated");
		}
		record_free(r);
		free(json);
		w.sequence++;
		w.spoiled = true;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_false_cosignature),
	    TEST(test_order),
	    TEST(test_item),
	    TEST(test_feeds_and_boots_have_orders_of_their_own),
	    TEST(test_late_is_archived_not_served),
	    TEST(test_refused),
	    TEST(test_reference_without_document),
	    TEST(test_places_are_bounded),
	    TEST(test_ten_thousand_items),
	    TEST(test_documents_are_bounded),
	    TEST(test_moved_clock),
	    TEST(test_clock_comes_back),
	};

	return cmocka_run_group_tests_name(
	    "validate", tests, make_mint, free_mint);
}
