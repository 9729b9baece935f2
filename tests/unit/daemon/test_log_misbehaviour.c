/* log_misbehaviour: the file that log_store writes convicts, with nothing but a
 * policy; whatever is changed in it does not. */
#include "base/file.h"
#include "log_fixture.h"
#include "verifier/daemon/log_misbehaviour.h"

#include <jansson.h>

#define ITEMS 8

static char why[LOG_MISBEHAVIOUR_ERROR_MAX];
static struct log_misbehaviour found;

static enum hm_verdict check_text(const char *text)
{
	return log_misbehaviour_check(
	    &found, mint.policy, text, strlen(text), why);
}

static enum hm_verdict check_json(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT);
	enum hm_verdict verdict = check_text(text);

	free(text);
	json_decref(root);
	return verdict;
}

static char *read_proof(const struct record_finding *finding)
{
	uint8_t *bytes;
	size_t len;

	assert_true(finding->proven);
	assert_int_equal(file_read(finding->proof, 1 << 24, &bytes, &len), 0);
	return (char *)bytes;
}

/* ---- two heads ---- */

static char *two_heads(struct log_fixture *f)
{
	struct record_finding finding;
	struct teller other;

	more(f, &f->teller, 0, 5, true);
	store_next(f);
	other = f->teller;
	other.salt = 'b';
	more(f, &f->teller, 0, 5, true);
	store_next(f);
	more(f, &other, 0, 5, false);
	finding = store(f, next_head(f, &other), RECORD_FORK);
	return read_proof(&finding);
}

static void test_heads_convict(void **state)
{
	struct log_fixture *f = *state;
	char *text = two_heads(f);

	assert_int_equal(check_text(text), HM_LOG_FORK);
	assert_int_equal(found.heads, 2);
	assert_int_equal(found.items, 0);
	assert_int_equal(found.first.number, 1);
	assert_int_equal(found.second.number, 1);
	assert_memory_not_equal(
	    found.first.root_sha256, found.second.root_sha256, HM_SHA256_LEN);
	free(text);
}

/* Who does not trust the enclave's root is told so, not that it is proven. */
static void test_of_no_concern(void **state)
{
	char *text = two_heads(*state);
	struct mint other;

	mint_init(&other, 1);
	assert_int_equal(log_misbehaviour_check(
			     &found, other.policy, text, strlen(text), why),
	    HM_ROOT_UNTRUSTED);
	assert_string_equal(why, "the first head is not genuine");
	mint_fini(&other);
	free(text);
}

static void test_heads_that_agree(void **state)
{
	struct log_fixture *f = *state;
	char *text = two_heads(f);
	json_t *root = json_loads(text, 0, NULL);
	json_t *heads = json_object_get(root, "heads");

	json_array_set(heads, 1, json_array_get(heads, 0));
	assert_int_equal(check_json(root), HM_LOG_PROOF);
	assert_non_null(strstr(why, "do not contradict"));
	assert_int_equal(found.heads, 0);
	free(text);
}

/* ---- what is changed in the file ---- */

static json_t *load(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);

	assert_non_null(root);
	return root;
}

static json_t *with(const char *text, const char *key, json_t *value)
{
	json_t *root = load(text);

	json_object_set_new(root, key, value);
	return root;
}

static void test_malformed(void **state)
{
	char *text = two_heads(*state);
	json_t *root;

	assert_int_equal(check_text(""), HM_CONTENT_MALFORMED);
	assert_int_equal(check_text("{}"), HM_CONTENT_MALFORMED);
	assert_int_equal(check_text("[]"), HM_CONTENT_MALFORMED);
	assert_int_equal(check_json(with(text, "format", json_string("x"))),
	    HM_CONTENT_MALFORMED);
	assert_int_equal(
	    check_json(with(text, "more", json_true())), HM_CONTENT_MALFORMED);
	assert_int_equal(check_json(with(text, "heads", json_object())),
	    HM_CONTENT_MALFORMED);
	assert_int_equal(check_json(with(text, "documents", json_object())),
	    HM_CONTENT_MALFORMED);
	assert_int_equal(check_json(with(text, "items", json_object())),
	    HM_CONTENT_MALFORMED);
	assert_int_equal(
	    check_json(with(text, "boot_id", json_string("00"))), HM_LOG_PROOF);
	root = load(text);
	json_array_remove(json_object_get(root, "heads"), 0);
	assert_int_equal(check_json(root), HM_CONTENT_MALFORMED);
	root = load(text);
	json_array_set_new(json_object_get(root, "heads"), 1, json_integer(1));
	assert_int_equal(check_json(root), HM_ENVELOPE_MALFORMED);
	assert_string_equal(why, "the second head is not genuine");
	free(text);
}

