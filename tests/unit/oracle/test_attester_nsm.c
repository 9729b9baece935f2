/* attester_nsm against an NSM that answers in place of the ioctl: the
 * semantics of PCRs, documents, refusals, and answers that no NSM should
 * give. */
#include "oracle/attester_nsm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/oracle/fake_nsm.h"

static char error[ATTESTER_ERROR_MAX];

static int setup(void **state)
{
	struct attester *a;

	memset(&nsm, 0, sizeof(nsm));
	nsm.digest = "SHA384";
	for (unsigned i = 0; i < 16; i++)
		nsm.locked[i] = true;
	memset(nsm.pcr[0], 0xab, ATTESTER_PCR_LEN);
	a = attester_nsm_open_with("/dev/null", fake_ioctl, error);
	assert_non_null(a);
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct attester *a = *state;

	a->ops->close(a);
	return 0;
}

static void test_opens(void **state)
{
	struct attester *a = *state;

	assert_string_equal(a->ops->platform, "aws-nitro");
	assert_null(a->ops->root_pem(a));
	assert_int_equal(nsm.calls, 1);
}

static void test_pcrs(void **state)
{
	struct attester *a = *state;
	uint8_t value[ATTESTER_PCR_LEN], wanted[ATTESTER_PCR_LEN], old[51];
	int locked = -1;

	assert_int_equal(a->ops->describe_pcr(a, 0, value, &locked, error), 0);
	assert_int_equal(locked, 1);
	assert_int_equal(value[47], 0xab);
	assert_int_equal(a->ops->describe_pcr(a, 16, value, &locked, error), 0);
	assert_int_equal(locked, 0);

	memset(old, 0, 48);
	memcpy(old + 48, "abc", 3);
	assert_int_equal(
	    EVP_Digest(old, sizeof(old), wanted, NULL, EVP_sha384(), NULL), 1);
	assert_int_equal(
	    a->ops->extend_pcr(a, 16, (const uint8_t *)"abc", 3, error), 0);
	assert_int_equal(a->ops->lock_pcr(a, 16, error), 0);
	assert_int_equal(a->ops->describe_pcr(a, 16, value, &locked, error), 0);
	assert_int_equal(locked, 1);
	assert_memory_equal(value, wanted, sizeof(wanted));
}

static void test_refusals(void **state)
{
	struct attester *a = *state;
	uint8_t value[ATTESTER_PCR_LEN] = {1};
	const uint8_t *data = value;
	int locked = 7;

	assert_int_equal(a->ops->extend_pcr(a, 0, data, 1, error), -1);
	assert_string_equal(error, "NSM ExtendPCR: ReadOnlyIndex");
	assert_int_equal(a->ops->lock_pcr(a, 15, error), -1);
	assert_string_equal(error, "NSM LockPCR: ReadOnlyIndex");
	assert_int_equal(
	    a->ops->describe_pcr(a, 32, value, &locked, error), -1);
	assert_string_equal(error, "NSM DescribePCR: InvalidIndex");
	assert_int_equal(locked, 0);
	assert_int_equal(value[0], 0);
	/* An index goes out as it is, not cut to a byte. */
	assert_int_equal(a->ops->lock_pcr(a, 0x110, error), -1);
	assert_string_equal(error, "NSM LockPCR: InvalidIndex");
}

static void test_too_long_for_a_request(void **state)
{
	static uint8_t data[NSM_MESSAGE_REQUEST_MAX];
	struct attester *a = *state;

	assert_int_equal(
	    a->ops->extend_pcr(a, 16, data, sizeof(data), error), -1);
	assert_string_equal(error, "NSM ExtendPCR: InputTooLarge");
	assert_int_equal(nsm.calls, 1); /* that of the opening */
}

static void test_attest(void **state)
{
	static const uint8_t wanted[] = {0x43, 'k', 'e', 'y', 0xf6, 0x40};
	struct attester *a = *state;
	struct attester_request request = {
	    .public_key = (const uint8_t *)"key",
	    .public_key_len = 3,
	    .nonce = (const uint8_t *)"",
	};
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	size_t len;

	assert_int_equal(a->ops->attest(a, &request, document, &len, error), 0);
	assert_int_equal(len, sizeof(wanted));
	assert_memory_equal(document, wanted, len);
}

static void test_interrupted(void **state)
{
	struct attester *a = *state;

	nsm.interrupt = 3;
	assert_int_equal(a->ops->lock_pcr(a, 16, error), 0);
	assert_int_equal(nsm.calls, 1 + 4);
}

static void expect_no_document(struct attester *a, const char *why)
{
	struct attester_request request = {0};
	uint8_t document[ATTESTER_DOCUMENT_MAX];
	size_t len = 7;

	assert_int_equal(
	    a->ops->attest(a, &request, document, &len, error), -1);
	assert_string_equal(error, why);
	assert_int_equal(len, 0);
}

