/* nonce_path: paths of trees of every size up to 9, each wrong in one way, and
 * texts that are none. */
#include "verifier/nonce_path.h"

#include "verifier/merkle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SIZE_MAX_TRIED 9
#define HASH           "1212121212121212121212121212121212121212121212121212121212121212"

#define CAPITAL \
	"AB12121212121212121212121212121212121212121212121212121212121212"

static uint8_t nonces[SIZE_MAX_TRIED][32];

static int leaf(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN])
{
	(void)data;
	assert_int_equal(level, 0);
	return merkle_leaf(nonces[index], sizeof(nonces[index]), out);
}

static int node(
    void *data, unsigned level, uint64_t index, uint8_t out[HM_SHA256_LEN])
{
	return merkle_fold(leaf, data, 0, level, index, out);
}

static void check_one(uint64_t index, uint64_t size)
{
	struct nonce_path path = {.index = index, .size = size};
	struct hm_bytes root = {.present = true, .len = HM_SHA256_LEN};
	uint8_t *nonce = nonces[index];

	assert_int_equal(merkle_root_of(node, NULL, size, root.bytes), 0);
	assert_int_equal(
	    merkle_inclusion(node, NULL, index, size, &path.proof), 0);
	assert_true(nonce_path_holds(&path, &root, nonce, 32));
	assert_false(nonce_path_holds(&path, &root, nonce, 31));
	assert_false(nonce_path_holds(&path, &root, nonce, 0));
	assert_false(nonce_path_holds(&path, &root, NULL, 0));
	nonce[31] ^= 1;
	assert_false(nonce_path_holds(&path, &root, nonce, 32));
	nonce[31] ^= 1;
	root.bytes[0] ^= 0x80;
	assert_false(nonce_path_holds(&path, &root, nonce, 32));
	root.bytes[0] ^= 0x80;
	for (size_t i = 0; i < path.proof.count; i++) {
		path.proof.hashes[i][i] ^= 4;
		assert_false(nonce_path_holds(&path, &root, nonce, 32));
		path.proof.hashes[i][i] ^= 4;
	}
	path.proof.count++;
	assert_false(nonce_path_holds(&path, &root, nonce, 32));
	path.proof.count--;
	root.len = 31;
	assert_false(nonce_path_holds(&path, &root, nonce, 32));
	root.len = 33; /* as many bytes of it as it takes would do */
	assert_false(nonce_path_holds(&path, &root, nonce, 32));
}

static void test_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < SIZE_MAX_TRIED; i++)
		memset(nonces[i], (int)i + 1, sizeof(nonces[i]));
	for (uint64_t size = 1; size <= SIZE_MAX_TRIED; size++)
		for (uint64_t index = 0; index < size; index++)
			check_one(index, size);
}

/* A document that holds the nonce itself is none of a batch of one. */
static void test_plain_is_no_batch(void **state)
{
	struct nonce_path path = {.index = 0, .size = 1};
	struct hm_bytes root = {.present = true, .len = HM_SHA256_LEN};

	(void)state;
	memset(root.bytes, 9, HM_SHA256_LEN);
	assert_false(nonce_path_holds(&path, &root, root.bytes, 32));
}

/* ---- the text ---- */

static int read_text(struct nonce_path *out, const char *text)
{
	json_t *value = json_loads(
	    text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
	int rc = nonce_path_read(out, value);

	json_decref(value);
	return rc;
}

static void test_text(void **state)
{
	struct nonce_path path;

	(void)state;
	assert_int_equal(
	    read_text(&path, "{\"index\":0,\"size\":1,\"path\":[]}"), 0);
	assert_int_equal(path.size, 1);
	assert_int_equal(
	    read_text(&path, "{\"index\":3,\"size\":9007199254740991,"
			     "\"path\":[\"" HASH "\",\"" HASH "\"]}"),
	    0);
	assert_int_equal(path.index, 3);
	assert_int_equal(path.size, MERKLE_SIZE_MAX);
	assert_int_equal(path.proof.count, 2);
	assert_int_equal(path.proof.hashes[1][31], 0x12);
}

/* What is written is read again, and nothing is written of a plain nonce. */
static void test_put(void **state)
{
	struct nonce_path path = {.index = 5, .size = 7, .proof = {.count = 3}},
			  again;
	char text[512] = "";
	FILE *out = fmemopen(text, sizeof(text), "w");

	(void)state;
	for (size_t i = 0; i < path.proof.count; i++)
		memset(path.proof.hashes[i], 0xa0 + (int)i, HM_SHA256_LEN);
	nonce_path_put(out, NULL);
	assert_int_equal(ftell(out), 0);
	nonce_path_put(out, &path);
	fclose(out);
	assert_memory_equal(text, ",\"nonce_path\":{", 15);
	assert_int_equal(read_text(&again, text + 14), 0);
	assert_memory_equal(&again, &path, sizeof(path));
}

static void test_wrong_text(void **state)
{
	static const char *const wrong[] = {
	    "null",
	    "[]",
	    "{}",
	    "{\"index\":0,\"size\":1}",
	    "{\"index\":0,\"size\":1,\"path\":[],\"more\":0}",
	    "{\"index\":\"0\",\"size\":1,\"path\":[]}",
	    "{\"index\":0.5,\"size\":1,\"path\":[]}",
	    "{\"index\":-1,\"size\":1,\"path\":[]}",
	    "{\"index\":1,\"size\":1,\"path\":[]}",
	    "{\"index\":0,\"size\":0,\"path\":[]}",
	    "{\"index\":0,\"size\":-1,\"path\":[]}",
	    "{\"index\":0,\"size\":9007199254740992,\"path\":[]}",
	    "{\"index\":0,\"size\":1,\"path\":{}}",
	    "{\"index\":0,\"size\":1,\"path\":\"" HASH "\"}",
	    "{\"index\":0,\"size\":2,\"path\":[1]}",
	    "{\"index\":0,\"size\":2,\"path\":[null]}",
	    "{\"index\":0,\"size\":2,\"path\":[\"\"]}",
	    "{\"index\":0,\"size\":2,\"path\":[\"" HASH "1\"]}",
	    "{\"index\":0,\"size\":2,\"path\":[\"" HASH "12\"]}",
	    "{\"index\":0,\"size\":2,\"path\":[\"g" HASH "\"]}",
	    "{\"index\":0,\"size\":2,\"path\":[\"" CAPITAL "\"]}",
	};
	struct nonce_path path, zero;

	(void)state;
	memset(&zero, 0, sizeof(zero));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (read_text(&path, wrong[i]) != -1)
			fail_msg("accepted: %s", wrong[i]);
		assert_memory_equal(&path, &zero, sizeof(path));
	}
	assert_int_equal(nonce_path_read(&path, NULL), -1);
}

static void test_too_long(void **state)
{
	char text[8192] = "{\"index\":0,\"size\":2,\"path\":[";
	struct nonce_path path;

	(void)state;
	for (size_t i = 0; i <= HM_LOG_HASHES_MAX; i++) {
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s\"%s\"",
		    i ? "," : "", HASH);
	}
	snprintf(text + strlen(text), 3, "]}");
	assert_int_equal(read_text(&path, text), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_holds),
	    cmocka_unit_test(test_plain_is_no_batch),
	    cmocka_unit_test(test_text),
	    cmocka_unit_test(test_put),
	    cmocka_unit_test(test_wrong_text),
	    cmocka_unit_test(test_too_long),
	};

	return cmocka_run_group_tests_name("nonce_path", tests, NULL, NULL);
}
