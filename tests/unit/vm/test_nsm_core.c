/* nsm_core: the oracle's own client talks to it, and hostile requests do. */
#include "tests/vm/nsm_core.h"

#include "base/log.h"
#include "oracle/attester_nsm.h"
#include "verifier/hallmark.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static struct attester *module, *client;
static struct nsm_core core;
static char error[ATTESTER_ERROR_MAX];

static int to_core(int fd, struct attester_nsm_raw *raw)
{
	(void)fd;
	raw->response.len = nsm_core_answer(&core,
	    (const uint8_t *)(uintptr_t)raw->request.addr,
	    (size_t)raw->request.len, (uint8_t *)(uintptr_t)raw->response.addr);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_ERROR);
	snprintf(directory, sizeof(directory), "/tmp/test_nsm_core.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	module = attester_simulated_open(directory, error);
	assert_non_null(module);
	assert_int_equal(nsm_core_init(&core, module, error), 0);
	client = attester_nsm_open_with("/dev/null", to_core, error);
	return client != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	static const char *const names[] = {
	    "simulated-root.pem", "simulated-root-key.pem"};
	char path[128];

	(void)state;
	client->ops->close(client);
	module->ops->close(module);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		unlink(path);
	}
	return rmdir(directory);
}

static void describe(
    unsigned index, uint8_t value[ATTESTER_PCR_LEN], int locked)
{
	int found;

	assert_int_equal(
	    client->ops->describe_pcr(client, index, value, &found, error), 0);
	assert_int_equal(found, locked);
}

static void a_pcr_is_extended_then_locked(void **state)
{
	uint8_t both[ATTESTER_PCR_LEN + 3] = {0}, wanted[ATTESTER_PCR_LEN];
	uint8_t value[ATTESTER_PCR_LEN];

	(void)state;
	describe(16, value, 0);
	assert_memory_equal(value, both, sizeof(value));
	assert_int_equal(client->ops->extend_pcr(
			     client, 16, (const uint8_t *)"abc", 3, error),
	    0);
	memcpy(both + ATTESTER_PCR_LEN, "abc", 3);
	EVP_Digest(both, sizeof(both), wanted, NULL, EVP_sha384(), NULL);
	describe(16, value, 0);
	assert_memory_equal(value, wanted, sizeof(value));
	assert_int_equal(client->ops->lock_pcr(client, 16, error), 0);
	describe(16, value, 1);
	assert_int_equal(client->ops->extend_pcr(
			     client, 16, (const uint8_t *)"abc", 3, error),
	    -1);
	assert_non_null(strstr(error, "ReadOnlyIndex"));
	assert_int_equal(client->ops->lock_pcr(client, 16, error), -1);
	assert_non_null(strstr(error, "ReadOnlyIndex"));
}

static void what_does_not_exist_is_refused(void **state)
{
	uint8_t value[ATTESTER_PCR_LEN];
	int locked;

	(void)state;
	assert_int_equal(
	    client->ops->describe_pcr(client, 32, value, &locked, error), -1);
	assert_non_null(strstr(error, "InvalidIndex"));
	assert_int_equal(client->ops->lock_pcr(client, 65535, error), -1);
	assert_non_null(strstr(error, "InvalidIndex"));
}

/* The documents verify under the module's root, with what was asked in them,
 * and not under AWS's. */
static void documents_verify_under_its_root_only(void **state)
{
	const struct attester_request request = {
	    .nonce = (const uint8_t *)"nonce", .nonce_len = 5};
	const char *pem = module->ops->root_pem(module);
	struct hm_policy *ours = hm_policy_new(), *aws = hm_policy_new();
	uint8_t bytes[ATTESTER_DOCUMENT_MAX];
	uint8_t pcr0[ATTESTER_PCR_LEN];
	struct hm_document document;
	size_t len;

	(void)state;
	describe(0, pcr0, 1);
	assert_int_equal(
	    client->ops->attest(client, &request, bytes, &len, error), 0);
	assert_int_equal(hm_policy_add_root_pem(ours, pem, strlen(pem)), 0);
	assert_int_equal(hm_policy_add_root_name(aws, "aws-nitro-g1"), 0);
	for (int i = 0; i < 2; i++) {
		struct hm_policy *policy = i == 0 ? ours : aws;
		int release = hm_policy_add_release(
		    policy, "x", INT64_MIN, INT64_MAX);

		assert_int_equal(
		    hm_policy_add_pcr(policy, release, 0, pcr0), 0);
		assert_int_equal(
		    hm_document_verify_live(policy, NULL, bytes, len,
			(int64_t)time(NULL) * 1000, (const uint8_t *)"nonce", 5,
			&document, NULL) == HM_VALID,
		    i == 0);
	}
	hm_policy_free(ours);
	hm_policy_free(aws);
}

