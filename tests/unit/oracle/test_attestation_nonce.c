/* attestation: those who ask for a document with their nonce. */
#include "oracle/attestation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/attestation_fixture.h"
#include "verifier/attested_data.h"

/* What an asker is known by: its letter, 16 times, was its nonce. */
static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

static void note(const struct attestation_document *doc,
    const struct nonce_path *path, const char letter)
{
	struct attested_data attested;
	struct hm_document read;
	uint8_t nonce[16];

	memset(nonce, letter, sizeof(nonce));
	assert_int_equal(
	    hm_document_read(doc->bytes, doc->len, &read), HM_VALID);
	assert_int_equal(
	    hm_nonce_verify(read.nonce.bytes, read.nonce.len, nonce,
		sizeof(nonce), path ? path->index : 0, path ? path->size : 0,
		path ? (const uint8_t(*)[32])path->proof.hashes : NULL,
		path ? path->proof.count : 0),
	    HM_VALID);
	assert_int_equal(
	    attested_data_parse(&attested,
		(struct slice){read.user_data.bytes, read.user_data.len}),
	    0);
	seen.has_content = attested.has_content;
	memcpy(seen.content_sha256, attested.content_sha256, HM_SHA256_LEN);
	seen.sizes[seen.answered % 63] = path ? (unsigned)path->size : 1;
	seen.nonces[seen.answered++ % 63] = letter;
}

static void on_nonce(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	if (doc != NULL) {
		assert_null(error);
		note(doc, path, *(const char *)data);
		return;
	}
	assert_null(path);
	seen.failed++;
	snprintf(seen.error, sizeof(seen.error), "%s", error);
}

static int ask_for(char letter, const uint8_t *content_sha256)
{
	uint8_t nonce[16];

	memset(nonce, letter, sizeof(nonce));
	return attestation_request_nonce(keeper, nonce, sizeof(nonce),
	    content_sha256, on_nonce, (void *)strchr(letters, letter));
}

static void ask(char letter)
{
	assert_int_equal(ask_for(letter, NULL), 0);
}

static void run_until_answered(unsigned count)
{
	while (seen.answered + seen.failed < count)
		uv_run(&loop, UV_RUN_ONCE);
}

/* The first one has a document for itself; who comes meanwhile, one for all. */
static void test_nonces(void **state)
{
	struct attestation_stats stats;
	unsigned calls;

	(void)state;
	start(0);
	calls = fake.calls;
	ask('a');
	ask('b');
	ask('c');
	ask('d');
	assert_int_equal(seen.answered, 0);
	run_until_answered(4);
	assert_string_equal(seen.nonces, "abcd");
	assert_int_equal(seen.sizes[0], 1);
	assert_int_equal(seen.sizes[1], 3);
	assert_int_equal(seen.sizes[3], 3);
	assert_int_equal(fake.calls, calls + 2);
	assert_int_equal(seen.changed, 1); /* they are nobody else's */
	assert_false(seen.has_content);
	attestation_stats(keeper, &stats);
	assert_int_equal(stats.calls, fake.calls);
	assert_int_equal(stats.nonces, 4);
	assert_int_equal(stats.waiting, 0);
}

static void on_largest(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	struct hm_document read;

	assert_null(error);
	assert_int_equal(
	    hm_document_read(doc->bytes, doc->len, &read), HM_VALID);
	assert_int_equal(
	    hm_nonce_verify(read.nonce.bytes, read.nonce.len, data,
		ATTESTER_NONCE_MAX, path ? path->index : 0,
		path ? path->size : 0,
		path ? (const uint8_t(*)[32])path->proof.hashes : NULL,
		path ? path->proof.count : 0),
	    HM_VALID);
	seen.answered++;
}

static void test_sizes(void **state)
{
	uint8_t nonce[ATTESTER_NONCE_MAX + 1] = {'z'};

	(void)state;
	start(0);
	assert_int_equal(attestation_request_nonce(keeper, nonce, sizeof(nonce),
			     NULL, on_nonce, &seen),
	    UV_EINVAL);
	assert_int_equal(
	    attestation_request_nonce(keeper, nonce, 0, NULL, on_nonce, &seen),
	    UV_EINVAL);
	for (unsigned i = 1; i <= 3; i++) { /* alone, then two together */
		assert_int_equal(
		    attestation_request_nonce(keeper, nonce, ATTESTER_NONCE_MAX,
			NULL, on_largest, nonce),
		    0);
		if (i != 2)
			run_until_answered(i);
	}
}

