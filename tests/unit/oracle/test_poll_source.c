/* poll_source: what a failure hides and what not, frozen or not, counts. */
#include "oracle/poll_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct exchange alpha = {.name = "alpha", .host = "alpha.test"};

static const struct feed_config feed = {
    .max_age_ms = 5000, .frozen_after_ms = 10000};

static void init(struct poll_source *source)
{
	poll_source_init(source, &alpha, "BTC");
}

static const struct poll_attempt good = {QUOTE_OK, 200, 12};

static enum quote_error fail_with(
    struct poll_source *source, enum quote_error error)
{
	return poll_source_note(
	    source, &(struct poll_attempt){error, 500, 34}, NULL);
}

/* last = `last`, received at 1000000 + at on both clocks, with this time of
 * the exchange's (0: none). */
static void answer_full(struct poll_source *source, int64_t at, int64_t last,
    int64_t exchange_ms, enum quote_error before)
{
	struct poll_answer answer = {
	    .quote = {.has_last = true,
		.last = {last, -2},
		.has_exchange_ms = exchange_ms != 0,
		.exchange_ms = exchange_ms},
	    .received_ms = 1000000 + at,
	    .received_steady_ms = at,
	};
	memset(answer.body_sha256, (int)last, 32);
	memset(answer.tls_spki_sha256, 7, 32);
	assert_int_equal(poll_source_note(source, &good, &answer), before);
}

static void answer(struct poll_source *source, int64_t at, int64_t last)
{
	answer_full(source, at, last, 0, source->newest.error);
}

static struct item_source read_at(const struct poll_source *source, int64_t at)
{
	struct item_source out;
	memset(&out, 0xee, sizeof(out));
	poll_source_read(source, &feed, 1000000 + at, &out);
	assert_string_equal(out.exchange, "alpha");
	assert_string_equal(out.symbol, "BTC");
	assert_string_equal(out.via, "");
	assert_false(out.has_price);
	assert_false(out.has_rate);
	return out;
}

static void test_not_polled(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	struct item_source out = read_at(&source, 0);
	assert_int_equal(out.state, SOURCE_FAILED);
	assert_int_equal(out.error, QUOTE_NOT_POLLED);
	assert_false(out.has_answer);
}

/* Two feeds: asked as often as the faster wants it. */
static void test_use(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	poll_source_use(&source, 1000, 9000);
	assert_int_equal(source.interval_ms, 1000);
	assert_int_equal(source.max_age_ms, 9000);
	poll_source_use(&source, 500, 10000);
	poll_source_use(&source, 2000, 8000);
	assert_int_equal(source.interval_ms, 500);
	assert_int_equal(source.max_age_ms, 8000);
}

static void test_counts(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	assert_int_equal(source.newest.latency_ms, -1);
	assert_int_equal(source.attempts, 0);
	fail_with(&source, QUOTE_TIMEOUT);
	fail_with(&source, QUOTE_TIMEOUT);
	fail_with(&source, QUOTE_BAD_BODY);
	assert_int_equal(source.failures, 3);
	assert_int_equal(source.newest.error, QUOTE_BAD_BODY);
	assert_int_equal(source.newest.status, 500);
	assert_int_equal(source.newest.latency_ms, 34);
	answer(&source, 0, 100);
	assert_int_equal(source.failures, 0);
	assert_int_equal(source.newest.latency_ms, 12);
	assert_int_equal(source.attempts, 4);
	assert_int_equal(source.errors[QUOTE_TIMEOUT], 2);
	assert_int_equal(source.errors[QUOTE_BAD_BODY], 1);
	assert_int_equal(source.errors[QUOTE_OK], 1);
	assert_int_equal(source.errors[QUOTE_NOT_POLLED], 0);
}

static void test_used(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	answer(&source, 0, 8403600);
	struct item_source out = read_at(&source, 10);
	assert_int_equal(out.state, SOURCE_USED);
	assert_int_equal(out.error, QUOTE_OK);
	assert_true(out.has_answer);
	assert_int_equal(out.received_ms, 1000000);
	assert_true(out.quote.has_last);
	assert_int_equal(out.quote.last.mantissa, 8403600);
	assert_memory_equal(out.body_sha256, source.body_sha256, 32);
	assert_memory_equal(out.tls_spki_sha256, source.tls_spki_sha256, 32);
}

/* Age is for aggregate to judge, as long as nothing failed. */
static void test_old_but_not_failed(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	answer(&source, 0, 100);
	assert_int_equal(read_at(&source, 3600000).state, SOURCE_USED);
}

static void test_a_failure_does_not_hide_a_young_answer(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	answer(&source, 0, 100);
	assert_int_equal(fail_with(&source, QUOTE_TIMEOUT), QUOTE_OK);
	assert_int_equal(fail_with(&source, QUOTE_BANNED), QUOTE_TIMEOUT);
	assert_int_equal(read_at(&source, 2000).state, SOURCE_USED);
	assert_int_equal(read_at(&source, 5000).state, SOURCE_USED);
	struct item_source out = read_at(&source, 5001);
	assert_int_equal(out.state, SOURCE_FAILED);
	assert_int_equal(out.error, QUOTE_BANNED);
	assert_false(out.has_answer);
	assert_false(out.quote.has_last);
	answer_full(&source, 6000, 101, 0, QUOTE_BANNED);
	assert_int_equal(read_at(&source, 6001).state, SOURCE_USED);
}

