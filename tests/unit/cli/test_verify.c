/* verify: its exit codes, which are the verdicts' classes, the same in the last
 * line and in the JSON. (8, of the order of items, takes more than one.) */
#include "verifier/base64.h"
#include "verifier/cli/command.c"
#include "verifier/cli/input.c"
#include "verifier/cli/json_of.c"
#include "verifier/cli/remedy.c"
#include "verifier/cli/rule.c"
#include "verifier/cli/verify.c"
#include "verifier/cli/verify_options.c"

#include "tests/unit/verifier/document_builder.c"

#include "hear.h"

static struct builder *b;
static char folder[] = "/tmp/verify-XXXXXX";
static char root[64], file[64], pcr[128];

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	assert_non_null(mkdtemp(folder));
	snprintf(root, sizeof(root), "%s/root.pem", folder);
	snprintf(file, sizeof(file), "%s/document", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	builder_free(b);
	unlink(root);
	unlink(file);
	return rmdir(folder);
}

static void write_file(const char *path, const void *bytes, size_t len)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
}

/* The document, its root and what its PCR0 is. */
static void write_files(void)
{
	char hex[2 * HM_PCR_LEN + 1];
	char *pem;

	builder_make(b);
	pem = builder_root_pem(b);
	write_file(root, pem, strlen(pem));
	write_file(file, b->document.at, b->document.len);
	hex_encode(b->pcrs[0], HM_PCR_LEN, hex);
	snprintf(pcr, sizeof(pcr), "0:%s", hex);
	free(pem);
}

static void expect(const char *with_root, const char *at, const char *name)
{
	const char *const plain[] = {
	    file, "--root", with_root, "--pcr", pcr, "--at", at, NULL};
	const char *const json[] = {file, "--root", with_root, "--pcr", pcr,
	    "--at", at, "--json", NULL};
	char text[80];
	int wanted = -1;

	for (int v = 0; v < HM_VERDICT_COUNT; v++)
		if (strcmp(hm_verdict_name((enum hm_verdict)v), name) == 0)
			wanted = hm_verdict_class((enum hm_verdict)v);
	assert_int_equal(hear(&command_verify, stdout, plain), wanted);
	snprintf(text, sizeof(text), "REFUSED %s (exit %d): ", name, wanted);
	says(wanted ? text : "VALID ", true);
	assert_int_equal(hear(&command_verify, stdout, json), wanted);
	snprintf(text, sizeof(text), "\"verdict\": \"%s\"", name);
	says(text, true);
	snprintf(text, sizeof(text), "\"exit\": %d", wanted);
	says(text, true);
}

static void test_exit_codes(void **state)
{
	(void)state;
	builder_reset(b);
	write_files();
	expect(root, "document", "valid");                        /* 0 */
	expect(root, "2026-11-21T09:01:00Z", "valid");            /* 0 */
	expect("aws-nitro-g1", "document", "root_untrusted");     /* 4 */
	expect(root, "2026-11-21T09:06:00Z", "document_too_old"); /* 6 */
	expect(root, "2027-11-21T09:06:00Z", "chain_expired");    /* 6 */
	pcr[2] ^= 1;
	expect(root, "document", "pcr_mismatch"); /* 5 */
	pcr[2] ^= 1;
	b->document.at[b->document.len - 1] ^= 1;
	write_file(file, b->document.at, b->document.len);
	expect(root, "document", "document_signature"); /* 3 */
	write_file(file, b->document.at, b->document.len - 1);
	expect(root, "document", "cose_malformed"); /* 2 */
	write_file(file, "{}", 2);
	expect(root, "document", "envelope_malformed"); /* 2 */
	memset(b->pcrs[0], 0, sizeof(b->pcrs[0]));
	write_files();
	expect(root, "document", "debug_enclave"); /* 7 */
}

