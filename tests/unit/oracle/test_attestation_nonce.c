/* attestation: those who ask for a document with their nonce. */
#include "oracle/attestation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/oracle/attestation_fixture.h"

static void on_nonce(
    const struct attestation_document *doc, const char *error, void *data)
{
	struct hm_document read;

	assert_ptr_equal(data, &seen);
	if (doc == NULL) {
		seen.failed++;
		snprintf(seen.error, sizeof(seen.error), "%s", error);
		return;
	}
	assert_null(error);
	assert_int_equal(
	    hm_document_read(doc->bytes, doc->len, &read), HM_VALID);
	assert_true(read.nonce.present);
	seen.nonces[seen.answered++ % 63] = (char)read.nonce.bytes[0];
}

static void ask(char letter)
{
	uint8_t nonce[16];

	memset(nonce, letter, sizeof(nonce));
	assert_int_equal(attestation_request_nonce(
			     keeper, nonce, sizeof(nonce), on_nonce, &seen),
	    0);
}

static void run_until_answered(unsigned count)
{
	while (seen.answered + seen.failed < count)
		uv_run(&loop, UV_RUN_ONCE);
}

static void test_nonces(void **state)
{
	uint8_t largest[ATTESTER_NONCE_MAX + 1] = {'z'};

	(void)state;
	start(0);
	ask('a');
	ask('b');
	ask('c');
	assert_int_equal(attestation_request_nonce(keeper, largest,
			     ATTESTER_NONCE_MAX, on_nonce, &seen),
	    0);
	assert_int_equal(attestation_request_nonce(
			     keeper, largest, sizeof(largest), on_nonce, &seen),
	    UV_EINVAL);
	assert_int_equal(
	    attestation_request_nonce(keeper, largest, 0, on_nonce, &seen),
	    UV_EINVAL);
	assert_int_equal(seen.answered, 0);
	run_until_answered(4);
	assert_string_equal(seen.nonces, "abcz");
	assert_int_equal(seen.changed, 1); /* they are nobody else's */
}

static void test_too_many_nonces(void **state)
{
	(void)state;
	start(0);
	fake.stall = true;
	for (unsigned i = 0; i < ATTESTATION_NONCES_MAX; i++)
		ask('a');
	assert_int_equal(attestation_request_nonce(
			     keeper, (const uint8_t *)"b", 1, on_nonce, &seen),
	    UV_EAGAIN);
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
	run_until_answered(2);
	assert_string_equal(
	    seen.error, "the attester's document: nonce_mismatch");
	fake.no_nonce = false;
	ask('b');
	run_until_answered(3);
	assert_string_equal(seen.nonces, "b");
}

/* While many ask, the renewal that everybody needs is not the last. */
static void test_renewal_goes_first(void **state)
{
	(void)state;
	start(1);
	fake.stall = true;
	for (unsigned i = 0; i < ATTESTATION_NONCES_MAX; i++)
		ask('a');
	/* The timer's millisecond passes while the first one stalls. */
	uv_sleep(5);
	uv_run(&loop, UV_RUN_NOWAIT);
	clock_ms++;
	fake.stall = false;
	uv_sem_post(&fake.go);
	while (seen.changed < 2)
		uv_run(&loop, UV_RUN_ONCE);
	assert_true(seen.answered < ATTESTATION_NONCES_MAX);
	run_until_answered(ATTESTATION_NONCES_MAX);
}

static void ask_again(
    const struct attestation_document *doc, const char *error, void *data)
{
	assert_non_null(doc);
	on_nonce(doc, error, data);
	ask('y');
}

static void test_asks_from_the_callback(void **state)
{
	(void)state;
	start(0);
	assert_int_equal(attestation_request_nonce(
			     keeper, (const uint8_t *)"x", 1, ask_again, &seen),
	    0);
	run_until_answered(2);
	assert_string_equal(seen.nonces, "xy");
}

/* ---- stop ---- */

static void test_none_after_a_stop(void **state)
{
	(void)state;
	start(0);
	attestation_stop(keeper, on_stopped, &seen);
	assert_int_equal(attestation_request_nonce(
			     keeper, (const uint8_t *)"b", 1, on_nonce, &seen),
	    UV_ECANCELED);
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

static void stop_now(
    const struct attestation_document *doc, const char *error, void *data)
{
	on_nonce(doc, error, data);
	attestation_stop(keeper, on_stopped, &seen);
}

static void test_stop_from_a_nonce(void **state)
{
	(void)state;
	start(0);
	assert_int_equal(attestation_request_nonce(
			     keeper, (const uint8_t *)"x", 1, stop_now, &seen),
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
	    TEST(test_too_many_nonces),
	    TEST(test_failed_nonces),
	    TEST(test_renewal_goes_first),
	    TEST(test_asks_from_the_callback),
	    TEST(test_none_after_a_stop),
	    TEST(test_stop_with_nonces),
	    TEST(test_stop_from_a_nonce),
	};
	int rc = cmocka_run_group_tests_name(
	    "attestation_nonce", tests, NULL, NULL);

	uv_library_shutdown();
	return rc;
}