static void test_forged_head(void **state)
{
	char *text = two_heads(*state);
	json_t *root = load(text);
	json_t *head = json_array_get(json_object_get(root, "heads"), 1);
	const char *content = json_string_value(
	    json_object_get(head, "content"));
	char *forged = strdup(content), *digit;

	digit = strstr(forged, "\"published_ms\":") + 20;
	*digit = *digit == '1' ? '2' : '1';
	json_object_set_new(head, "content", json_string(forged));
	assert_int_equal(check_json(root), HM_ITEM_SIGNATURE);
	free(forged);
	free(text);
}

/* ---- items ---- */

static uint8_t hashes[ITEMS][32];

/* A genuine item, which the archive has; `cents` makes it another. */
static void put_genuine(struct log_fixture *f, uint64_t sequence, int64_t cents)
{
	struct hm_envelope e;
	char boot[33], hex[65], *json, *text;
	uint8_t previous[32];

	memcpy(previous, hashes[sequence ? sequence - 1 : 0], 32);
	json = mint_item(&mint,
	    &(struct mint_wish){.sequence = sequence,
		.cents = cents,
		.previous = sequence ? previous : NULL},
	    hashes[sequence]);
	assert_int_equal(hm_envelope_parse(&e, json, strlen(json)), HM_VALID);
	hex_encode(hashes[sequence], 32, hex);
	hex_encode(mint.boot_id, 16, boot);
	text = sqlite3_mprintf("INSERT OR REPLACE INTO items VALUES('BTC-USD',"
			       "%Q,%lld,%Q,?1,%Q,1,1,1,%Q,0)",
	    boot, (long long)sequence, e.content, f->document->sha256_hex, hex);
	sqlite3_stmt *s = NULL;
	assert_int_equal(sqlite3_prepare_v2(f->db, text, -1, &s, NULL), 0);
	sqlite3_bind_blob(s, 1, e.signature, (int)e.signature_len, NULL);
	assert_int_equal(sqlite3_step(s), SQLITE_DONE);
	sqlite3_finalize(s);
	sqlite3_free(text);
	hm_envelope_fini(&e);
	free(json);
}

static struct record *head_over(struct log_fixture *f, uint64_t count)
{
	struct teller *t = &f->teller;
	uint8_t leaf[32];

	for (; t->counts[0] < count; t->counts[0]++) {
		assert_int_equal(
		    merkle_leaf(hashes[t->counts[0]], 32, leaf), 0);
		assert_int_equal(merkle_append(&t->tree, leaf, NULL, NULL), 0);
	}
	return head_of_tree(f, t);
}

/* It shows us item `other` with another price than the one that it counts. */
static char *other_item(struct log_fixture *f, uint64_t first, uint64_t other)
{
	struct record_finding finding;

	for (uint64_t n = 0; n < ITEMS; n++)
		put_genuine(f, n, 100);
	if (first)
		store(f, head_over(f, first), RECORD_STORED);
	hashes[other][0] ^= 1;
	finding = store(f, head_over(f, ITEMS), RECORD_STORED);
	assert_int_equal(finding.state, RECORD_LOG_MISMATCH);
	return read_proof(&finding);
}

