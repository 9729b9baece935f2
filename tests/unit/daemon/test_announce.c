/* announce: what a committed record may do, and which of two oracles' items is
 * shown. */
#include "base/log.h"
#include "made_record.h"
#include "verifier/daemon/announce.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
	uv_loop_t loop;
	struct board *board;
	struct announcer *announcer;
	struct kept_document *document;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	log_set_level(LOG_ERROR + 1);
	uv_loop_init(&f->loop);
	f->board = board_new(&f->loop, "test");
	f->announcer = announcer_new(f->board);
	f->document = kept_document_new((const uint8_t *)"document", 8);
	assert_true(announcer_add_feed(f->announcer, "BTC-USD"));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	board_close(f->board, "test");
	board_free(f->board);
	announcer_free(f->announcer);
	kept_document_unref(f->document);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	free(f);
	return 0;
}

static void commit(struct fixture *f, uint8_t boot, uint64_t sequence, bool ok,
    enum record_outcome outcome)
{
	struct record *r = made_record(
	    f->document, "BTC-USD", boot, sequence, "x");

	r->ok = ok;
	snprintf(r->reason, sizeof(r->reason), "%s", ok ? "" : "why");
	r->outcome = outcome;
	announce_committed(f->announcer, r);
	record_free(r);
}

/* Is this what /feeds says is shown? */
static void shown(struct fixture *f, const char *text)
{
	char *json = announce_feeds_json(f->announcer);

	if (!strstr(json, text))
		fail_msg("no %s in %s", text, json);
	free(json);
}

static void test_only_stored_is_shown(void **state)
{
	struct fixture *f = *state;
	struct announce_stats stats;

	commit(f, 1, 1, true, RECORD_PENDING);
	commit(f, 1, 2, true, RECORD_DUPLICATE);
	commit(f, 1, 3, true, RECORD_FORK);
	commit(f, 1, 4, true, RECORD_REFUSED);
	shown(f, "\"feed\":\"BTC-USD\",\"status\":null");
	assert_int_equal(board_fresh(f->board, 1800000000000, NULL, 0), 0);
	commit(f, 1, 5, true, RECORD_STORED);
	shown(f, "\"status\":\"ok\",\"sequence\":5");
	assert_int_equal(board_fresh(f->board, 1800000000000, NULL, 0), 1);
	announce_stats(f->announcer, &stats);
	assert_int_equal(stats.accepted, 1);
	assert_int_equal(stats.duplicates, 1);
	assert_int_equal(stats.refused, 2);
}

static void test_late_is_not_shown(void **state)
{
	struct fixture *f = *state;
	struct announce_stats stats;
	struct record *r = made_record(f->document, "BTC-USD", 1, 9, "x");

	r->late = true;
	r->outcome = RECORD_STORED;
	announce_committed(f->announcer, r);
	record_free(r);
	shown(f, "\"status\":null");
	announce_stats(f->announcer, &stats);
	assert_int_equal(stats.late, 1);
	assert_int_equal(stats.accepted, 0);
}

static void test_newest_of_two(void **state)
{
	struct fixture *f = *state;

	commit(f, 1, 10, true, RECORD_STORED); /* published_ms is 10 later */
	commit(f, 2, 8, true, RECORD_STORED);
	shown(f, "\"sequence\":10");
	commit(f, 2, 11, true, RECORD_STORED);
	shown(f, "\"sequence\":11");
	/* Another oracle that has no price hides none that is good... */
	commit(f, 1, 12, false, RECORD_STORED);
	shown(f, "\"status\":\"ok\",\"sequence\":11");
	/* ...but the same one does, */
	commit(f, 2, 13, false, RECORD_STORED);
	shown(f, "\"status\":\"unavailable\",\"sequence\":13");
	/* and any does once the price has expired. */
	commit(f, 2, 14, true, RECORD_STORED);
	commit(f, 1, 6000, false, RECORD_STORED);
	shown(f, "\"status\":\"unavailable\",\"sequence\":6000");
}

static void test_feeds(void **state)
{
	struct fixture *f = *state;
	char name[16];

	assert_true(announcer_add_feed(f->announcer, "BTC-USD"));
	assert_int_equal(board_names(f->board), 1);
	assert_false(announcer_has_feed(f->announcer, "ETH-USD"));
	for (int i = 1; i < BOARD_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "A-%d", i);
		assert_true(announcer_add_feed(f->announcer, name));
	}
	assert_false(announcer_add_feed(f->announcer, "ETH-USD"));
	assert_true(board_has_name(f->board, "A-200"));
}

static void look(const struct announce_feed *feed, void *data)
{
	((struct announce_feed *)data)[strcmp(feed->feed, "BTC-USD") != 0] =
	    *feed;
}

static void test_visit(void **state)
{
	struct announce_feed feeds[2] = {{0}};
	struct fixture *f = *state;

	assert_true(announcer_add_feed(f->announcer, "ETH-USD"));
	commit(f, 1, 5, true, RECORD_STORED);
	announce_visit_feeds(f->announcer, look, feeds);
	assert_true(feeds[0].ok);
	assert_true(feeds[0].published_ms > 0);
	assert_true(feeds[0].expires_ms > feeds[0].published_ms);
	assert_string_equal(feeds[1].feed, "ETH-USD");
	assert_false(feeds[1].ok);
	assert_int_equal(feeds[1].published_ms, 0);
	commit(f, 1, 6, false, RECORD_STORED);
	announce_visit_feeds(f->announcer, look, feeds);
	assert_false(feeds[0].ok);
	/* What is no document has no end, and neither has who sent nothing. */
	assert_int_equal(announce_not_after(f->announcer, "nobody"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_only_stored_is_shown),
	    TEST(test_late_is_not_shown),
	    TEST(test_newest_of_two),
	    TEST(test_feeds),
	    TEST(test_visit),
	};

	return cmocka_run_group_tests_name("announce", tests, NULL, NULL);
}
