/*
 * poller: two exchanges of our own making behind one proxy and real TLS. What
 * they say is set by the test while they run; nothing is timed but by "until".
 */
#include "oracle/poller.h"

#include "base/now.h"
#include "feeds/json_text.h"
#include "oracle/https_client.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/tls_peer.h"

/* ---- two exchanges ---- */

static int format_target(char out[static EXCHANGE_TARGET_MAX],
    const char *const *symbols, size_t count)
{
	assert_int_equal(count, 1);
	snprintf(out, EXCHANGE_TARGET_MAX, "/t?s=%s", symbols[0]);
	return 0;
}

/* {"last": 1.23}, or {"error": "..."}: a refusal in a 200. */
static enum quote_error read_quote(
    struct quote *out, const char *symbol, int status, const json_t *body)
{
	(void)symbol;
	(void)status;
	if (json_object_get(body, "error") != NULL)
		return QUOTE_RATE_LIMITED;
	const char *text = json_string_value(json_object_get(body, "last"));
	if (text == NULL)
		return QUOTE_BAD_BODY;
	text += strcspn(text, "0123456789"); /* json_text's mark */
	out->has_last = true;
	return decimal_parse(&out->last, text, strlen(text)) == 0
		   ? QUOTE_OK
		   : QUOTE_BAD_BODY;
}

static const struct exchange alpha = {
    .name = "alpha",
    .host = "alpha.test",
    .spacing_ms = 5,
    .named_max = 1,
    .format_target = format_target,
    .read = read_quote,
};
static const struct exchange beta = {
    .name = "beta",
    .host = "beta.test",
    .spacing_ms = 5,
    .named_max = 1,
    .format_target = format_target,
    .read = read_quote,
};

/* ---- what they say ---- */

enum mode {
	MOVING,
	STANDING,
	BROKEN,
	LIMITED,
	LIMITED_IN_A_200,
	HANGING
};

static atomic_int alpha_mode, beta_mode;
static atomic_uint alpha_asked, beta_asked, asked_of[3]; /* A, B, C */

static void say_price(struct peer_session *s, unsigned n)
{
	char body[64];
	snprintf(body, sizeof(body), "{\"last\":%u.50}", n);
	peer_json(s, body);
}

