/*
 * poller: who is trusted (pins), the exchanges' clocks, and what operators
 * see.
 */
#include "tests/unit/oracle/poller_fixture.h"

/* ---- pins ---- */

static struct config_pins *add_pins(enum market m)
{
	struct config_pins *pins = &f.config.pins[f.config.pin_count++];

	pins->exchange = &markets[m];
	return pins;
}

static void leaf_spki(uint8_t out[static 32])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(f.leaf.key, &der);

	EVP_Digest(der, (size_t)len, out, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
}

static void test_a_key_that_is_pinned(void **state)
{
	struct config_pins *pins = add_pins(ALPHA);
	(void)state;
	pins->spki_count = 2;
	leaf_spki(pins->spki_sha256[1]);
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	start();
	until_good(ALPHA, "A", 2);
}

/* One exchange's pins are no other's. */
static void test_a_key_that_is_not_pinned(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	struct config_pins *pins = add_pins(ALPHA);
	(void)state;
	pins->spki_count = 1;
	pins->spki_sha256[0][0] = 1;
	add_source(feed, ALPHA, "A");
	add_source(feed, BETA, "A");
	start();
	until_error(ALPHA, "A", QUOTE_TLS_FAILED);
	until_good(BETA, "A", 2);
	assert_int_equal(read_now(feed, 0).error, QUOTE_TLS_FAILED);
	assert_int_equal(atomic_load(&seen[ALPHA].asked), 0);
}

/* Another CA than the bundle's: the bundle's do not count there any more. */
static void test_a_ca_file(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	struct pki other;
	(void)state;
	pki_init(&other);
	snprintf(
	    add_pins(ALPHA)->ca_file, CONFIG_PATH_MAX, "%s", other.ca_path);
	snprintf(add_pins(BETA)->ca_file, CONFIG_PATH_MAX, "%s", f.pki.ca_path);
	add_source(feed, ALPHA, "A");
	add_source(feed, BETA, "A");
	start();
	until_error(ALPHA, "A", QUOTE_TLS_FAILED);
	until_good(BETA, "A", 2);
	assert_int_equal(atomic_load(&seen[ALPHA].asked), 0);
	pki_fini(&other);
}

/* ---- clocks ---- */

static void until_clock(enum market m, int64_t least_ms, int64_t most_ms)
{
	struct poller_exchange_view view;

	do {
		turn();
		view = view_exchange(m);
	} while (!view.has_clock_offset || view.clock_offset_ms < least_ms ||
		 view.clock_offset_ms > most_ms);
}

/* Three clocks an hour and more from ours: far beyond what a slow machine or
 * a cut second does. The median is the one in the middle. */
static void test_clocks(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	const int64_t hour_ms = 3600000, now_ms = now_unix_ms();
	int64_t offset_ms = 5;
	(void)state;

	add_source(feed, ALPHA, "A");
	add_source(feed, BETA, "A");
	add_source(feed, BATCH, "A");
	add_source(feed, SLOW, "A"); /* says no date */
	atomic_store(&seen[ALPHA].date_ms, now_ms + hour_ms);
	atomic_store(&seen[BETA].date_ms, now_ms - hour_ms);
	atomic_store(&seen[BATCH].date_ms, now_ms + 3 * hour_ms);
	start();
	assert_false(
	    poller_clock_offset(f.poller, now_monotonic_ms(), &offset_ms));
	assert_int_equal(offset_ms, 0);
	until_clock(ALPHA, hour_ms - 120000, hour_ms + 1000);
	until_clock(BETA, -hour_ms - 120000, -hour_ms + 1000);
	until_clock(BATCH, 3 * hour_ms - 120000, 3 * hour_ms + 1000);
	until_good(SLOW, "A", 1);
	assert_false(view_exchange(SLOW).has_clock_offset);
	assert_true(
	    poller_clock_offset(f.poller, now_monotonic_ms(), &offset_ms));
	assert_in_range(offset_ms, hour_ms - 120000, hour_ms + 1000);
	/* a minute and more without an answer: nothing is known */
	assert_false(poller_clock_offset(
	    f.poller, now_monotonic_ms() + 200000, &offset_ms));
}

