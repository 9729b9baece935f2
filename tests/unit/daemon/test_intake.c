/* intake: many items that wait for one document: it is fetched once and
 * verified once. The whole daemon, with an oracle that takes its time. */
#include "verifierd_fixture.h"

#include "verifier/policy.h"

#define ITEMS 1000
#define BATCH 50 /* so many fit into a stream's queue */

static char *texts[ITEMS]; /* in the reference form */
static char hexes[ITEMS][65];

static void make_texts(void)
{
	uint8_t sha256[32];

	for (unsigned i = 0; i < ITEMS; i++) {
		struct mint_wish w = {
		    .sequence = i,
		    .previous = i ? sha256 : NULL,
		    .life_ms = 240000,
		};

		texts[i] = mint_item(&mint, &w, sha256);
		hex_encode(sha256, 32, hexes[i]);
	}
}

static void post_text(struct fixture *f, unsigned i)
{
	board_post(f->board, &(struct board_text){
				 .name = "BTC-USD",
				 .full = texts[i],
				 .ref = texts[i],
				 .sha256_hex = hexes[i],
				 .published_ms = now_unix_ms(),
				 .expires_ms = now_unix_ms() + 60000,
			     });
}

static size_t waiting(const struct fixture *f)
{
	return intake_waiting(f->daemon.intakes[0]);
}

/* All of them have come, the oracle has been asked for their document and has
 * not answered. */
static void let_them_wait(struct fixture *f)
{
	size_t before;

	f->hold_document = true;
	start_daemon(f);
	TURN_UNTIL(&f->loop, f->document_requests || (post_text(f, 0), false));
	/* the first may have been sent a few times */
	TURN_FOR(&f->loop, 50);
	before = waiting(f);
	for (unsigned i = 1; i < ITEMS; i++) {
		post_text(f, i);
		if (i % BATCH == 0 || i == ITEMS - 1)
			TURN_UNTIL(&f->loop, waiting(f) == before + i);
	}
	assert_true(waiting(f) >= ITEMS);
	assert_int_equal(f->document_requests, 1);
	assert_non_null(f->held);
}

static void answer(struct fixture *f)
{
	f->hold_document = false;
	answer_document(f);
	TURN_UNTIL(&f->loop, waiting(f) == 0);
	TURN_UNTIL(&f->loop, archive_writer_waiting(f->daemon.writer) == 0);
}

static void test_fetched_and_verified_once(void **state)
{
	struct fixture *f = *state;
	struct hm_cache_stats stats;

	let_them_wait(f);
	answer(f);
	assert_int_equal(f->document_requests, 1);
	assert_int_equal(validator_count(f->daemon.validator, HM_VALID), ITEMS);
	validator_cache_stats(f->daemon.validator, &stats);
	assert_int_equal(stats.misses, 1);
	assert_int_equal(stats.documents, 1);
	assert_int_equal(stats.signatures, 5);
	assert_true(stats.hits >= ITEMS - 1);
	assert_int_equal(count(f, "SELECT count(*) FROM items"), ITEMS);
	assert_int_equal(count(f, "SELECT count(*) FROM refused"), 0);
	get_until(f, "/price/BTC-USD", 200);
	get(f, "/readyz");
	says(f, "\"attestations\":{\"documents\":1,");
	says(f, "\"misses\":1,\"certificates\":5,\"certificate_hits\":0,"
		"\"certificate_misses\":5,\"signatures\":5}");
}

/* "Not found" is an answer for all who waited, and for nobody after them. */
static void test_not_found_once(void **state)
{
	struct fixture *f = *state;
	const struct validator *v;

	f->hide_document = true;
	let_them_wait(f);
	answer(f);
	v = f->daemon.validator;
	assert_int_equal(f->document_requests, 1);
	assert_true(validator_count(v, HM_ATTESTATION_MISSING) >= ITEMS);
	assert_int_equal(validator_count(v, HM_VALID), 0);
	f->hide_document = false;
	post_text(f, 0);
	TURN_UNTIL(&f->loop, validator_count(v, HM_VALID) == 1);
	assert_int_equal(f->document_requests, 2);
}

/* What cannot be read needs no document and holds nobody up. */
static void test_garbage_among_them(void **state)
{
	static const struct board_text garbage = {
	    .name = "BTC-USD",
	    .full = "{}",
	    .ref = "{}",
	    .sha256_hex = "00",
	};
	struct fixture *f = *state;
	size_t before;

	f->hide_document = true;
	f->hold_document = true;
	start_daemon(f);
	TURN_UNTIL(&f->loop, f->document_requests || (post_text(f, 0), false));
	TURN_FOR(&f->loop, 50);
	before = waiting(f);
	board_post(f->board, &garbage);
	post_text(f, 1);
	board_post(f->board, &garbage);
	TURN_UNTIL(&f->loop, waiting(f) == before + 3);
	answer(f);
	assert_int_equal(f->document_requests, 1);
	assert_int_equal(
	    validator_count(f->daemon.validator, HM_ENVELOPE_MALFORMED), 2);
}

/* One that is refused costs its signatures once. */
static void test_refused_once(void **state)
{
	struct fixture *f = *state;
	struct hm_cache_stats stats;

	let_them_wait(f);
	f->daemon.policy->releases[0].pins[0].value[0] ^= 1;
	answer(f);
	assert_true(
	    validator_count(f->daemon.validator, HM_PCR_MISMATCH) >= ITEMS);
	validator_cache_stats(f->daemon.validator, &stats);
	assert_int_equal(stats.misses, 1);
	assert_int_equal(stats.documents, 0);
	assert_int_equal(stats.signatures, 5);
}

static int make_all(void **state)
{
	make_mint(state);
	make_texts();
	return 0;
}

static int free_all(void **state)
{
	for (unsigned i = 0; i < ITEMS; i++)
		free(texts[i]);
	return free_mint(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_fetched_and_verified_once),
	    TEST(test_not_found_once),
	    TEST(test_garbage_among_them),
	    TEST(test_refused_once),
	};

	return cmocka_run_group_tests_name("intake", tests, make_all, free_all);
}
