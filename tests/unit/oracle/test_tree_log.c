/*
 * tree_log: items become heads that verify, follow each other and count every
 * item, whatever happens to a signature; and the last one at the end. The board
 * is this test's: it keeps what was posted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/now.h"
#include "identity_fixture.h"
#include "oracle/tree_log.h"
#include "verifier/merkle.h"

#define POSTS_MAX   32
#define DEADLINE_MS 20000 /* met only by a test that hangs */

static struct hm_head posts[POSTS_MAX];
static size_t post_count;
static struct tree_log *tree_log;
static uint64_t next[2];
static uint8_t items[2][64][32];
static unsigned stops;

/* ---- in place of base/board_event.c ---- */

void board_event(
    struct board *board, const char *event, const char *ref, const char *full)
{
	struct hm_envelope envelope, reference;

	(void)board;
	assert_true(post_count < POSTS_MAX);
	assert_string_equal(event, "tree_head");
	assert_int_equal(
	    hm_envelope_parse(&envelope, full, strlen(full)), HM_VALID);
	assert_int_equal(
	    hm_envelope_parse(&reference, ref, strlen(ref)), HM_VALID);
	assert_non_null(envelope.document);
	assert_null(reference.document);
	assert_string_equal(reference.content, envelope.content);
	assert_int_equal(hm_head_verify_live(identity.policy, NULL, &envelope,
			     NULL, 0, now_unix_ms(), &posts[post_count], NULL),
	    HM_VALID);
	post_count++;
	hm_envelope_fini(&envelope);
	hm_envelope_fini(&reference);
}

/* ---- running it ---- */

static void add(size_t feed)
{
	uint8_t *item = items[feed][next[feed]];

	memset(item, (int)feed + 1, 32);
	item[0] = (uint8_t)next[feed];
	tree_log_add(tree_log, feed, next[feed]++, item);
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

static void on_stopped(void *data)
{
	assert_ptr_equal(data, &stops);
	stops++;
}

static void run_until_stopped(void)
{
	int64_t end_ms = now_monotonic_ms() + DEADLINE_MS;

	while (stops == 0) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
		assert_true(now_monotonic_ms() < end_ms);
	}
}

static void stop(void)
{
	tree_log_stop(tree_log, on_stopped, &stops);
	tree_log_stop(tree_log, on_stopped, &stops); /* ignored */
	assert_int_equal(stops, 0);
	run_until_stopped();
}

static int up(void **state)
{
	post_count = stops = 0;
	memset(next, 0, sizeof(next));
	fixture_up(state);
	config.tree_head_interval_ms = 200;
	tree_log = tree_log_start(&(struct tree_log_options){
	    .loop = &fixture_loop,
	    .config = &config,
	    .signer = identity.signer,
	    .attestation = identity.attestation,
	    .policy = identity.policy,
	    .boot_id = identity.boot_id,
	    .platform = identity.attester->ops->platform,
	});
	return 0;
}

static int down(void **state)
{
	if (stops == 0)
		stop();
	fixture_down(state); /* the loop has nothing left in it */
	assert_int_equal(stops, 1);
	tree_log_free(tree_log);
	return 0;
}

static struct tree_log_stats stats(void)
{
	struct tree_log_stats out;

	tree_log_stats(tree_log, &out);
	return out;
}

/* The tree that the items and the heads so far give, as anybody would rebuild
 * it: BTC-USD, the second of the configuration, comes first. */
static void rebuild(void)
{
	struct merkle tree = {.size = 0};
	uint64_t counted[2] = {0};
	uint8_t leaf[32], root[32];

	for (size_t i = 0; i < post_count; i++) {
		for (size_t f = 0; f < posts[i].feed_count; f++) {
			const struct hm_head_feed *feed = &posts[i].feeds[f];
			size_t at = strcmp(feed->feed, "BTC-USD") == 0;

			for (; counted[at] < feed->next_sequence;
			     counted[at]++) {
				assert_int_equal(
				    merkle_leaf(
					items[at][counted[at]], 32, leaf),
				    0);
				assert_int_equal(
				    merkle_append(&tree, leaf, NULL, NULL), 0);
			}
		}
		assert_int_equal(merkle_root(&tree, root), 0);
		assert_int_equal(tree.size, posts[i].tree_size);
		assert_memory_equal(root, posts[i].root_sha256, 32);
		assert_int_equal(posts[i].number, i);
		if (i > 0)
			assert_int_equal(
			    hm_head_compare(&posts[i - 1], &posts[i]),
			    HM_VALID);
	}
}

/* ---- tests ---- */

static void heads_follow_each_other(void **state)
{
	(void)state;
	add(0);
	add(1);
	add(0);
	run_until_posts(1);
	assert_int_equal(posts[0].tree_size, 3);
	assert_int_equal(posts[0].feed_count, 2);
	assert_memory_equal(posts[0].boot_id, identity.boot_id, 16);
	add(1);
	run_until_posts(2);
	add(0);
	add(0);
	run_until_posts(3);
	assert_int_equal(posts[2].tree_size, 6);
	rebuild();
	assert_int_equal(stats().heads, 3);
	assert_int_equal(stats().tree_size, 6);
	assert_int_equal(stats().waiting, 0);
	assert_int_equal(stats().failures, 0);
}