static void test_items_convict(void **state)
{
	char *text = other_item(*state, 3, 6);

	assert_int_equal(check_text(text), HM_LOG_FORK);
	assert_int_equal(found.heads, 2);
	assert_int_equal(found.items, 5);
	/* Nobody else need have signed what the enclave itself did. */
	assert_int_equal(hm_policy_set_quorum(mint.policy, 2), 0);
	assert_int_equal(check_text(text), HM_LOG_FORK);
	assert_int_equal(hm_policy_set_quorum(mint.policy, 0), 0);
	free(text);
}

static void test_items_of_the_first_head(void **state)
{
	char *text = other_item(*state, 0, 2);

	assert_int_equal(check_text(text), HM_LOG_FORK);
	assert_int_equal(found.heads, 1);
	assert_int_equal(found.items, 8);
	free(text);
}

static json_t *items_of(json_t *root)
{
	return json_object_get(root, "items");
}

static void test_items_wrong(void **state)
{
	char *text = other_item(*state, 3, 6);
	json_t *root = load(text), *swap;

	json_array_remove(items_of(root), 4);
	assert_int_equal(check_json(root), HM_LOG_PROOF);
	assert_string_equal(why, "it lacks items");
	root = load(text);
	json_array_append(items_of(root), json_array_get(items_of(root), 0));
	assert_int_equal(check_json(root), HM_LOG_PROOF);
	assert_string_equal(why, "it has items too many");
	root = load(text);
	swap = json_incref(json_array_get(items_of(root), 0));
	json_array_set(items_of(root), 0, json_array_get(items_of(root), 1));
	json_array_set_new(items_of(root), 1, swap);
	assert_int_equal(check_json(root), HM_LOG_PROOF);
	root = load(text);
	json_object_set(json_array_get(items_of(root), 0), "signature_b64",
	    json_object_get(
		json_array_get(items_of(root), 1), "signature_b64"));
	assert_int_equal(check_json(root), HM_ITEM_SIGNATURE);
	root = load(text);
	json_array_remove(json_object_get(root, "heads"), 0);
	assert_int_equal(check_json(root), HM_LOG_PROOF);
	assert_string_equal(why, "its heads are not in a row");
	free(text);
}

/* The archive was tampered with, the enclave did nothing. */
static void test_archive_damaged(void **state)
{
	struct log_fixture *f = *state;
	struct record_finding finding;

	for (uint64_t n = 0; n < ITEMS; n++)
		put_genuine(f, n, 100);
	sql(f, "UPDATE items SET content_sha256='00' WHERE sequence=4");
	finding = store(f, head_over(f, ITEMS), RECORD_STORED);
	assert_int_equal(finding.state, RECORD_LOG_MISMATCH);
	assert_false(finding.proven);
	assert_non_null(strstr(finding.proof, "damaged"));
}

/* ---- files ---- */

static void test_files(void **state)
{
	struct log_fixture *f = *state;
	char path[256];

	assert_int_equal(log_misbehaviour_count(f->path), 0);
	assert_int_equal(log_misbehaviour_count("/nonexistent/a.db"), 0);
	assert_int_equal(log_misbehaviour_write(
			     f->path, "00ff", 7, "{}", path, sizeof(path)),
	    0);
	assert_non_null(strstr(path, "/misbehaviour-00ff-7.json"));
	assert_int_equal(log_misbehaviour_write(
			     f->path, "00ff", 7, "[]", path, sizeof(path)),
	    1); /* there is one: it stays */
	assert_int_equal(log_misbehaviour_count(f->path), 1);
	assert_int_equal(log_misbehaviour_write("/nonexistent/a.db", "00ff", 7,
			     "{}", path, sizeof(path)),
	    -1);
	assert_non_null(strstr(path, "No such file"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, log_setup, log_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_heads_convict),
	    TEST(test_of_no_concern),
	    TEST(test_heads_that_agree),
	    TEST(test_malformed),
	    TEST(test_forged_head),
	    TEST(test_items_convict),
	    TEST(test_items_of_the_first_head),
	    TEST(test_items_wrong),
	    TEST(test_archive_damaged),
	    TEST(test_files),
	};

	return cmocka_run_group_tests_name(
	    "log_misbehaviour", tests, make_mint, free_mint);
}
