/* verify: its exit codes, which are the verdicts' classes, the same in the last
 * line and in the JSON. (8, of the order of items, takes more than one.) */
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

/* What is valid only because the policy asks for so little says so. */
static void test_caveats(void **state)
{
	static struct hm_document real;

	(void)state;
	snprintf(real.platform, sizeof(real.platform), "aws-nitro");
	assert_string_equal(caveat(&real), "");
	real.debug = true;
	assert_non_null(strstr(caveat(&real), "DEBUG ENCLAVE"));
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
	    cmocka_unit_test(test_caveats),
	    cmocka_unit_test(test_usage),
	};

	return cmocka_run_group_tests_name("verify", tests, setup, teardown);
}
