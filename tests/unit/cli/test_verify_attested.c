/* verify: a price inside an attestation, and the answer of GET /attestation to
 * one of many nonces. */
#include "verifier/base64.h"
#include "verifier/cli/command.c"
#include "verifier/cli/input.c"
#include "verifier/cli/json_of.c"
#include "verifier/cli/remedy.c"
#include "verifier/cli/rule.c"
#include "verifier/cli/verify.c"
#include "verifier/cli/verify_options.c"
#include "verifier/merkle.h"

#include "tests/unit/verifier/document_builder.c"
#include "tests/unit/verifier/item_builder.c"

#include "hear.h"

#define AT    "2026-11-21T09:00:03Z"
#define NONCE "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"
#define OTHER "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0c"

static struct builder *b;
static struct item_builder i;
static char folder[] = "/tmp/verify-XXXXXX";
static char root[64], file[64], pcr[128];
static uint8_t nonce[32], sibling[32], tls[32];

static int setup(void **state)
{
	(void)state;
	b = builder_new();
	assert_non_null(mkdtemp(folder));
	snprintf(root, sizeof(root), "%s/root.pem", folder);
	snprintf(file, sizeof(file), "%s/answer.json", folder);
	memset(nonce, 0x0b, sizeof(nonce));
	memset(sibling, 0x51, sizeof(sibling));
	memset(tls, 0x77, sizeof(tls));
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

static void put_hash(const char *key, const uint8_t sha256[32])
{
	blob_text(&b->user_data, key);
	blob_bytes(&b->user_data, sha256, 32);
}

/* A document that names the content and a TLS key; batched: for two nonces. */
static void make(bool batched)
{
	uint8_t sha256[32], leaf[32], top[32];
	char hex[2 * HM_PCR_LEN + 1], *pem;

	item_reset(&i, b);
	item_content(&i);
	EVP_Digest(i.content, i.content_len, sha256, NULL, EVP_sha256(), NULL);
	b->user_data.at[0] = 0xa4;
	put_hash("content_sha256", sha256);
	put_hash("tls_spki_sha256", tls);
	assert_int_equal(merkle_leaf(nonce, sizeof(nonce), leaf), 0);
	assert_int_equal(merkle_node(leaf, sibling, top), 0);
	blob_set(&b->nonce, batched ? top : nonce, 32);
	item_envelope(&i);
	pem = builder_root_pem(b);
	write_file(root, pem, strlen(pem));
	free(pem);
	hex_encode(b->pcrs[0], HM_PCR_LEN, hex);
	snprintf(pcr, sizeof(pcr), "0:%s", hex);
}

static json_t *path_of(const uint8_t hash[32])
{
	return json_pack("{s:i, s:i, s:[o]}", "index", 0, "size", 2, "path",
	    hex_json(hash, 32));
}

/* Releases it. */
static void write_json(json_t *tree)
{
	char *text = json_dumps(tree, JSON_COMPACT);

	assert_non_null(text);
	write_file(file, text, strlen(text));
	free(text);
	json_decref(tree);
}

static json_t *attested_item(bool batched)
{
	char *base64 = base64_encode(b->document.at, b->document.len);
	json_t *tree = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s}", "content",
	    i.content, "platform", "simulated", "attestation_sha256",
	    hex_json(i.envelope.attestation_sha256, 32), "attestation_doc_b64",
	    base64, "public_key", b->rsa_pem, "nonce", NONCE);

	if (batched)
		json_object_set_new(tree, "nonce_path", path_of(sibling));
	free(base64);
	return tree;
}

static json_t *attestation(void)
{
	char *base64 = base64_encode(b->document.at, b->document.len);
	json_int_t until_ms = BUILDER_NOW_MS +
			      b->not_after_s[BUILDER_LEAF] * 1000;
	json_t *tree = json_pack("{s:o, s:s, s:s, s:I, s:I, s:s}",
	    "attestation_sha256", hex_json(i.envelope.attestation_sha256, 32),
	    "platform", "simulated", "public_key", b->rsa_pem, "timestamp_ms",
	    (json_int_t)BUILDER_NOW_MS, "not_after_ms", until_ms,
	    "attestation_doc_b64", base64);

	free(base64);
	return tree;
}

static int verify(const char *with_nonce, const char *at, const char *more)
{
	const char *argv[10] = {file, "--root", root, "--pcr", pcr, "--at", at};
	size_t n = 7;

	if (with_nonce) {
		argv[n++] = with_nonce;
	}
	if (more)
		argv[n++] = more;
	return hear(&command_verify, stdout, argv);
}

