/*
 * poller: what is read, how often, one failure and its end, the log, and stop
 * in each state that waits. Batches, pauses and trust have tests of their own.
 */
#include "tests/unit/oracle/poller_fixture.h"

static void test_reads_all(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 50);
	uint8_t hash[32], spki[32];
	unsigned char *der = NULL;
	(void)state;

	add_source(feed, ALPHA, "A");
	add_source(feed, ALPHA, "B");
	add_source(feed, BETA, "A");
	snprintf(feed->sources[2].quote_feed, FEED_NAME_MAX, "USDT-USD");
	atomic_store(&seen[BETA].mode, STANDING);
	start();
	struct item_source s = read_now(feed, 0);
	assert_int_equal(s.state, SOURCE_FAILED);
	assert_int_equal(s.error, QUOTE_NOT_POLLED);
	for (size_t i = 0; i < 3; i++)
		until_state(feed, i, SOURCE_USED);
	s = read_now(feed, 2);
	assert_string_equal(s.exchange, "beta");
	assert_string_equal(s.symbol, "A");
	assert_string_equal(s.via, "USDT-USD");
	assert_true(s.has_answer && s.quote.has_last);
	assert_int_equal(s.quote.last.mantissa, 750);
	assert_int_equal(s.quote.last.exponent, -2);
	assert_true(now_unix_ms() - s.received_ms < 60000);
	EVP_Digest("{\"A\":7.50}", 10, hash, NULL, EVP_sha256(), NULL);
	assert_memory_equal(s.body_sha256, hash, 32);
	int len = i2d_PUBKEY(f.leaf.key, &der);
	EVP_Digest(der, (size_t)len, spki, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	assert_memory_equal(s.tls_spki_sha256, spki, 32);
	assert_string_equal(read_now(feed, 0).via, "");
}

static void test_keeps_asking_on_one_connection(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	start();
	until_asked(&seen[ALPHA].asked, 10);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
}

/* One source in two feeds: asked once, as often as the faster one wants. */
static void test_shared_source(void **state)
{
	struct feed_config *slow = add_feed("SLOW-Y", 60000);
	struct feed_config *fast = add_feed("FAST-Y", 20);
	(void)state;
	add_source(slow, ALPHA, "A");
	add_source(slow, ALPHA, "B");
	add_source(fast, ALPHA, "A");
	start();
	until_good(ALPHA, "B", 1);
	until_good(ALPHA, "A", 20);
	assert_int_equal(atomic_load(&seen[ALPHA].asked_of[1]), 1);
	struct item_source a = read_at(slow, 0, 0), b = read_at(fast, 0, 0);
	assert_int_equal(a.received_ms, b.received_ms);
	assert_memory_equal(a.body_sha256, b.body_sha256, 32);
}

static void test_shared_source_is_asked_once(void **state)
{
	struct feed_config *one = add_feed("ONE-Y", 60000);
	struct feed_config *two = add_feed("TWO-Y", 60000);
	(void)state;
	add_source(one, ALPHA, "A");
	add_source(two, ALPHA, "A");
	start();
	until_state(two, 0, SOURCE_USED);
	turn_for(300);
	assert_int_equal(atomic_load(&seen[ALPHA].asked), 1);
}

/* More to ask than the budget allows: all get their turn. */
static void test_all_get_their_turn(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 1);
	(void)state;
	add_source(feed, ALPHA, "A");
	add_source(feed, ALPHA, "B");
	add_source(feed, ALPHA, "C");
	start();
	until_asked(&seen[ALPHA].asked, 60);
	for (int i = 0; i < 3; i++)
		assert_in_range(atomic_load(&seen[ALPHA].asked_of[i]), 10, 30);
}

static void test_failure_and_recovery(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, ALPHA, "A");
	start();
	until_state(feed, 0, SOURCE_USED);
	atomic_store(&seen[ALPHA].mode, BROKEN);
	until_error(ALPHA, "A", QUOTE_SERVER_ERROR);
	struct item_source s = read_now(feed, 0);
	assert_int_equal(s.state, SOURCE_USED); /* the good one is young */
	s = read_at(feed, 0, s.received_ms + feed->max_age_ms);
	assert_int_equal(s.state, SOURCE_USED);
	s = read_at(feed, 0, s.received_ms + feed->max_age_ms + 1);
	assert_int_equal(s.state, SOURCE_FAILED);
	assert_int_equal(s.error, QUOTE_SERVER_ERROR);
	atomic_store(&seen[ALPHA].mode, MOVING);
	until_error(ALPHA, "A", QUOTE_OK);
}

static void test_no_way_there(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, ALPHA, "A");
	f.config.proxy.port = 1; /* nobody */
	start();
	until_error(ALPHA, "A", QUOTE_CONNECT_FAILED);
	assert_int_equal(read_now(feed, 0).state, SOURCE_FAILED);
	assert_int_equal(view_source(ALPHA, "A").status, 0);
}

