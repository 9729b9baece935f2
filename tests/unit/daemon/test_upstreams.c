/* upstreams: who was first, who is behind, who contradicts. */
#include "verifier/daemon/upstreams.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char a[] = "http://a", b[] = "http://b";
static const char other_a[] = "x http://a"; /* not merged with a */

static int setup(void **state)
{
	*state = upstreams_new();
	upstreams_add(*state, a, "oracle");
	upstreams_add(*state, b, "nats");
	return 0;
}

static int teardown(void **state)
{
	upstreams_free(*state);
	return 0;
}

static struct record made(
    const char *origin, enum record_outcome outcome, int64_t published_ms)
{
	return (struct record){
	    .origin = origin,
	    .outcome = outcome,
	    .feed = "BTC-USD",
	    .sequence = 7,
	    .published_ms = published_ms,
	    .expires_ms = published_ms + 1000,
	    .received_ms = published_ms + 30,
	};
}

static void note(struct upstreams *u, const char *origin,
    enum record_outcome outcome, int64_t published_ms)
{
	struct record r = made(origin, outcome, published_ms);

	upstreams_note(u, &r);
}

static struct upstream_view views[UPSTREAMS_MAX];
static size_t seen;

static void keep(const struct upstream_view *view, void *data)
{
	(void)data;
	views[seen++] = *view;
}

static void look(const struct upstreams *u, int64_t now_ms)
{
	seen = 0;
	upstreams_visit(u, now_ms, keep, NULL);
	assert_int_equal(seen, 2);
}

static void test_nothing_yet(void **state)
{
	json_t *none = upstreams_disagreements(*state);

	look(*state, 5000);
	assert_string_equal(views[0].name, a);
	assert_string_equal(views[1].kind, "nats");
	assert_int_equal(views[0].items, 0);
	assert_int_equal(views[0].newest_ms, 0);
	assert_int_equal(views[0].lag_ms, 0);
	assert_int_equal(json_array_size(none), 0);
	json_decref(none);
}

static void test_first_and_second(void **state)
{
	note(*state, a, RECORD_STORED, 1000);
	note(*state, b, RECORD_DUPLICATE, 1000);
	note(*state, b, RECORD_STORED, 2000);
	look(*state, 2100);
	assert_int_equal(views[0].items, 1);
	assert_int_equal(views[0].first, 1);
	assert_int_equal(views[1].items, 2);
	assert_int_equal(views[1].first, 1);
	assert_int_equal(views[1].duplicates, 1);
	assert_int_equal(views[0].newest_ms, 1000);
	assert_int_equal(views[1].delay_ms, 30);
	assert_int_equal(views[0].feeds, 1);
}

/* Behind is no lag until the item it has is of no use. */
static void test_lag(void **state)
{
	note(*state, a, RECORD_STORED, 1000);
	note(*state, b, RECORD_STORED, 1900);
	look(*state, 2000);
	assert_int_equal(views[0].lag_ms, 900);
	assert_int_equal(views[0].behind_feeds, 0);
	assert_int_equal(views[1].lag_ms, 0);
	look(*state, 2001);
	assert_int_equal(views[0].behind_feeds, 1);
	assert_int_equal(views[1].behind_feeds, 0);
	/* All of them silent: nobody is behind another. */
	look(*state, 9000);
	assert_int_equal(views[1].behind_feeds, 0);
	note(*state, a, RECORD_DUPLICATE, 1900);
	look(*state, 9000);
	assert_int_equal(views[0].behind_feeds, 0);
	assert_int_equal(views[0].lag_ms, 0);
}

/* An old item that comes again does not set anybody back. */
static void test_old_items(void **state)
{
	note(*state, a, RECORD_STORED, 5000);
	note(*state, a, RECORD_STORED, 3000);
	look(*state, 5000);
	assert_int_equal(views[0].newest_ms, 5000);
	assert_int_equal(views[0].lag_ms, 0);
}

static void test_disagreements(void **state)
{
	struct record refused = made(b, RECORD_REFUSED, 3000);
	json_t *list, *last;

	note(*state, a, RECORD_STORED, 3000);
	refused.verdict = HM_ITEM_SIGNATURE;
	upstreams_note(*state, &refused);
	look(*state, 3000);
	assert_int_equal(views[1].refused, 1);
	assert_int_equal(views[1].disagreements, 0);
	refused.verdict = HM_SEQUENCE_FORK;
	memset(refused.content_sha256, 0xab, HM_SHA256_LEN);
	upstreams_note(*state, &refused);
	note(*state, b, RECORD_FORK, 3000);
	look(*state, 3000);
	assert_int_equal(views[1].disagreements, 2);
	assert_int_equal(views[0].disagreements, 0);
	assert_int_equal(views[1].items, 0);
	list = upstreams_disagreements(*state);
	assert_int_equal(json_array_size(list), 2);
	last = json_array_get(list, 0);
	assert_string_equal(
	    json_string_value(json_object_get(last, "upstream")), b);
	assert_int_equal(
	    json_integer_value(json_object_get(last, "sequence")), 7);
	assert_memory_equal(
	    json_string_value(json_object_get(last, "content_sha256")), "abab",
	    4);
	json_decref(list);
}

static void test_newest_disagreements(void **state)
{
	json_t *list;

	for (int i = 0; i < 3 * UPSTREAMS_DISAGREEMENTS_MAX; i++)
		note(*state, b, RECORD_FORK, 1000 + i);
	list = upstreams_disagreements(*state);
	assert_int_equal(json_array_size(list), UPSTREAMS_DISAGREEMENTS_MAX);
	assert_int_equal(
	    json_integer_value(json_object_get(
		json_array_get(list, UPSTREAMS_DISAGREEMENTS_MAX - 1),
		"received_ms")),
	    1030 + 3 * UPSTREAMS_DISAGREEMENTS_MAX - 1);
	json_decref(list);
}

static void test_ceilings(void **state)
{
	struct record r = made(a, RECORD_STORED, 1000);
	struct record stranger = made(other_a + 2, RECORD_STORED, 1000);

	upstreams_note(*state, &stranger); /* known by its pointer alone */
	for (int i = 0; i < UPSTREAMS_FEEDS_MAX + 9; i++) {
		snprintf(r.feed, sizeof(r.feed), "F%d-USD", i);
		upstreams_note(*state, &r);
	}
	look(*state, 1000);
	assert_int_equal(views[0].items, UPSTREAMS_FEEDS_MAX + 9);
	assert_int_equal(views[0].feeds, UPSTREAMS_FEEDS_MAX);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_nothing_yet),
	    TEST(test_first_and_second),
	    TEST(test_lag),
	    TEST(test_old_items),
	    TEST(test_disagreements),
	    TEST(test_newest_disagreements),
	    TEST(test_ceilings),
	};

	return cmocka_run_group_tests_name("upstreams", tests, NULL, NULL);
}