static void too_much_is_refused(void **state)
{
	static const uint8_t zeros[ATTESTER_NONCE_MAX + 1];
	const struct attester_request request = {
	    .nonce = zeros, .nonce_len = sizeof(zeros)};
	uint8_t bytes[ATTESTER_DOCUMENT_MAX];
	size_t len;

	(void)state;
	assert_int_equal(
	    client->ops->attest(client, &request, bytes, &len, error), -1);
	assert_non_null(strstr(error, "InputTooLarge"));
}

/* ---- requests that our client does not make ---- */

static enum nsm_message_status raw(struct nsm_message_answer *answer,
    enum nsm_message_kind wanted, const void *request, size_t len)
{
	static uint8_t out[NSM_MESSAGE_ANSWER_MAX];
	size_t n = nsm_core_answer(&core, request, len, out);

	assert_true(n > 0);
	return nsm_message_decode(answer, wanted, out, n);
}

static void random_bytes_and_ranges(void **state)
{
	struct nsm_message_request lock = {
	    .kind = NSM_MESSAGE_LOCK_PCRS, .range = 20};
	uint8_t request[NSM_MESSAGE_REQUEST_MAX], value[ATTESTER_PCR_LEN];
	struct nsm_message_answer answer;

	(void)state;
	assert_int_equal(
	    raw(&answer, NSM_MESSAGE_GET_RANDOM, "\x69GetRandom", 10), 0);
	assert_int_equal(answer.data.len, 256);
	assert_int_equal(raw(&answer, lock.kind, request,
			     nsm_message_encode(&lock, request)),
	    0);
	assert_int_equal(answer.kind, NSM_MESSAGE_LOCK_PCRS);
	describe(19, value, 1);
	describe(20, value, 0);
	assert_int_equal(raw(&answer, NSM_MESSAGE_DESCRIBE_NSM,
			     "\x6b"
			     "DescribeNSM",
			     12),
	    0);
	assert_int_equal(answer.locked_mask, (1u << 20) - 1);
	assert_memory_equal(answer.module_id, "i-", 2);
	lock.range = 33;
	assert_int_equal(raw(&answer, lock.kind, request,
			     nsm_message_encode(&lock, request)),
	    0);
	assert_string_equal(answer.error, "InvalidIndex");
}

#define BYTES(text)                    \
	{                              \
		text, sizeof(text) - 1 \
	}

static void what_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} requests[] = {
	    BYTES(""),
	    BYTES("\xff"),
	    BYTES("\xa0"),              /* {} */
	    BYTES("\x69GetRandom\x00"), /* a byte too many */
	    BYTES("\x69GetRandon"),     /* another name */
	    BYTES("\x6b"
		  "Attestation"), /* without fields */
	    BYTES("\x68"
		  "ExtendPCR"), /* cut */
	    BYTES("\xa1\x69"
		  "ExtendPCR\xa1\x65index\x10"), /* no data */
	    BYTES("\xa1\x69"
		  "ExtendPCR\xa1\x65indey\x10"),
	    BYTES("\xa1\x67LockPCR\xa1\x65index\x61"
		  "1"),
	    BYTES("\xa1\x67LockPCR\xbf\x65index\x10\xff"),
	    BYTES("\xa1\x67LockPCR\xa1\x65index\x10\x00"), /* one more */
	    BYTES("\xa2\x67LockPCR\xa1\x65index\x10\x67LockPCR\xa1\x65index"),
	};
	struct nsm_message_answer answer;
	uint8_t value[ATTESTER_PCR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		assert_int_equal(raw(&answer, NSM_MESSAGE_LOCK_PCR,
				     requests[i].bytes, requests[i].len),
		    0);
		if (strcmp(answer.error, "InvalidOperation") != 0)
			fail_msg("request %zu: \"%s\"", i, answer.error);
	}
	describe(16, value, 0);
}

#define NSM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    NSM_TEST(a_pcr_is_extended_then_locked),
	    NSM_TEST(what_does_not_exist_is_refused),
	    NSM_TEST(documents_verify_under_its_root_only),
	    NSM_TEST(too_much_is_refused),
	    NSM_TEST(random_bytes_and_ranges),
	    NSM_TEST(what_is_no_request_is_refused),
	};

	return cmocka_run_group_tests_name("nsm_core", tests, NULL, NULL);
}