static void test_frozen(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	struct feed_config *off = add_feed("OFF-Y", 20);
	(void)state;
	feed->frozen_after_ms = 100;
	add_source(feed, BATCH, "A");
	add_source(feed, BATCH, "B");
	add_source(off, BATCH, "A");
	atomic_store(&seen[BATCH].mode, STANDING);
	start();
	until_state(feed, 0, SOURCE_FROZEN);
	until_state(feed, 1, SOURCE_FROZEN);
	assert_int_equal(read_now(off, 0).state, SOURCE_USED);
	atomic_store(&seen[BATCH].mode, MOVING);
	until_state(feed, 0, SOURCE_USED);
}

/* An exchange that never answers: each attempt ends at the shortest max_age_ms
 * of its feeds, and not at the default, which is four seconds more. */
static void test_deadline(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 1000);
	(void)state;
	feed->max_age_ms = 1000;
	add_source(feed, ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, HANGING);
	start();
	until_error(ALPHA, "A", QUOTE_TIMEOUT);
	assert_in_range(view_source(ALPHA, "A").latency_ms, 990,
	    HTTPS_REQUEST_TIMEOUT_MS - 1);
}

/* ---- the log: one line when it begins, one when it ends ---- */

static unsigned count_lines(FILE *log, const char *what)
{
	char line[1024];
	unsigned n = 0;
	rewind(log);
	while (fgets(line, sizeof(line), log) != NULL)
		n += strstr(line, what) != NULL;
	return n;
}

static void test_log(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	FILE *log = tmpfile();
	int saved = dup(STDERR_FILENO);
	(void)state;

	assert_non_null(log);
	add_source(feed, BATCH, "A");
	add_source(feed, BATCH, "B");
	add_source(feed, BATCH, "C");
	atomic_store(&seen[BATCH].mode, BROKEN);
	dup2(fileno(log), STDERR_FILENO);
	start();
	until_asked(&seen[BATCH].asked, 4);
	atomic_store(&seen[BATCH].mode, MOVING);
	until_good(BATCH, "A", 10);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(count_lines(log, "source_failed"), 1);
	assert_int_equal(count_lines(log, "symbols=3"), 2);
	assert_int_equal(count_lines(log, "error=server_error"), 2);
	assert_int_equal(count_lines(log, "source_recovered"), 1);
	fclose(log);
}

/* ---- stop at each waiting state; end() does it ---- */

static void test_stop_at_once(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	start();
}

static void test_stop_while_asking(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, HANGING);
	start();
	until_asked(&seen[ALPHA].asked, 1);
}

/* Every lane, with more that wait for one. */
static void test_stop_while_all_lanes_ask(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	for (int i = 0; i < POLLER_LANES + 2; i++) {
		char symbol[16];
		snprintf(symbol, sizeof(symbol), "T%03d", i);
		add_source(feed, ALPHA, symbol);
	}
	atomic_store(&seen[ALPHA].mode, HANGING);
	start();
	until_asked(&seen[ALPHA].asked, POLLER_LANES);
	turn_for(50);
	assert_int_equal(atomic_load(&seen[ALPHA].asked), POLLER_LANES);
	assert_int_equal(atomic_load(&f.peer.connections), POLLER_LANES);
}

static void test_stop_while_waiting(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 60000);
	(void)state;
	add_source(feed, ALPHA, "A");
	start();
	until_state(feed, 0, SOURCE_USED);
}

static void test_stop_while_paused(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, LIMITED);
	start();
	until_error(ALPHA, "A", QUOTE_RATE_LIMITED);
}

static void test_stop_while_backing_off(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, BROKEN);
	start();
	until_error(ALPHA, "A", QUOTE_SERVER_ERROR);
}

static void test_without_sources(void **state)
{
	int64_t offset_ms = 5;
	(void)state;
	start();
	turn();
	assert_false(
	    poller_clock_offset(f.poller, now_monotonic_ms(), &offset_ms));
	poller_visit(f.poller, now_monotonic_ms(), NULL, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_reads_all),
	    WITH(test_keeps_asking_on_one_connection),
	    WITH(test_shared_source),
	    WITH(test_shared_source_is_asked_once),
	    WITH(test_all_get_their_turn),
	    WITH(test_failure_and_recovery),
	    WITH(test_no_way_there),
	    WITH(test_frozen),
	    WITH(test_deadline),
	    WITH(test_log),
	    WITH(test_stop_at_once),
	    WITH(test_stop_while_asking),
	    WITH(test_stop_while_all_lanes_ask),
	    WITH(test_stop_while_waiting),
	    WITH(test_stop_while_paused),
	    WITH(test_stop_while_backing_off),
	    WITH(test_without_sources),
	};
	return cmocka_run_group_tests_name(
	    "poller", tests, group_begin, group_end);
}