/* As GET /attestation answers, with one thing wrong. */
static void answer(const char *sha256, const char *platform, const char *key,
    int64_t timestamp_ms, int64_t not_after_ms, const char *name)
{
	char *base64 = base64_encode(b->document.at, b->document.len);
	json_t *tree = json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}",
	    "attestation_sha256", sha256, "platform", platform, "public_key",
	    key, "timestamp_ms", (json_int_t)timestamp_ms, "not_after_ms",
	    (json_int_t)not_after_ms, "attestation_doc_b64", base64);
	char *text = json_dumps(tree, 0);

	write_file(file, text, strlen(text));
	expect(root, "document", name);
	free(text);
	json_decref(tree);
	free(base64);
}

static void test_answer(void **state)
{
	char hex[2 * HM_SHA256_LEN + 1], wrong[2 * HM_SHA256_LEN + 1];
	int64_t at = BUILDER_NOW_MS, until;
	uint8_t sha256[HM_SHA256_LEN];
	const char *pem;

	(void)state;
	builder_reset(b);
	write_files();
	pem = b->rsa_pem;
	until = at + b->not_after_s[BUILDER_LEAF] * 1000;
	EVP_Digest(
	    b->document.at, b->document.len, sha256, NULL, EVP_sha256(), NULL);
	hex_encode(sha256, sizeof(sha256), hex);
	memcpy(wrong, hex, sizeof(wrong));
	wrong[0] ^= 1;
	answer(hex, "simulated", pem, at, until, "valid");
	answer(wrong, "simulated", pem, at, until, "attestation_mismatch");
	answer("", "simulated", pem, at, until, "attestation_mismatch");
	answer(hex, "simulated", pem, at + 1, until, "attestation_mismatch");
	answer(hex, "simulated", pem, at, until - 1, "attestation_mismatch");
	answer(hex, "aws-nitro", pem, at, until, "platform_mismatch");
	answer(hex, "simulated", pem + 1, at, until, "key_not_attested");
	answer(hex, "simulated", "", at, until, "key_not_attested");
	/* What the document itself is comes first. */
	b->document.at[b->document.len - 1] ^= 1;
	answer(wrong, "x", "x", 0, 0, "document_signature");
	/* One that attests no such key. */
	builder_reset(b);
	b->public_key.len = 0;
	write_files();
	EVP_Digest(
	    b->document.at, b->document.len, sha256, NULL, EVP_sha256(), NULL);
	hex_encode(sha256, sizeof(sha256), hex);
	answer(hex, "simulated", pem, at, until, "key_not_attested");
}

/* What is valid only because the policy asks for so little says so. */
static void test_caveats(void **state)
{
	static struct hm_document real;

	(void)state;
	snprintf(real.platform, sizeof(real.platform), "aws-nitro");
	assert_string_equal(check_view_caveat(&real), "");
	real.debug = true;
	assert_non_null(strstr(check_view_caveat(&real), "DEBUG ENCLAVE"));
	builder_reset(b);
	write_files();
	expect(root, "document", "valid");
	assert_int_equal(hear(&command_verify, stdout,
			     (const char *const[]){file, "--root", root,
				 "--pcr", pcr, "--at", "document", NULL}),
	    COMMAND_OK);
	says("SIMULATED: no enclave is behind it", true);
}

/* 1: a question that cannot be asked, and a file that cannot be read. */
static void test_usage(void **state)
{
	const char *const wrong[][8] = {
	    {NULL},
	    {file, NULL},
	    {file, "--root", root, NULL},
	    {file, "--pcr", pcr, NULL},
	    {file, "--root", "/nonexistent", "--pcr", pcr, NULL},
	    {file, "--policy", "/nonexistent", NULL},
	    {"/nonexistent", "--root", root, "--pcr", pcr, NULL},
	    {file, "--root", root, "--pcr", pcr, "--at", "published", NULL},
	    {file, "--root", root, "--pcr", pcr, "--surprise", NULL},
	};

	(void)state;
	builder_reset(b);
	write_files();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(
		    hear(&command_verify, stderr, wrong[i]), COMMAND_USAGE);
		says("Try: hallmark verify --help", true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_exit_codes),
	    cmocka_unit_test(test_answer),
	    cmocka_unit_test(test_caveats),
	    cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("verify", tests, setup, teardown);
}
