/*
 * publisher: ticks become items that link, verify and hold the rate of their
 * own round. The poller and the board are this test's: it says what each
 * source answered, and keeps what was posted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "identity_fixture.h"
#include "oracle/clock_check.h"
#include "oracle/publisher.h"

#include <openssl/sha.h>
#include <stdatomic.h>

#define POSTS_MAX   64
#define DEADLINE_MS 20000 /* met only by a test that hangs */

struct post {
	struct hm_envelope envelope;
	struct item item;
	bool unavailable;
};

static struct post posts[POSTS_MAX];
static size_t post_count;
static bool kraken_fails, coinbase_fails;
static int usdt_micros; /* what one USDT costs */
static int usdt_step;   /* and how it moves at each tick */
static bool has_witnesses;
static int64_t exchanges_ahead_ms;
static int64_t btc_cents;
static unsigned ticks; /* of any feed */
static size_t leaves;  /* that the log was given */

/* ---- in place of oracle/poller.c and base/board.c ---- */

static struct decimal number(int64_t mantissa, int exponent)
{
	return (struct decimal){mantissa, exponent};
}

static void answer(struct item_source *source, int64_t now_ms)
{
	bool usdt = strcmp(source->exchange, "kraken") == 0;

	usdt_micros -= usdt ? usdt_step : 0;
	source->state = SOURCE_USED;
	source->has_answer = true;
	source->received_ms = now_ms - 100;
	source->quote.has_last = true;
	source->quote.last = usdt ? number(usdt_micros, -6)
				  : number(btc_cents, -2);
	if ((usdt && kraken_fails) ||
	    (coinbase_fails && source->exchange[0] == 'c')) {
		source->state = SOURCE_FAILED;
		source->error = QUOTE_MAINTENANCE;
		source->quote = (struct quote){0};
	}
}

void poller_read(const struct poller *poller, const struct feed_config *feed,
    int64_t now_ms, struct item_source *sources)
{
	(void)poller;
	for (size_t i = 0; i < feed->source_count; i++) {
		const struct feed_source *from = &feed->sources[i];

		sources[i] = (struct item_source){0};
		snprintf(sources[i].exchange, sizeof(sources[i].exchange), "%s",
		    from->exchange->name);
		snprintf(sources[i].symbol, sizeof(sources[i].symbol), "%s",
		    from->symbol);
		snprintf(sources[i].via, sizeof(sources[i].via), "%s",
		    from->quote_feed);
		answer(&sources[i], now_ms);
	}
}

bool poller_clock_offset(
    const struct poller *poller, int64_t now_monotonic_ms, int64_t *offset_ms)
{
	(void)poller;
	assert_true(now_monotonic_ms > 0);
	ticks++;
	*offset_ms = exchanges_ahead_ms;
	return has_witnesses;
}

static bool decimal_is(const char *text, struct decimal number)
{
	char wanted[DECIMAL_STRMAX];

	decimal_format(number, wanted);
	return strcmp(text, wanted) == 0;
}

void board_post(struct board *board, const struct board_text *text)
{
	struct post *post = &posts[post_count];
	struct hm_envelope reference;

	(void)board;
	assert_true(post_count < POSTS_MAX);
	assert_int_equal(
	    hm_envelope_parse(&post->envelope, text->full, strlen(text->full)),
	    HM_VALID);
	assert_int_equal(
	    hm_envelope_parse(&reference, text->ref, strlen(text->ref)),
	    HM_VALID);
	assert_non_null(post->envelope.document);
	assert_null(reference.document);
	assert_string_equal(reference.content, post->envelope.content);
	hm_envelope_fini(&reference);
	assert_int_equal(item_decode(&post->item, post->envelope.content,
			     post->envelope.content_len),
	    0);
	assert_string_equal(text->name, post->item.feed);
	assert_int_equal(text->expires_ms, post->item.expires_ms);
	post->unavailable = text->unavailable != NULL;
	assert_int_equal(text->sequence, post->item.sequence);
	assert_int_equal(strlen(text->boot_id), 32);
	if (post->unavailable)
		assert_true(!text->price && !text->confidence);
	else
		assert_true(
		    decimal_is(text->price, post->item.price) &&
		    decimal_is(text->confidence, post->item.confidence));
	post_count++;
}

/* ---- in place of oracle/tree_log.c ---- */