/* ---- frozen ---- */

static enum source_state state_after(struct poll_source *source, int64_t at)
{
	return read_at(source, at).state;
}

static void test_frozen(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	answer(&source, 0, 100);
	answer(&source, 9999, 100);
	assert_int_equal(state_after(&source, 9999), SOURCE_USED);
	answer(&source, 10000, 100);
	assert_int_equal(state_after(&source, 10000), SOURCE_FROZEN);
	assert_true(read_at(&source, 10000).has_answer);
	answer(&source, 11000, 101);
	assert_int_equal(state_after(&source, 11000), SOURCE_USED);
	answer(&source, 21000, 101);
	assert_int_equal(state_after(&source, 21000), SOURCE_FROZEN);
}

/* Silence is not frozen: only answers count. */
static void test_frozen_needs_answers(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	answer(&source, 0, 100);
	assert_int_equal(state_after(&source, 500000), SOURCE_USED);
}

static void test_frozen_off(void **state)
{
	const struct feed_config off = {.max_age_ms = 5000};
	struct item_source out;
	struct poll_source source;
	(void)state;
	init(&source);
	answer(&source, 0, 100);
	answer(&source, 900000, 100);
	poll_source_read(&source, &off, 1900000, &out);
	assert_int_equal(out.state, SOURCE_USED);
}

/* 100.00 and 100.0 are the same price. */
static void test_frozen_compares_values(void **state)
{
	struct poll_source source;
	struct poll_answer other = {
	    .quote = {.has_last = true, .last = {10, -1}},
	    .received_ms = 1010000,
	    .received_steady_ms = 10000,
	};
	(void)state;
	init(&source);
	answer(&source, 0, 100);
	poll_source_note(&source, &good, &other);
	assert_int_equal(state_after(&source, 10000), SOURCE_FROZEN);
	other.quote.has_bid = true;
	other.quote.bid = other.quote.last;
	poll_source_note(&source, &good, &other);
	assert_int_equal(state_after(&source, 10000), SOURCE_USED);
}

static void test_frozen_and_the_exchange_clock(void **state)
{
	struct poll_source source;
	(void)state;
	init(&source);
	answer_full(&source, 0, 100, 500, QUOTE_NOT_POLLED);
	answer_full(&source, 20000, 100, 501, QUOTE_OK); /* it goes on */
	assert_int_equal(state_after(&source, 20000), SOURCE_USED);
	answer_full(&source, 40000, 100, 501, QUOTE_OK); /* it stands */
	assert_int_equal(state_after(&source, 40000), SOURCE_FROZEN);
	answer_full(&source, 41000, 100, 400, QUOTE_OK); /* backwards */
	assert_int_equal(state_after(&source, 41000), SOURCE_FROZEN);
	answer_full(&source, 42000, 100, 501, QUOTE_OK); /* two caches */
	assert_int_equal(state_after(&source, 42000), SOURCE_FROZEN);
	answer_full(&source, 43000, 100, 502, QUOTE_OK);
	assert_int_equal(state_after(&source, 43000), SOURCE_USED);
}

/* Refused together with others: shown where there is nothing good to show, and
 * what is new is told by the attempts about this one alone. */
static void test_refused_together(void **state)
{
	const struct poll_attempt refused = {QUOTE_BAD_REQUEST, 400, 5};
	struct poll_source source;

	(void)state;
	init(&source);
	poll_source_note_refused(&source, &refused);
	assert_int_equal(source.newest.error, QUOTE_BAD_REQUEST);
	assert_int_equal(source.newest.status, 400);
	assert_int_equal(source.newest.latency_ms, 5);
	assert_int_equal(source.attempts + source.failures, 0);
	assert_int_equal(source.errors[QUOTE_BAD_REQUEST], 0);
	assert_int_equal(read_at(&source, 0).error, QUOTE_BAD_REQUEST);
	answer_full(&source, 0, 100, 0, QUOTE_NOT_POLLED);
	poll_source_note_refused(&source, &refused);
	assert_int_equal(source.newest.error, QUOTE_OK);
	assert_int_equal(fail_with(&source, QUOTE_TIMEOUT), QUOTE_OK);
	poll_source_note_refused(&source, &refused);
	assert_int_equal(source.newest.error, QUOTE_BAD_REQUEST);
	assert_int_equal(fail_with(&source, QUOTE_TIMEOUT), QUOTE_TIMEOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_refused_together),
	    cmocka_unit_test(test_not_polled),
	    cmocka_unit_test(test_use),
	    cmocka_unit_test(test_counts),
	    cmocka_unit_test(test_used),
	    cmocka_unit_test(test_old_but_not_failed),
	    cmocka_unit_test(test_a_failure_does_not_hide_a_young_answer),
	    cmocka_unit_test(test_frozen),
	    cmocka_unit_test(test_frozen_needs_answers),
	    cmocka_unit_test(test_frozen_off),
	    cmocka_unit_test(test_frozen_compares_values),
	    cmocka_unit_test(test_frozen_and_the_exchange_clock),
	};
	return cmocka_run_group_tests_name("poll_source", tests, NULL, NULL);
}