static void say(struct peer_session *s, enum mode mode, unsigned n)
{
	switch (mode) {
	case MOVING:
		say_price(s, n);
		break;
	case STANDING:
		say_price(s, 7);
		break;
	case BROKEN:
		peer_say(s, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
		break;
	case LIMITED:
		peer_say(s, "HTTP/1.1 429 Slow\r\nRetry-After: 3600\r\n"
			    "Content-Length: 0\r\n\r\n");
		break;
	case LIMITED_IN_A_200:
		peer_json(s, "{\"error\":\"too many requests\"}");
		break;
	case HANGING:
		peer_wait(s);
		break;
	}
}

static void play_exchange(struct peer_session *s)
{
	while (peer_request(s)) {
		const char *symbol = strstr(s->head, "s=");
		bool is_alpha = strstr(s->head, "Host: alpha.test") != NULL;
		if (is_alpha && symbol != NULL && symbol[2] >= 'A' &&
		    symbol[2] <= 'C')
			atomic_fetch_add(&asked_of[symbol[2] - 'A'], 1);
		unsigned n = 1 + atomic_fetch_add(
				     is_alpha ? &alpha_asked : &beta_asked, 1);
		say(s,
		    (enum mode)atomic_load(is_alpha ? &alpha_mode : &beta_mode),
		    n);
	}
}

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
	f.leaf = pki_leaf(&f.pki, "DNS:alpha.test,DNS:beta.test");
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

static void add_source(struct feed_config *feed,
    const struct exchange *exchange, const char *symbol)
{
	struct feed_source *source = &feed->sources[feed->source_count++];
	source->exchange = exchange;
	snprintf(source->symbol, sizeof(source->symbol), "%s", symbol);
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

static int begin(void **state)
{
	(void)state;
	memset(&f.config, 0, sizeof(f.config));
	memset(&f.peer, 0, sizeof(f.peer));
	atomic_store(&alpha_mode, MOVING);
	atomic_store(&beta_mode, MOVING);
	atomic_store(&alpha_asked, 0);
	atomic_store(&beta_asked, 0);
	for (int i = 0; i < 3; i++)
		atomic_store(&asked_of[i], 0);
	f.peer.context = pki_server(&f.leaf, 0);
	f.peer.proxy = "HTTP/1.1 200 OK\r\n\r\n";
	f.peer.story = play_exchange;
	peer_start(&f.peer);
	char uri[64];
	snprintf(uri, sizeof(uri), "tcp://127.0.0.1:%u", f.peer.port);
	f.config.has_proxy = true;
	assert_int_equal(endpoint_parse(&f.config.proxy, uri), 0);

	assert_int_equal(uv_loop_init(&f.loop), 0);
	uv_timer_init(&f.loop, &f.tick);
	uv_timer_init(&f.loop, &f.guard);
	uv_timer_start(&f.tick, on_tick, 5, 5);
	uv_timer_start(&f.guard, on_guard, 60000, 0);
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
	peer_stop(&f.peer);
	SSL_CTX_free(f.peer.context);
	return 0;
}

static struct item_source read_at(
    const struct feed_config *feed, size_t i, int64_t now_ms)
{
	struct item_source sources[FEED_SOURCES_MAX];
	poller_read(f.poller, feed, now_ms, sources);
	return sources[i];
}

static struct item_source read_now(const struct feed_config *feed, size_t i)
{
	return read_at(feed, i, now_unix_ms());
}

static void turn(void)
{
	uv_run(&f.loop, UV_RUN_ONCE);
}

static void until_asked(atomic_uint *counter, unsigned n)
{
	while (atomic_load(counter) < n)
		turn();
}

static void until_state(
    const struct feed_config *feed, size_t i, enum source_state state)
{
	while (read_now(feed, i).state != state)
		turn();
}

/* Until the source's newest attempt has this error, as seen once its last
 * good answer is too old. */
static void until_error(
    const struct feed_config *feed, size_t i, enum quote_error error)
{
	while (read_at(feed, i, now_unix_ms() + 3600000).error != error)
		turn();
}

static void turn_for(int64_t ms)
{
	int64_t end_ms = now_monotonic_ms() + ms;
	while (now_monotonic_ms() < end_ms)
		turn();
}

/* ---- tests ---- */

static void test_reads_all(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 50);
	uint8_t hash[32], spki[32];
	unsigned char *der = NULL;
	(void)state;

	add_source(feed, &alpha, "A");
	add_source(feed, &alpha, "B");
	add_source(feed, &beta, "A");
	snprintf(feed->sources[2].quote_feed, FEED_NAME_MAX, "USDT-USD");
	atomic_store(&beta_mode, STANDING);
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
	EVP_Digest("{\"last\":7.50}", 13, hash, NULL, EVP_sha256(), NULL);
	assert_memory_equal(s.body_sha256, hash, 32);
	int len = i2d_PUBKEY(f.leaf.key, &der);
	EVP_Digest(der, (size_t)len, spki, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	assert_memory_equal(s.tls_spki_sha256, spki, 32);
	assert_string_equal(read_now(feed, 0).via, "");
}

static void test_keeps_asking_on_one_connection(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, &alpha, "A");
	start();
	until_asked(&alpha_asked, 10);
	assert_int_equal(atomic_load(&f.peer.connections), 1);
}

/* One source in two feeds: asked once, as often as the faster one wants. */
static void test_shared_source(void **state)
{
	struct feed_config *slow = add_feed("SLOW-Y", 60000);
	struct feed_config *fast = add_feed("FAST-Y", 20);
	(void)state;
	add_source(slow, &alpha, "A");
	add_source(slow, &alpha, "B");
	add_source(fast, &alpha, "A");
	start();
	until_asked(&asked_of[0], 20);
	assert_int_equal(atomic_load(&asked_of[1]), 1);
	until_state(slow, 0, SOURCE_USED);
	struct item_source a = read_at(slow, 0, 0), b = read_at(fast, 0, 0);
	assert_int_equal(a.received_ms, b.received_ms);
	assert_memory_equal(a.body_sha256, b.body_sha256, 32);
}

static void test_shared_source_is_asked_once(void **state)
{
	struct feed_config *one = add_feed("ONE-Y", 60000);
	struct feed_config *two = add_feed("TWO-Y", 60000);
	(void)state;
	add_source(one, &alpha, "A");
	add_source(two, &alpha, "A");
	start();
	until_state(two, 0, SOURCE_USED);
	turn_for(300);
	assert_int_equal(atomic_load(&alpha_asked), 1);
}

/* More to ask than the budget allows: all get their turn. */
static void test_all_get_their_turn(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 1);
	(void)state;
	add_source(feed, &alpha, "A");
	add_source(feed, &alpha, "B");
	add_source(feed, &alpha, "C");
	start();
	until_asked(&alpha_asked, 30);
	for (int i = 0; i < 3; i++)
		assert_in_range(atomic_load(&asked_of[i]), 9, 11);
}