/* Each item, right behind its post. */
void tree_log_add(struct tree_log *log, size_t feed, uint64_t sequence,
    const uint8_t content_sha256[HM_SHA256_LEN])
{
	const struct post *post = &posts[post_count - 1];
	uint8_t sha256[HM_SHA256_LEN];

	(void)log;
	assert_true(post_count == ++leaves);
	assert_string_equal(config.feeds.feeds[feed].feed, post->item.feed);
	assert_int_equal(sequence, post->item.sequence);
	SHA256((const uint8_t *)post->envelope.content,
	    post->envelope.content_len, sha256);
	assert_memory_equal(content_sha256, sha256, HM_SHA256_LEN);
}

/* ---- running it ---- */

static struct publisher *publisher;

static void start(void)
{
	publisher = publisher_start(&(struct publisher_options){
	    .loop = &fixture_loop,
	    .config = &config,
	    .signer = identity.signer,
	    .attestation = identity.attestation,
	    .policy = identity.policy,
	    .boot_id = identity.boot_id,
	    .platform = identity.attester->ops->platform,
	});
}

static void run_until_posts(size_t count)
{
	int64_t end_ms = now_monotonic_ms() + DEADLINE_MS;

	while (post_count < count) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
		assert_true(now_monotonic_ms() < end_ms);
	}
}

static void run_until_ticks(unsigned count)
{
	int64_t end_ms = now_monotonic_ms() + DEADLINE_MS;

	while (ticks < count) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
		assert_true(now_monotonic_ms() < end_ms);
	}
}

static const struct post *find(const char *feed)
{
	for (size_t i = post_count; i > 0; i--)
		if (strcmp(posts[i - 1].item.feed, feed) == 0)
			return &posts[i - 1];
	return NULL;
}

static const struct post *last(const char *feed)
{
	const struct post *found = find(feed);

	if (found == NULL)
		fail_msg("nothing of %s", feed);
	return found;
}

static int up(void **state)
{
	kraken_fails = coinbase_fails = false;
	usdt_micros = 999000;
	usdt_step = 0;
	btc_cents = 8400000;
	has_witnesses = false;
	exchanges_ahead_ms = 0;
	post_count = leaves = ticks = 0;
	fixture_up(state);
	start();
	return 0;
}

static int down(void **state)
{
	publisher_stop(publisher);
	publisher_stop(publisher); /* idempotent */
	uv_run(&fixture_loop, UV_RUN_NOWAIT);
	fixture_down(state);
	publisher_free(publisher);
	for (size_t i = 0; i < post_count; i++)
		hm_envelope_fini(&posts[i].envelope);
	return 0;
}

/* ---- tests ---- */

static void items_link_and_verify(void **state)
{
	uint8_t previous[2][32] = {{0}};
	uint64_t sequence[2] = {0};

	(void)state;
	run_until_posts(8);
	for (size_t i = 0; i < post_count; i++) {
		const struct post *post = &posts[i];
		int feed = strcmp(post->item.feed, "BTC-USD") == 0;
		struct hm_item item;

		assert_int_equal(hm_item_verify_replay(identity.policy, NULL,
				     &post->envelope, NULL, 0, &item, NULL),
		    HM_VALID);
		assert_int_equal(post->item.sequence, sequence[feed]++);
		assert_memory_equal(
		    post->item.previous_sha256, previous[feed], 32);
		SHA256((const uint8_t *)post->envelope.content,
		    post->envelope.content_len, previous[feed]);
	}
	assert_int_equal(leaves, post_count);
	assert_true(sequence[0] >= 3 && sequence[1] >= 3);
}

/* The newest USDT-USD when this item was made. A feed whose signature is still
 * under way ticks later, so numbers need not agree. */
static const struct item *usdt_of_round(const struct item *item)
{
	const struct item *found = NULL;

	for (size_t i = 0; i < post_count; i++)
		if (strcmp(posts[i].item.feed, "USDT-USD") == 0 &&
		    posts[i].item.published_ms <= item->published_ms)
			found = &posts[i].item;
	assert_non_null(found);
	return found;
}

/* The USDT-USD of the very tick, though it is not signed yet: the test's rate
 * is another one at each tick. */
