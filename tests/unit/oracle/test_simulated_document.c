/* The simulated attester as its users see it: libhallmark and, independently,
 * the openssl command judge what it gives by today's clock. */
#include "base/log.h"
#include "base/now.h"
#include "oracle/attester.h"
#include "oracle/simulated_root.h"
#include "verifier/cose.h"
#include "verifier/document.h"
#include "verifier/hallmark.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)
#define STRIDE  13 /* of the altered bytes: each costs some milliseconds */

static char folder[64], error[ATTESTER_ERROR_MAX];
static uint8_t document[ATTESTER_DOCUMENT_MAX];
static size_t document_len;
static struct attester *attester;

static struct attester *open_in(char path[64])
{
	struct attester *a;

	strcpy(path, "/tmp/test_simulated_doc.XXXXXX");
	assert_non_null(mkdtemp(path));
	a = attester_simulated_open(path, error);
	if (a == NULL)
		fail_msg("%s", error);
	return a;
}

static void close_in(struct attester *a, const char *path)
{
	char command[128];

	a->ops->close(a);
	snprintf(command, sizeof(command), "rm -r %s", path);
	assert_int_equal(system(command), 0);
}

static int setup(void **state)
{
	const struct attester_request request = {
	    .public_key = (const uint8_t *)"key",
	    .public_key_len = 3,
	    .user_data = (const uint8_t *)"",
	    .nonce = (const uint8_t *)"nonce",
	    .nonce_len = 5,
	};

	(void)state;
	log_set_level(LOG_ERROR);
	attester = open_in(folder);
	assert_int_equal(attester->ops->extend_pcr(attester, 16,
			     (const uint8_t *)"configuration", 13, error),
	    0);
	assert_int_equal(attester->ops->lock_pcr(attester, 16, error), 0);
	return attester->ops->attest(
	    attester, &request, document, &document_len, error);
}

static int teardown(void **state)
{
	(void)state;
	close_in(attester, folder);
	return 0;
}

/* The root of `root` and PCR0 to 2 and 16 of `pcrs`. */
static struct hm_policy *policy_of(struct attester *root, struct attester *pcrs)
{
	static const unsigned pinned[] = {0, 1, 2, 16};
	const char *pem = root->ops->root_pem(root);
	struct hm_policy *policy = hm_policy_new();
	uint8_t value[ATTESTER_PCR_LEN];
	int release, locked;

	assert_int_equal(hm_policy_add_root_pem(policy, pem, strlen(pem)), 0);
	release = hm_policy_add_release(policy, "r1", INT64_MIN, INT64_MAX);
	for (unsigned i = 0; i < 4; i++) {
		assert_int_equal(pcrs->ops->describe_pcr(
				     pcrs, pinned[i], value, &locked, error),
		    0);
		assert_int_equal(
		    hm_policy_add_pcr(policy, release, pinned[i], value), 0);
	}
	assert_int_equal(hm_policy_check(policy, error), 0);
	return policy;
}

static enum hm_verdict judge(
    const struct hm_policy *policy, int64_t at_ms, struct hm_document *out)
{
	return hm_document_verify_live(
	    policy, NULL, document, document_len, at_ms, NULL, 0, out, NULL);
}

static void test_valid(void **state)
{
	struct hm_policy *policy = policy_of(attester, attester);
	int64_t now_ms = now_unix_ms();
	struct hm_document read;

	(void)state;
	assert_int_equal(judge(policy, now_ms, &read), HM_VALID);
	assert_string_equal(read.platform, "simulated");
	assert_string_equal(read.release, "r1");
	assert_false(read.debug);
	assert_int_equal(read.pcr_mask, 0x1ffff);
	assert_int_equal(read.public_key.len, 3);
	assert_true(read.user_data.present);
	assert_int_equal(read.user_data.len, 0);
	assert_memory_equal(read.nonce.bytes, "nonce", 5);
	/* The leaf ends first, the instance's second is never later. */
	assert_in_range(read.not_after_ms - now_ms, 2 * HOUR_MS, 3 * HOUR_MS);
	assert_int_equal(
	    hm_document_verify_live(policy, NULL, document, document_len,
		now_ms, (const uint8_t *)"nonce", 5, &read, NULL),
	    HM_VALID);
	assert_int_equal(hm_document_verify_replay(policy, NULL, document,
			     document_len, NULL, 0, &read, NULL),
	    HM_VALID);
	hm_policy_free(policy);
}

/* Same PCRs, same code, another root: nobody's. */
static void test_another_root(void **state)
{
	char elsewhere[64];
	struct attester *other = open_in(elsewhere);
	struct hm_policy *policy = policy_of(other, attester);
	struct hm_document read;

	(void)state;
	assert_int_equal(
	    judge(policy, now_unix_ms(), &read), HM_ROOT_UNTRUSTED);
	hm_policy_free(policy);
	close_in(other, elsewhere);
}