static void test_item(void **state)
{
	(void)state;
	for (int batched = 0; batched < 2; batched++) {
		make(batched);
		write_json(attested_item(batched));
		assert_int_equal(verify("--nonce=" NONCE, AT, NULL), 0);
		says("VALID BTC-USD 84036.00", true);
		says("the RSA signature was not looked at", true);
		says("ok    attested_content", true);
		says("item_signature", false);
		says("the file's own", false);
		assert_int_equal(verify(NULL, AT, NULL), 0);
		says("its nonce is the file's own", true);
		assert_int_equal(verify("--nonce=" OTHER, AT, NULL), 5);
		says("REFUSED nonce_mismatch", true);
		says("RSA", false);
		assert_int_equal(verify("--nonce=" NONCE, AT, "--json"), 0);
		says("\"item_signature\": \"the RSA signature was not", true);
		item_drop(&i);
	}
}

static void test_altered(void **state)
{
	json_t *tree;
	char *at;

	(void)state;
	make(false);
	at = strstr(i.content, "84036.00");
	assert_non_null(at);
	at[0] = '9';
	write_json(attested_item(false));
	assert_int_equal(verify("--nonce=" NONCE, AT, NULL), 3);
	says("REFUSED content_not_attested (exit 3)", true);
	at[0] = '8';
	/* with a signature as well it is neither form */
	tree = attested_item(false);
	json_object_set_new(tree, "signature_b64", json_string("AA=="));
	write_json(tree);
	assert_int_equal(verify(NULL, AT, NULL), 2);
	item_drop(&i);
}

static void test_moments(void **state)
{
	(void)state;
	make(false);
	write_json(attested_item(false));
	assert_int_equal(verify(NULL, "document", NULL), COMMAND_USAGE);
	assert_int_equal(verify(NULL, "published", NULL), COMMAND_USAGE);
	assert_int_equal(verify(NULL, "2026-11-21T09:00:20Z", NULL), 6);
	item_drop(&i);
}

/* ---- GET /attestation ---- */

static void expect_answer(const char *key, json_t *value, int code)
{
	json_t *tree = attestation();

	if (key)
		json_object_set_new(tree, key, value);
	write_json(tree);
	assert_int_equal(verify("--nonce=" NONCE, AT, NULL), code);
}

static void test_batched_answer(void **state)
{
	(void)state;
	make(true);
	expect_answer(NULL, NULL, 5); /* without its path it is another's */
	expect_answer("nonce_path", path_of(sibling), 0);
	says("one of a batch", true);
	assert_int_equal(verify("--nonce=" OTHER, AT, NULL), 5);
	says("FAIL  nonce", true);
	assert_int_equal(verify(NULL, AT, NULL), 0); /* nobody asked */
	expect_answer("nonce_path", path_of(nonce), 5);
	expect_answer("nonce_path", json_null(), COMMAND_USAGE);
	expect_answer("nonce_path", json_object(), COMMAND_USAGE);
	item_drop(&i);
}

static void test_copies(void **state)
{
	(void)state;
	make(false);
	expect_answer("tls_spki_sha256", hex_json(tls, 32), 0);
	says("ok    tls_key", true);
	expect_answer("tls_spki_sha256", hex_json(nonce, 32), 3);
	says("REFUSED attestation_mismatch", true);
	expect_answer("seal_public_key", json_string(b->rsa_pem), 3);
	says("FAIL  seal_key", true);
	expect_answer("seal_public_key", json_integer(1), COMMAND_USAGE);
	item_drop(&i);
}

static void test_inspect_kind(void **state)
{
	struct input input;
	char error[INPUT_ERROR_MAX];

	(void)state;
	make(false);
	write_json(attested_item(false));
	assert_int_equal(input_read(&input, file, error), 0);
	assert_int_equal(input.kind, INPUT_ATTESTED);
	assert_int_equal(input.attested.nonce_len, 32);
	input_fini(&input);
	item_drop(&i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_item),
	    cmocka_unit_test(test_altered),
	    cmocka_unit_test(test_moments),
	    cmocka_unit_test(test_batched_answer),
	    cmocka_unit_test(test_copies),
	    cmocka_unit_test(test_inspect_kind),
	};

	return cmocka_run_group_tests_name(
	    "verify_attested", tests, setup, teardown);
}