static void an_item_holds_the_rate_of_its_round(void **state)
{
	const struct item *item;

	(void)state;
	usdt_step = 1000;
	run_until_posts(6);
	item = &last("BTC-USD")->item;
	while (last("USDT-USD")->item.published_ms <= item->published_ms)
		run_until_posts(post_count + 1);
	assert_int_equal(item->status, ITEM_OK);
	assert_string_equal(item->sources[0].via, "USDT-USD");
	assert_true(item->sources[0].has_rate);
	assert_int_equal(item->sources[0].rate.mantissa,
	    usdt_of_round(item)->price.mantissa);
	/* 84000.00 times the rate in millionths, in cents */
	assert_int_equal(item->sources[0].price.mantissa,
	    84 * item->sources[0].rate.mantissa / 10);
}

/* ---- slow signatures ---- */

#define POOL 4 /* libuv's threads */

static atomic_uint held;

static void hold(uv_work_t *work)
{
	held++;
	uv_sem_wait(work->data);
}

/* Once none of the pool's threads does anything else. */
static void hold_pool(uv_sem_t *go)
{
	static uv_work_t works[POOL];
	int64_t end_ms = now_monotonic_ms() + DEADLINE_MS;

	held = 0;
	for (size_t i = 0; i < POOL; i++) {
		works[i].data = go;
		uv_queue_work(&fixture_loop, &works[i], hold, NULL);
	}
	while (held < POOL) {
		usleep(500);
		assert_true(now_monotonic_ms() < end_ms);
	}
}

static void stop_timer(uv_handle_t *handle, void *data)
{
	(void)data;
	if (handle->type == UV_TIMER)
		uv_timer_stop((uv_timer_t *)handle);
}

/* One tick that comes while the item before it is being signed is late, not
 * lost; more than one are one. No timer runs when the signatures are done. */
static void a_tick_waits_for_the_signature(void **state)
{
	static uv_sem_t go;
	uint64_t next;

	(void)state;
	while (find("BTC-USD") == NULL)
		run_until_posts(post_count + 1);
	uv_sem_init(&go, 0);
	hold_pool(&go);
	run_until_ticks(ticks + 2 * 5);
	uv_walk(&fixture_loop, stop_timer, NULL);
	next = last("BTC-USD")->item.sequence + 1;
	for (size_t i = 0; i < POOL; i++)
		uv_sem_post(&go);
	run_until_posts(post_count + 4);
	assert_int_equal(last("BTC-USD")->item.sequence, next + 1);
	uv_sem_destroy(&go);
}

static void too_few_sources_are_signed_as_unavailable(void **state)
{
	const struct post *post;

	(void)state;
	coinbase_fails = true;
	run_until_posts(post_count + 4);
	post = last("BTC-USD");
	assert_true(post->unavailable);
	assert_int_equal(post->item.status, ITEM_UNAVAILABLE);
	assert_int_equal(post->item.reason, ITEM_INSUFFICIENT_SOURCES);
	assert_int_equal(post->item.sources[1].error, QUOTE_MAINTENANCE);
	coinbase_fails = false;
	run_until_posts(post_count + 4);
	assert_false(last("BTC-USD")->unavailable);
}

static void without_its_rate_a_source_has_failed(void **state)
{
	const struct post *post;

	(void)state;
	kraken_fails = true;
	run_until_posts(post_count + 4);
	post = last("BTC-USD");
	assert_true(post->unavailable);
	assert_int_equal(post->item.sources[0].state, SOURCE_FAILED);
	assert_int_equal(post->item.sources[0].error, QUOTE_NO_RATE);
	assert_false(post->item.sources[0].has_rate);
	assert_true(last("USDT-USD")->unavailable);
}

/* ---- the clock ---- */

/* The newest of both feeds, made after now. */
static void assert_both(enum item_reason reason)
{
	run_until_posts(post_count + 4);
	assert_int_equal(last("BTC-USD")->item.reason, reason);
	assert_int_equal(last("USDT-USD")->item.reason, reason);
	assert_int_equal(last("BTC-USD")->unavailable, reason != 0);
}