static void test_amazons_root(void **state)
{
	struct hm_policy *policy = hm_policy_new();
	uint8_t value[ATTESTER_PCR_LEN];
	struct hm_document read;
	int release, locked;

	(void)state;
	assert_int_equal(hm_policy_add_root_name(policy, "aws-nitro-g1"), 0);
	release = hm_policy_add_release(policy, "r1", INT64_MIN, INT64_MAX);
	assert_int_equal(
	    attester->ops->describe_pcr(attester, 0, value, &locked, error), 0);
	assert_int_equal(hm_policy_add_pcr(policy, release, 0, value), 0);
	assert_int_equal(
	    judge(policy, now_unix_ms(), &read), HM_ROOT_UNTRUSTED);
	hm_policy_free(policy);
}

/* Another start has another instance but the same PCR0 to 2; its PCR16 is
 * not extended. */
static void test_another_configuration(void **state)
{
	char elsewhere[64];
	struct attester *other = open_in(elsewhere);
	struct hm_policy *policy = policy_of(attester, other);
	struct hm_document read;

	(void)state;
	assert_int_equal(judge(policy, now_unix_ms(), &read), HM_PCR_MISMATCH);
	hm_policy_free(policy);
	close_in(other, elsewhere);
}

static void test_times(void **state)
{
	struct hm_policy *policy = policy_of(attester, attester);
	int64_t now_ms = now_unix_ms();
	struct hm_document read;

	(void)state;
	assert_int_equal(
	    judge(policy, now_ms + HOUR_MS, &read), HM_DOCUMENT_TOO_OLD);
	assert_int_equal(
	    judge(policy, now_ms + 4 * HOUR_MS, &read), HM_CHAIN_EXPIRED);
	assert_int_equal(
	    judge(policy, now_ms - HOUR_MS, &read), HM_CHAIN_NOT_YET_VALID);
	/* A verifier whose clock is some seconds behind ours. */
	assert_int_equal(judge(policy, now_ms - 4000, &read), HM_VALID);
	hm_policy_free(policy);
}

static void test_altered(void **state)
{
	struct hm_policy *policy = policy_of(attester, attester);
	int64_t now_ms = now_unix_ms();
	struct hm_document read;

	(void)state;
	for (size_t i = 0; i < document_len; i += STRIDE) {
		document[i] ^= (uint8_t)(1u << i % 8);
		if (judge(policy, now_ms, &read) == HM_VALID)
			fail_msg("byte %zu may be altered", i);
		document[i] ^= (uint8_t)(1u << i % 8);
	}
	assert_int_equal(judge(policy, now_ms, &read), HM_VALID);
	hm_policy_free(policy);
}

/* ---- the openssl command ---- */

static void write_cert(const char *name, struct slice der)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.der", folder, name);
	file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(der.at, 1, der.len, file), der.len);
	assert_int_equal(fclose(file), 0);
}

/* The certificates of the document, as files. */
static void write_chain(void)
{
	static const char *const names[] = {
	    "root", "regional", "zonal", "instance"};
	struct document_certs certs;
	struct hm_document read;
	struct cose cose;

	assert_int_equal(cose_parse(&cose, document, document_len), HM_VALID);
	assert_int_equal(document_parse(&read, &certs, cose.payload), HM_VALID);
	write_cert("leaf", certs.leaf);
	assert_int_equal(certs.cabundle_count, 4);
	for (unsigned i = 0; i < 4; i++)
		write_cert(names[i], certs.cabundle[i]);
}

static int run(const char *script)
{
	char command[1024];

	snprintf(command, sizeof(command), "cd %s && { %s; } >/dev/null 2>&1",
	    folder, script);
	return system(command);
}

static void test_openssl_command(void **state)
{
	(void)state;
	if (system("openssl version >/dev/null 2>&1") != 0)
		skip();
	write_chain();
	assert_int_equal(
	    run("for i in regional zonal instance leaf root; do openssl x509 "
		"-inform DER -in $i.der -out $i.pem || exit 1; done; "
		"cat regional.pem zonal.pem instance.pem >between.pem"),
	    0);
	assert_int_equal(run("openssl verify -CAfile " SIMULATED_ROOT_CERT
			     " -untrusted between.pem leaf.pem"),
	    0);
	/* The file that a policy names is the document's own root. */
	assert_int_equal(run("openssl x509 -in " SIMULATED_ROOT_CERT
			     " -outform DER | cmp - root.der"),
	    0);
	/* And the command can say no. */
	assert_int_not_equal(
	    run("openssl verify -CAfile " SIMULATED_ROOT_CERT " leaf.pem"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_valid),
	    cmocka_unit_test(test_another_root),
	    cmocka_unit_test(test_amazons_root),
	    cmocka_unit_test(test_another_configuration),
	    cmocka_unit_test(test_times),
	    cmocka_unit_test(test_altered),
	    cmocka_unit_test(test_openssl_command),
	};

	return cmocka_run_group_tests_name(
	    "simulated_document", tests, setup, teardown);
}