/* Two batches do not follow each other sooner than that. */
static void test_pace(void **state)
{
	unsigned calls;
	uint64_t begin;

	(void)state;
	start(0);
	begin = uv_now(&loop);
	calls = fake.calls;
	for (unsigned i = 1; i <= 6; i++) {
		ask('a');
		run_until_answered(i);
	}
	assert_int_equal(fake.calls, calls + 6);
	/* By the loop's clock, which lags behind where the machine is slow. */
	assert_true(uv_now(&loop) - begin >= 5 * ATTESTATION_CALL_MS);
}

static void test_too_many_nonces(void **state)
{
	(void)state;
	start(0);
	fake.stall = true;
	for (unsigned i = 0; i < ATTESTATION_NONCES_MAX; i++)
		ask('a');
	assert_int_equal(ask_for('b', NULL), UV_EAGAIN);
	fake.stall = false;
	uv_sem_post(&fake.go);
	run_until_answered(ATTESTATION_NONCES_MAX);
	assert_int_equal(seen.answered, ATTESTATION_NONCES_MAX);
	ask('b');
	run_until_answered(ATTESTATION_NONCES_MAX + 1);
}

static void test_failed_nonces(void **state)
{
	(void)state;
	start(0);
	fake.fail_next = 1;
	ask('a');
	run_until_answered(1);
	assert_string_equal(seen.error, "made to fail");
	fake.no_nonce = true;
	ask('a');
	ask('b');
	run_until_answered(3);
	assert_string_equal(
	    seen.error, "the attester's document: nonce_mismatch");
	assert_int_equal(seen.failed, 3);
	fake.no_nonce = false;
	ask('b');
	run_until_answered(4);
	assert_string_equal(seen.nonces, "b");
}