/* To the millisecond, either way; who is not heard says nothing. */
static void the_exchanges_clocks_are_witnesses(void **state)
{
	static const struct {
		bool heard;
		int64_t ahead_ms;
		enum item_reason reason;
	} cases[] = {
	    {true, 0, ITEM_NO_REASON},
	    {true, CLOCK_CHECK_LIMIT_MS, ITEM_NO_REASON},
	    {true, CLOCK_CHECK_LIMIT_MS + 1, ITEM_CLOCK_UNCERTAIN},
	    {true, -CLOCK_CHECK_LIMIT_MS, ITEM_NO_REASON},
	    {true, -CLOCK_CHECK_LIMIT_MS - 1, ITEM_CLOCK_UNCERTAIN},
	    {true, INT64_MIN, ITEM_CLOCK_UNCERTAIN},
	    {false, INT64_MAX, ITEM_NO_REASON},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		has_witnesses = cases[i].heard;
		exchanges_ahead_ms = cases[i].ahead_ms;
		assert_both(cases[i].reason);
	}
}

/* ---- the past ---- */

static const struct post *nth(const char *feed, uint64_t sequence)
{
	for (size_t i = 0; i < post_count; i++)
		if (strcmp(posts[i].item.feed, feed) == 0 &&
		    posts[i].item.sequence == sequence)
			return &posts[i];
	return NULL;
}

/* Told once and confirmed by the next: what was published is the past. */
static void a_jump_waits_for_one_round(void **state)
{
	uint64_t sequence;

	(void)state;
	run_until_posts(post_count + 4);
	assert_int_equal(last("BTC-USD")->item.status, ITEM_OK);
	sequence = last("BTC-USD")->item.sequence;
	btc_cents *= 2;
	while (!nth("BTC-USD", sequence + 3))
		run_until_posts(post_count + 1);
	/* one may have been in the making */
	if (nth("BTC-USD", sequence + 1)->item.status == ITEM_OK)
		sequence++;
	assert_int_equal(
	    nth("BTC-USD", sequence + 1)->item.reason, ITEM_PRICE_JUMP);
	assert_true(nth("BTC-USD", sequence + 1)->unavailable);
	assert_int_equal(nth("BTC-USD", sequence + 2)->item.status, ITEM_OK);
	assert_true(decimal_compare(nth("BTC-USD", sequence + 2)->item.price,
			number(16000000, -2)) > 0);
}

static void the_newest_is_what_was_posted(void **state)
{
	(void)state;
	for (size_t i = 0; i < config.feeds.count; i++)
		assert_null(publisher_newest(publisher, i));
	for (int round = 0; round < 4; round++) {
		run_until_posts(post_count + 2);
		for (size_t i = 0; i < config.feeds.count; i++) {
			const struct item *newest = publisher_newest(
			    publisher, i);
			const struct item *posted =
			    &last(config.feeds.feeds[i].feed)->item;
			assert_non_null(newest);
			assert_int_equal(newest->sequence, posted->sequence);
			assert_int_equal(
			    publisher_items(publisher, i, ITEM_NO_REASON),
			    posted->sequence + 1);
			assert_int_equal(publisher_items(publisher, i,
					     ITEM_INSUFFICIENT_SOURCES),
			    0);
			assert_int_equal(
			    newest->published_ms, posted->published_ms);
			assert_int_equal(
			    newest->price.mantissa, posted->price.mantissa);
			assert_memory_equal(newest->previous_sha256,
			    posted->previous_sha256, 32);
		}
	}
}

static void nothing_is_posted_after_the_stop(void **state)
{
	size_t before;

	(void)state;
	run_until_posts(2);
	/* until a signature may be under way */
	for (int i = 0; i < 600; i++) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	before = post_count;
	publisher_stop(publisher);
	for (int i = 0; i < 600; i++) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
	}
	assert_int_equal(post_count, before);
}

#define PUBLISHER_TEST(name) cmocka_unit_test_setup_teardown(name, up, down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    PUBLISHER_TEST(items_link_and_verify),
	    PUBLISHER_TEST(an_item_holds_the_rate_of_its_round),
	    PUBLISHER_TEST(a_tick_waits_for_the_signature),
	    PUBLISHER_TEST(too_few_sources_are_signed_as_unavailable),
	    PUBLISHER_TEST(without_its_rate_a_source_has_failed),
	    PUBLISHER_TEST(the_exchanges_clocks_are_witnesses),
	    PUBLISHER_TEST(a_jump_waits_for_one_round),
	    PUBLISHER_TEST(the_newest_is_what_was_posted),
	    PUBLISHER_TEST(nothing_is_posted_after_the_stop),
	};
	int failed = cmocka_run_group_tests_name(
	    "publisher", tests, NULL, NULL);

	uv_library_shutdown();
	return failed;
}