static void test_failure_and_recovery(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, &alpha, "A");
	start();
	until_state(feed, 0, SOURCE_USED);
	atomic_store(&alpha_mode, BROKEN);
	until_error(feed, 0, QUOTE_SERVER_ERROR);
	struct item_source s = read_now(feed, 0);
	assert_int_equal(s.state, SOURCE_USED); /* the good one is young */
	s = read_at(feed, 0, s.received_ms + feed->max_age_ms);
	assert_int_equal(s.state, SOURCE_USED);
	s = read_at(feed, 0, s.received_ms + feed->max_age_ms + 1);
	assert_int_equal(s.state, SOURCE_FAILED);
	assert_int_equal(s.error, QUOTE_SERVER_ERROR);
	atomic_store(&alpha_mode, MOVING);
	until_error(feed, 0, QUOTE_OK);
}

static void check_pause(enum mode mode)
{
	struct feed_config *feed = add_feed("X-Y", 20);

	add_source(feed, &alpha, "A");
	add_source(feed, &alpha, "B");
	add_source(feed, &beta, "A");
	atomic_store(&alpha_mode, (int)mode);
	start();
	until_error(feed, 0, QUOTE_RATE_LIMITED);
	turn_for(100); /* what was under way */
	unsigned asked = atomic_load(&alpha_asked);
	until_asked(&beta_asked, 20);
	turn_for(800); /* longer than a source's own back-off */
	assert_int_equal(atomic_load(&alpha_asked), asked);
	assert_in_range(asked, 1, POLLER_LANES);
	assert_int_equal(read_now(feed, 2).state, SOURCE_USED);
}

static void test_retry_after_pauses_the_exchange(void **state)
{
	(void)state;
	check_pause(LIMITED);
}

static void test_a_refusal_pauses_the_exchange(void **state)
{
	(void)state;
	check_pause(LIMITED_IN_A_200);
}

static void test_no_way_there(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	(void)state;
	add_source(feed, &alpha, "A");
	f.config.proxy.port = 1; /* nobody */
	start();
	until_error(feed, 0, QUOTE_CONNECT_FAILED);
	assert_int_equal(read_now(feed, 0).state, SOURCE_FAILED);
}

static void test_frozen(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 20);
	struct feed_config *off = add_feed("OFF-Y", 20);
	(void)state;
	feed->frozen_after_ms = 100;
	add_source(feed, &alpha, "A");
	add_source(off, &alpha, "A");
	atomic_store(&alpha_mode, STANDING);
	start();
	until_state(feed, 0, SOURCE_FROZEN);
	assert_int_equal(read_now(off, 0).state, SOURCE_USED);
	atomic_store(&alpha_mode, MOVING);
	until_state(feed, 0, SOURCE_USED);
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
	add_source(feed, &alpha, "A");
	atomic_store(&alpha_mode, BROKEN);
	dup2(fileno(log), STDERR_FILENO);
	start();
	until_asked(&alpha_asked, 4);
	atomic_store(&alpha_mode, MOVING);
	until_state(feed, 0, SOURCE_USED);
	until_asked(&alpha_asked, 10);
	dup2(saved, STDERR_FILENO);
	close(saved);
	assert_int_equal(count_lines(log, "source_failed"), 1);
	assert_int_equal(count_lines(log, "error=server_error"), 2);
	assert_int_equal(count_lines(log, "source_recovered"), 1);
	fclose(log);
}

/* ---- stop at each waiting state; end() does it ---- */

static void test_stop_at_once(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), &alpha, "A");
	start();
}

static void test_stop_while_asking(void **state)
{
	(void)state;
	add_source(add_feed("X-Y", 20), &alpha, "A");
	atomic_store(&alpha_mode, HANGING);
	start();
	until_asked(&alpha_asked, 1);
}

static void test_stop_while_waiting(void **state)
{
	struct feed_config *feed = add_feed("X-Y", 60000);
	(void)state;
	add_source(feed, &alpha, "A");
	start();
	until_state(feed, 0, SOURCE_USED);
}

static void test_without_sources(void **state)
{
	(void)state;
	start();
	turn();
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, begin, end)
	const struct CMUnitTest tests[] = {
	    WITH(test_reads_all),
	    WITH(test_keeps_asking_on_one_connection),
	    WITH(test_shared_source),
	    WITH(test_shared_source_is_asked_once),
	    WITH(test_all_get_their_turn),
	    WITH(test_failure_and_recovery),
	    WITH(test_retry_after_pauses_the_exchange),
	    WITH(test_a_refusal_pauses_the_exchange),
	    WITH(test_no_way_there),
	    WITH(test_frozen),
	    WITH(test_log),
	    WITH(test_stop_at_once),
	    WITH(test_stop_while_asking),
	    WITH(test_stop_while_waiting),
	    WITH(test_without_sources),
	};
	return cmocka_run_group_tests_name(
	    "poller", tests, group_begin, group_end);
}