/* While many ask, the renewal that everybody needs is not the last. */
static void test_renewal_goes_first(void **state)
{
	(void)state;
	start(1);
	fake.stall = true;
	ask('a');
	ask('b');
	/* The timer's millisecond passes while the first one stalls. */
	uv_sleep(5);
	uv_run(&loop, UV_RUN_NOWAIT);
	clock_ms++;
	fake.stall = false;
	uv_sem_post(&fake.go);
	while (seen.changed < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(seen.answered < 2);
	run_until_answered(2);
}

static void ask_again(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	assert_non_null(doc);
	on_nonce(doc, path, error, data);
	ask('y');
}

static void test_asks_from_the_callback(void **state)
{
	uint8_t nonce[16];

	(void)state;
	start(0);
	memset(nonce, 'x', sizeof(nonce));
	assert_int_equal(attestation_request_nonce(keeper, nonce, 16, NULL,
			     ask_again, (void *)strchr(letters, 'x')),
	    0);
	run_until_answered(2);
	assert_string_equal(seen.nonces, "xy");
}

/* ---- with a result ---- */

static void test_results(void **state)
{
	static const uint8_t one[32] = "one", two[32] = "two";

	(void)state;
	start(0);
	ask('a'); /* its call is under way */
	assert_int_equal(ask_for('b', one), 0);
	assert_int_equal(ask_for('c', two), 0);
	assert_int_equal(ask_for('d', one), 0);
	ask('e');
	ask('f');
	run_until_answered(3);
	/* b and d are the oldest that wait; they share one */
	assert_memory_equal(seen.nonces, "abd", 3);
	assert_int_equal(seen.sizes[1], 2);
	assert_true(seen.has_content);
	assert_memory_equal(seen.content_sha256, one, 32);
	/* the other result waits for its turn, and lets others pass */
	run_until_answered(5);
	assert_memory_equal(seen.nonces, "abdef", 5);
	assert_false(seen.has_content);
	run_until_answered(6);
	assert_string_equal(seen.nonces, "abdefc");
	assert_int_equal(seen.sizes[5], 1);
	assert_memory_equal(seen.content_sha256, two, 32);
}

static void test_too_many_results(void **state)
{
	uint8_t content[32] = {0};

	(void)state;
	start(0);
	fake.stall = true;
	ask('a');
	for (unsigned i = 0; i < ATTESTATION_RESULTS_MAX; i++) {
		content[0] = (uint8_t)i;
		assert_int_equal(ask_for('b', content), 0);
	}
	assert_int_equal(ask_for('c', content), 0); /* of one that waits */
	content[0]++;
	assert_int_equal(ask_for('d', content), UV_EAGAIN);
	ask('e'); /* for none */
	fake.stall = false;
	attestation_stop(keeper, on_stopped, &seen);
	uv_sem_post(&fake.go);
	run_out();
	assert_int_equal(seen.failed, ATTESTATION_RESULTS_MAX + 3);
}

/* What is bound may change while it runs: the next document has it. */
static void test_bound_changes(void **state)
{
	static const uint8_t spki[32] = "a key";
	struct attested_data attested;
	struct hm_document read;

	(void)state;
	start(1);
	bound.tls_spki_sha256 = spki;
	while (seen.changed < 3) {
		clock_ms++;
		uv_run(&loop, UV_RUN_ONCE);
	}
	bound.tls_spki_sha256 = NULL;
	assert_int_equal(
	    hm_document_read(attestation_current(keeper, clock_ms)->bytes,
		attestation_current(keeper, clock_ms)->len, &read),
	    HM_VALID);
	assert_int_equal(
	    attested_data_parse(&attested,
		(struct slice){read.user_data.bytes, read.user_data.len}),
	    0);
	assert_true(attested.has_tls);
	assert_memory_equal(attested.tls_spki_sha256, spki, 32);
}

/* ---- stop ---- */

static void test_none_after_a_stop(void **state)
{
	(void)state;
	start(0);
	attestation_stop(keeper, on_stopped, &seen);
	assert_int_equal(ask_for('b', NULL), UV_ECANCELED);
	run_out();
	assert_int_equal(seen.answered + seen.failed, 0);
}

/* Those who wait hear of it before the call is back; the one whose call it
 * is hears last. */
static void test_stop_with_nonces(void **state)
{
	(void)state;
	start(0);
	fake.stall = true;
	ask('a');
	ask('b');
	ask('c');
	attestation_stop(keeper, on_stopped, &seen);
	assert_int_equal(seen.failed, 0);
	while (seen.failed < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(seen.failed, 2);
	assert_string_equal(seen.error, "the oracle is stopping");
	assert_int_equal(seen.stopped, 0);
	uv_sem_post(&fake.go);
	run_out();
	assert_int_equal(seen.failed, 3);
	assert_int_equal(seen.answered, 0);
}

static void test_stop_while_paced(void **state)
{
	(void)state;
	start(0);
	ask('a');
	run_until_answered(1);
	ask('b'); /* no call is under way: the timer is */
	attestation_stop(keeper, on_stopped, &seen);
	run_out();
	assert_int_equal(seen.failed, 1);
}

static void stop_now(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	on_nonce(doc, path, error, data);
	attestation_stop(keeper, on_stopped, &seen);
}

static void test_stop_from_a_nonce(void **state)
{
	uint8_t nonce[16];

	(void)state;
	start(0);
	memset(nonce, 'x', sizeof(nonce));
	assert_int_equal(attestation_request_nonce(keeper, nonce, 16, NULL,
			     stop_now, (void *)strchr(letters, 'x')),
	    0);
	ask('y');
	run_out();
	assert_string_equal(seen.nonces, "x");
	assert_int_equal(seen.failed, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	    TEST(test_nonces),
	    TEST(test_sizes),
	    TEST(test_pace),
	    TEST(test_too_many_nonces),
	    TEST(test_failed_nonces),
	    TEST(test_renewal_goes_first),
	    TEST(test_asks_from_the_callback),
	    TEST(test_results),
	    TEST(test_too_many_results),
	    TEST(test_bound_changes),
	    TEST(test_none_after_a_stop),
	    TEST(test_stop_with_nonces),
	    TEST(test_stop_while_paced),
	    TEST(test_stop_from_a_nonce),
	};
	int rc = cmocka_run_group_tests_name(
	    "attestation_nonce", tests, NULL, NULL);

	uv_library_shutdown();
	return rc;
}