/* Neither at an interval nor at the end. */
static void without_items_there_is_no_head(void **state)
{
	int64_t end_ms = now_monotonic_ms() + 500;

	(void)state;
	while (now_monotonic_ms() < end_ms) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(5000);
	}
	stop();
	assert_int_equal(post_count, 0);
	assert_null(tree_log_newest(tree_log)->full);
}

static void the_newest_is_kept(void **state)
{
	const struct tree_log_newest *newest = tree_log_newest(tree_log);

	(void)state;
	assert_null(newest->full);
	add(0);
	run_until_posts(1);
	add(0);
	run_until_posts(2);
	assert_non_null(strstr(newest->full, "attestation_doc_b64"));
	assert_null(strstr(newest->ref, "attestation_doc_b64"));
	assert_non_null(strstr(newest->ref, "\\\"tree_size\\\":2,"));
	assert_int_equal(newest->tree_size, 2);
	assert_int_equal(newest->published_ms, posts[1].published_ms);
}

/* ---- the end ---- */

static void the_last_head_counts_all(void **state)
{
	(void)state;
	add(0);
	add(1);
	stop();
	assert_int_equal(post_count, 1);
	assert_int_equal(posts[0].tree_size, 2);
}

static void hold(uv_work_t *work)
{
	uv_sem_wait(work->data);
}

/* Works that keep the thread pool, so that a signature waits. */
static uv_work_t works[4];
static uv_sem_t go;

static void hold_pool(void)
{
	uv_sem_init(&go, 0);
	for (size_t i = 0; i < 4; i++) {
		works[i].data = &go;
		uv_queue_work(&fixture_loop, &works[i], hold, NULL);
	}
}

static void release_pool(void)
{
	for (size_t i = 0; i < 4; i++)
		uv_sem_post(&go);
}

/* Turns the loop until the timer has fired, surely. */
static void pass_interval(void)
{
	int64_t end_ms = now_monotonic_ms() + 600;

	while (now_monotonic_ms() < end_ms) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(5000);
	}
}

/* The end comes while a head is being signed: that one, and then the last. */
static void stopped_while_signing(void **state)
{
	(void)state;
	hold_pool();
	add(0);
	pass_interval();
	add(1);
	tree_log_stop(tree_log, on_stopped, &stops);
	uv_run(&fixture_loop, UV_RUN_NOWAIT);
	assert_int_equal(stops, 0);
	release_pool();
	run_until_stopped();
	assert_int_equal(post_count, 2);
	assert_int_equal(posts[0].tree_size, 1);
	assert_int_equal(posts[1].tree_size, 2);
	rebuild();
	uv_sem_destroy(&go);
}

/* One head in the making at most, however long it takes. */
static void a_slow_signature(void **state)
{
	(void)state;
	hold_pool();
	add(0);
	pass_interval();
	add(0);
	add(1);
	pass_interval();
	assert_int_equal(post_count, 0);
	release_pool();
	run_until_posts(2);
	assert_int_equal(posts[0].tree_size, 1);
	assert_int_equal(posts[1].tree_size, 3);
	rebuild();
	uv_sem_destroy(&go);
}

/* ---- what fails ---- */

/* A policy that does not know us: our own head is not believed, and not
 * shown. Its items are in the next one. (The options are the struct's first
 * member.) */
static void one_that_does_not_verify(void **state)
{
	struct hm_policy *good = identity.policy;
	struct tree_log_options *with = (struct tree_log_options *)tree_log;
	struct hm_policy *other = hm_policy_new();
	int64_t end_ms = now_monotonic_ms() + DEADLINE_MS;

	(void)state;
	log_set_level(LOG_ERROR);
	with->policy = other; /* its first member */
	add(0);
	while (stats().failures == 0) {
		uv_run(&fixture_loop, UV_RUN_NOWAIT);
		usleep(500);
		assert_true(now_monotonic_ms() < end_ms);
	}
	assert_int_equal(post_count, 0);
	assert_int_equal(stats().waiting, 1);
	with->policy = good;
	add(1);
	run_until_posts(1);
	assert_int_equal(posts[0].number, 0);
	assert_int_equal(posts[0].tree_size, 2);
	rebuild();
	hm_policy_free(other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)
	const struct CMUnitTest tests[] = {
	    TEST(heads_follow_each_other),
	    TEST(without_items_there_is_no_head),
	    TEST(the_newest_is_kept),
	    TEST(the_last_head_counts_all),
	    TEST(stopped_while_signing),
	    TEST(a_slow_signature),
	    TEST(one_that_does_not_verify),
	};

	int failed = cmocka_run_group_tests_name("tree_log", tests, NULL, NULL);

	uv_library_shutdown(); /* the pool's threads, and what OpenSSL has */
	return failed;
}
