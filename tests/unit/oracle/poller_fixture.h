/*
 * poller_fixture: a poller that asks the exchanges of poller_markets, behind
 * one proxy and real TLS. What they say is set by the test while they run;
 * nothing is timed but by "until".
 */
#ifndef HALLMARK_TESTS_POLLER_FIXTURE_H
#define HALLMARK_TESTS_POLLER_FIXTURE_H

#include "oracle/poller.h"

#include "oracle/https_client.h"

#include <signal.h>

#include "tests/unit/oracle/poller_markets.h"

/* ---- the fixture ---- */

static struct {
	struct pki pki;
	struct pki_cert leaf;
	SSL_CTX *tls;
	uv_loop_t loop;
	uv_timer_t tick, guard;
	struct peer peer;
	struct config config;
	struct poller *poller;
} f;

static int group_begin(void **state)
{
	char error[HTTPS_ERROR_MAX];
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	pki_init(&f.pki);
	f.leaf = pki_leaf(&f.pki,
	    "DNS:alpha.test,DNS:beta.test,DNS:batch.test,DNS:whole.test,"
	    "DNS:slow.test");
	f.tls = https_tls_context(f.pki.ca_path, error);
	return f.tls == NULL;
}

static int group_end(void **state)
{
	(void)state;
	SSL_CTX_free(f.tls);
	pki_cert_fini(&f.leaf);
	pki_fini(&f.pki);
	return 0;
}

static struct feed_config *add_feed(const char *name, int64_t interval_ms)
{
	struct feed_config *feed = &f.config.feeds.feeds[f.config.feeds.count];
	f.config.feeds.count++;
	*feed = (struct feed_config){
	    .decimals = 2,
	    .interval_ms = interval_ms,
	    .max_age_ms = 60000,
	    .min_sources = 1,
	};
	snprintf(feed->feed, sizeof(feed->feed), "%s", name);
	return feed;
}

static void add_source(
    struct feed_config *feed, enum market m, const char *symbol)
{
	struct feed_source *source = &feed->sources[feed->source_count++];
	source->exchange = &markets[m];
	snprintf(source->symbol, sizeof(source->symbol), "%s", symbol);
}

/* T000 to T199, in as many feeds as that takes. */
static PKI_UNUSED void add_200(enum market m, int64_t interval_ms)
{
	struct feed_config *feed = NULL;

	for (int i = 0; i < 200; i++) {
		char symbol[16];
		if (i % FEED_SOURCES_MAX == 0)
			feed = add_feed("T-USD", interval_ms);
		snprintf(symbol, sizeof(symbol), "T%03d", i);
		add_source(feed, m, symbol);
	}
}

static void on_guard(uv_timer_t *timer)
{
	(void)timer;
	pki_need(false, "the test hangs");
}

static void on_tick(uv_timer_t *timer)
{
	(void)timer;
}

static void begin_peer(void)
{
	char uri[64];

	memset(&f.peer, 0, sizeof(f.peer));
	f.peer.context = pki_server(&f.leaf, 0);
	f.peer.proxy = "HTTP/1.1 200 OK\r\n\r\n";
	f.peer.story = play_markets;
	peer_start(&f.peer);
	snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%u", f.peer.port);
	f.config.has_proxy = true;
	assert_int_equal(endpoint_parse(&f.config.proxy, uri), 0);
}

static int begin(void **state)
{
	(void)state;
	memset(&f.config, 0, sizeof(f.config));
	memset((void *)seen, 0, sizeof(seen));
	begin_peer();
	assert_int_equal(uv_loop_init(&f.loop), 0);
	uv_timer_init(&f.loop, &f.tick);
	uv_timer_init(&f.loop, &f.guard);
	uv_timer_start(&f.tick, on_tick, 5, 5);
	uv_timer_start(&f.guard, on_guard, 120000, 0);
	return 0;
}

static void start(void)
{
	f.poller = poller_start(&f.loop, &f.config, f.tls);
}

/* Also the check that poller_stop() leaves nothing, whatever was going on. */
static int end(void **state)
{
	(void)state;
	poller_stop(f.poller);
	poller_stop(f.poller);
	uv_close((uv_handle_t *)&f.tick, NULL);
	uv_close((uv_handle_t *)&f.guard, NULL);
	uv_run(&f.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f.loop), 0);
	poller_free(f.poller);
	f.poller = NULL;
	peer_stop(&f.peer);
	SSL_CTX_free(f.peer.context);
	return 0;
}

/* ---- looking and waiting ---- */

static PKI_UNUSED struct item_source read_at(
    const struct feed_config *feed, size_t i, int64_t now_ms)
{
	struct item_source sources[FEED_SOURCES_MAX];
	poller_read(f.poller, feed, now_ms, sources);
	return sources[i];
}

static PKI_UNUSED struct item_source read_now(
    const struct feed_config *feed, size_t i)
{
	return read_at(feed, i, now_unix_ms());
}

struct wanted {
	enum market market;
	const char *symbol; /* NULL: the first */
	struct poller_exchange_view exchange;
	struct poller_source_view source;
	bool found;
};

static void on_view(const struct poller_exchange_view *exchange,
    const struct poller_source_view *source, void *data)
{
	struct wanted *wanted = data;

	if (exchange->exchange != &markets[wanted->market] || wanted->found ||
	    (wanted->symbol != NULL &&
		strcmp(source->symbol, wanted->symbol) != 0))
		return;
	wanted->exchange = *exchange;
	wanted->source = *source;
	wanted->found = true;
}

static struct wanted look(enum market m, const char *symbol)
{
	struct wanted wanted = {.market = m, .symbol = symbol};

	poller_visit(f.poller, now_monotonic_ms(), NULL, on_view, &wanted);
	assert_true(wanted.found);
	return wanted;
}

static PKI_UNUSED struct poller_source_view view_source(
    enum market m, const char *symbol)
{
	return look(m, symbol).source;
}

static PKI_UNUSED struct poller_exchange_view view_exchange(enum market m)
{
	return look(m, NULL).exchange;
}

static void turn(void)
{
	uv_run(&f.loop, UV_RUN_ONCE);
}

static PKI_UNUSED void until_asked(atomic_uint *counter, unsigned n)
{
	while (atomic_load(counter) < n)
		turn();
}

static PKI_UNUSED void until_state(
    const struct feed_config *feed, size_t i, enum source_state state)
{
	while (read_now(feed, i).state != state)
		turn();
}

/* Until the source's newest attempt ended so. */
static PKI_UNUSED void until_error(
    enum market m, const char *symbol, enum quote_error error)
{
	while (view_source(m, symbol).newest != error)
		turn();
}

/* Until it has ended well n times. */
static PKI_UNUSED void until_good(enum market m, const char *symbol, uint64_t n)
{
	while (view_source(m, symbol).errors[QUOTE_OK] < n)
		turn();
}

static PKI_UNUSED void turn_for(int64_t ms)
{
	int64_t end_ms = now_monotonic_ms() + ms;
	while (now_monotonic_ms() < end_ms)
		turn();
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)

#endif