/* ---- what operators see ---- */

struct order {
	char text[200];
};

static void put(struct order *order, const char *text)
{
	size_t len = strlen(order->text);
	snprintf(order->text + len, sizeof(order->text) - len, "%s ", text);
}

static void on_exchange(const struct poller_exchange_view *view, void *data)
{
	put(data, view->exchange->name);
}

static void on_source(const struct poller_exchange_view *exchange,
    const struct poller_source_view *view, void *data)
{
	assert_non_null(exchange->exchange);
	put(data, view->symbol);
}

/* Those of the table in its order, whatever the feeds say. */
static void test_order(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 60000);
	const char *const names[] = {"kraken", "binance"};
	struct order order = {""};
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct feed_source *s = &feed->sources[feed->source_count++];
		s->exchange = exchange_find(names[i]);
		snprintf(s->symbol, sizeof(s->symbol), "BTCUSD");
	}
	add_source(feed, BATCH, "T");
	add_source(feed, BATCH, "A");
	add_source(feed, ALPHA, "B");
	start();
	poller_visit(
	    f.poller, now_monotonic_ms(), on_exchange, on_source, &order);
	assert_string_equal(
	    order.text, "binance BTCUSD kraken BTCUSD batch A T alpha B ");
	order.text[0] = '\0';
	poller_visit(f.poller, now_monotonic_ms(), NULL, on_source, &order);
	assert_string_equal(order.text, "BTCUSD BTCUSD A T B ");
}

static void test_before_the_first_answer(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	start();
	struct poller_source_view s = view_source(ALPHA, "A");
	assert_false(s.up);
	assert_false(s.has_answer);
	assert_int_equal(s.newest, QUOTE_NOT_POLLED);
	assert_int_equal(s.latency_ms, -1);
	assert_int_equal(s.attempts, 0);
	struct poller_exchange_view e = view_exchange(ALPHA);
	assert_false(e.up);
	assert_int_equal(e.requests, 0);
	assert_int_equal(e.requests_planned, 1);
	assert_int_equal(e.budget_per_min, 12000);
	assert_int_equal(e.paused_ms, 0);
	assert_false(e.has_clock_offset);
}

static void test_counts(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), ALPHA, "A");
	atomic_store(&seen[ALPHA].mode, BROKEN);
	start();
	while (view_source(ALPHA, "A").failures < 2)
		turn();
	assert_int_equal(view_source(ALPHA, "A").status, 500);
	assert_false(view_source(ALPHA, "A").up);
	assert_false(view_exchange(ALPHA).up);
	atomic_store(&seen[ALPHA].mode, MOVING);
	until_good(ALPHA, "A", 3);
	struct poller_source_view s = view_source(ALPHA, "A");
	assert_true(s.up && s.has_answer);
	assert_int_equal(s.status, 200);
	assert_int_equal(s.failures, 0);
	assert_true(s.errors[QUOTE_SERVER_ERROR] >= 2);
	assert_int_equal(
	    s.attempts, s.errors[QUOTE_OK] + s.errors[QUOTE_SERVER_ERROR]);
	assert_in_range(s.latency_ms, 0, 5000);
	assert_true(now_unix_ms() - s.received_ms < 60000);
	struct poller_exchange_view e = view_exchange(ALPHA);
	assert_true(e.up);
	assert_int_equal(e.failures, s.errors[QUOTE_SERVER_ERROR]);
	assert_in_range(e.requests, s.attempts, s.attempts + 1);
	assert_in_range(e.requests_last_minute, 1, e.requests);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    WITH(test_a_key_that_is_pinned),
	    WITH(test_a_key_that_is_not_pinned),
	    WITH(test_a_ca_file),
	    WITH(test_clocks),
	    WITH(test_order),
	    WITH(test_before_the_first_answer),
	    WITH(test_counts),
	};
	return cmocka_run_group_tests_name(
	    "poller_views", tests, group_begin, group_end);
}