static void test_broken_answers(void **state)
{
	static const uint8_t empty_document[] = "\xa1\x6b"
						"Attestation\xa1\x68"
						"document\x40";
	static const uint8_t no_space[] = "\xa1\x65"
					  "Error\x6e"
					  "BufferTooSmall";
	struct attester *a = *state;

	nsm.cut = 1;
	expect_no_document(a, "NSM Attestation: malformed value in the answer");
	nsm.cut = 0;
	nsm.fail_errno = ETIMEDOUT;
	expect_no_document(a, "NSM Attestation: Connection timed out");
	nsm.fail_errno = 0;
	nsm.claim = 0x3001;
	expect_no_document(a, "NSM Attestation: Message too long");
	nsm.claim = 0x3000; /* zeros after the answer */
	expect_no_document(a, "NSM Attestation: bytes after the answer");
	nsm.claim = 0;
	nsm.answer = empty_document;
	nsm.answer_len = sizeof(empty_document) - 1;
	expect_no_document(a, "NSM Attestation: empty document");
	nsm.answer = no_space;
	nsm.answer_len = sizeof(no_space) - 1;
	expect_no_document(a, "NSM Attestation: BufferTooSmall");
	nsm.answer = (const uint8_t *)"\x67LockPCR";
	nsm.answer_len = 8;
	expect_no_document(a, "NSM Attestation: answer to another request");
}

static void test_short_pcr(void **state)
{
	static const uint8_t described[] = "\xa1\x6b"
					   "DescribePCR\xa2\x64"
					   "lock\xf5\x64"
					   "data\x41\x01";
	static const uint8_t extended[] = "\xa1\x69"
					  "ExtendPCR\xa1\x64"
					  "data\x41\x01";
	struct attester *a = *state;
	uint8_t value[ATTESTER_PCR_LEN];
	int locked;

	nsm.answer = described;
	nsm.answer_len = sizeof(described) - 1;
	assert_int_equal(a->ops->describe_pcr(a, 0, value, &locked, error), -1);
	assert_string_equal(error, "NSM DescribePCR: value is no SHA-384");
	nsm.answer = extended;
	nsm.answer_len = sizeof(extended) - 1;
	assert_int_equal(a->ops->extend_pcr(a, 16, value, 1, error), -1);
	assert_string_equal(error, "NSM ExtendPCR: value is no SHA-384");
}

static void test_random(void **state)
{
	struct attester *a = *state;
	uint8_t bytes[ATTESTER_NSM_RANDOM_MAX];
	size_t len = 0;

	nsm.random_len = sizeof(bytes);
	assert_int_equal(attester_nsm_random(a, bytes, &len, error), 0);
	assert_int_equal(len, sizeof(bytes));
	assert_int_equal(bytes[0], 1);
	assert_int_equal(bytes[sizeof(bytes) - 1], 1);
	nsm.random_len = 1;
	assert_int_equal(attester_nsm_random(a, bytes, &len, error), 0);
	assert_int_equal(len, 1);
	assert_int_equal(bytes[0], 2);
}

/* Nothing, or more than was ever promised, is no answer. */
static void test_random_refused(void **state)
{
	struct attester *a = *state;
	uint8_t bytes[ATTESTER_NSM_RANDOM_MAX];
	size_t len = 9;

	assert_int_equal(attester_nsm_random(a, bytes, &len, error), -1);
	assert_string_equal(error, "NSM GetRandom: no bytes, or too many");
	assert_int_equal(len, 0);
	nsm.random_len = sizeof(bytes) + 1;
	assert_int_equal(attester_nsm_random(a, bytes, &len, error), -1);
	nsm.fail_errno = EIO;
	assert_int_equal(attester_nsm_random(a, bytes, &len, error), -1);
	assert_string_equal(error, "NSM GetRandom: Input/output error");
}

static void test_does_not_open(void **state)
{
	(void)state;
	assert_null(attester_nsm_open("/nonexistent/nsm", error));
	assert_string_equal(
	    error, "NSM /nonexistent/nsm: No such file or directory");
	/* The real ioctl, on what is no NSM. */
	assert_null(attester_nsm_open("/dev/null", error));
	assert_string_equal(
	    error, "NSM DescribeNSM: Inappropriate ioctl for device");
	nsm.digest = "SHA256";
	assert_null(attester_nsm_open_with("/dev/null", fake_ioctl, error));
	assert_string_equal(error, "NSM DescribeNSM: its digest is not SHA384");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_opens, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_pcrs, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_too_long_for_a_request, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_attest, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_interrupted, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_broken_answers, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_short_pcr, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_random, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_random_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(
		test_does_not_open, setup, teardown),
	};

	return cmocka_run_group_tests_name("attester_nsm", tests, NULL, NULL);
}
