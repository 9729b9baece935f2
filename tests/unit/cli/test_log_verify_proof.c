/* log_verify_proof: the daemon's own answers hold, and whatever is changed in
 * them does not. */
#include "tests/unit/daemon/log_fixture.h"
#include "verifier/cli/log_verify_proof.h"

static struct log_verify_result result;
static char passed[512]; /* the checks that did, with a blank after each */

static void on_check(void *data, const char *check, bool ok)
{
	size_t len = strlen(passed);

	(void)data;
	if (ok)
		snprintf(passed + len, sizeof(passed) - len, "%s ", check);
}

/* Up to NULL: proof, item, kept head; "" is not given. */
static enum hm_verdict judge(const char *const *texts)
{
	struct log_verify_input in = {.policy = mint.policy, .check = on_check};

	in.proof = (struct log_verify_text){texts[0], strlen(texts[0])};
	if (texts[1] && texts[1][0])
		in.item = (struct log_verify_text){texts[1], strlen(texts[1])};
	if (texts[1] && texts[2])
		in.head = (struct log_verify_text){texts[2], strlen(texts[2])};
	passed[0] = '\0';
	return log_verify_proof(&result, &in);
}

#define JUDGE(...) judge((const char *const[]){__VA_ARGS__, NULL})

/* ---- a log with genuine items ---- */

#define ITEMS 9

static char *items[ITEMS]; /* in the full form */

static void put_genuine(struct log_fixture *f, uint64_t sequence)
{
	uint8_t sha256[32], leaf[32];
	struct hm_envelope e;
	char boot[33], hex[65], *text;

	items[sequence] = mint_item(&mint,
	    &(struct mint_wish){.sequence = sequence, .full = true}, sha256);
	assert_int_equal(
	    hm_envelope_parse(&e, items[sequence], strlen(items[sequence])),
	    HM_VALID);
	hex_encode(sha256, 32, hex);
	hex_encode(mint.boot_id, 16, boot);
	text = sqlite3_mprintf("INSERT INTO items VALUES('BTC-USD',%Q,%lld,%Q,"
			       "x'00',%Q,1,1,1,%Q,0)",
	    boot, (long long)sequence, e.content, f->document->sha256_hex, hex);
	sql(f, text);
	sqlite3_free(text);
	hm_envelope_fini(&e);
	f->teller.counts[0]++;
	assert_int_equal(merkle_leaf(sha256, 32, leaf), 0);
	assert_int_equal(merkle_append(&f->teller.tree, leaf, NULL, NULL), 0);
}

static int proof_setup(void **state)
{
	struct log_fixture *f;

	log_setup(state);
	f = *state;
	for (uint64_t n = 0; n < ITEMS; n++) {
		put_genuine(f, n);
		if (n == 3 || n == 5 || n == 8)
			store(f, head_of_tree(f, &f->teller), RECORD_STORED);
	}
	return 0;
}

static int proof_teardown(void **state)
{
	for (int n = 0; n < ITEMS; n++)
		free(items[n]);
	return log_teardown(state);
}

static char *inclusion(struct log_fixture *f, uint64_t sequence)
{
	return asked(f,
	    (struct log_question){.asked = LOG_ASKED_INCLUSION,
		.feed = "BTC-USD",
		.sequence = sequence},
	    200, NULL);
}

static char *consistency(struct log_fixture *f, uint64_t from, uint64_t to)
{
	return asked(f,
	    (struct log_question){
		.asked = LOG_ASKED_CONSISTENCY, .from = from, .size = to},
	    200, NULL);
}

static char *newest(struct log_fixture *f)
{
	return asked(
	    f, (struct log_question){.asked = LOG_ASKED_HEAD}, 200, NULL);
}

/* The same JSON, one member replaced (value is taken). */
static char *with(const char *text, const char *key, json_t *value)
{
	json_t *root = json_loads(text, 0, NULL);
	char *out;

	json_object_set_new(root, key, value);
	out = json_dumps(root, JSON_COMPACT);
	json_decref(root);
	return out;
}

static void wrong(const char *text, const char *key, json_t *value,
    const char *item, enum hm_verdict verdict, const char *why)
{
	char *changed = with(text, key, value);

	if (JUDGE(changed, item) != verdict || !strstr(result.why, why))
		fail_msg("%s: %s: %s", key, hm_verdict_name(result.verdict),
		    result.why);
	free(changed);
}

/* ---- inclusion ---- */

static void test_included(void **state)
{
	for (uint64_t n = 0; n < ITEMS; n++) {
		char *proof = inclusion(*state, n);

		assert_int_equal(JUDGE(proof), HM_VALID);
		assert_int_equal(result.kind, LOG_VERIFY_INCLUSION);
		assert_string_equal(passed, "head head_in_proof inclusion ");
		assert_int_equal(JUDGE(proof, items[n]), HM_VALID);
		assert_string_equal(
		    passed, "head head_in_proof item item_in_proof inclusion ");
		assert_int_equal(result.leaf_index, n);
		assert_int_equal(result.head.tree_size, ITEMS);
		assert_int_equal(result.item.sequence, n);
		assert_string_equal(result.why, "");
		free(proof);
	}
}

static void test_inclusion_changed(void **state)
{
	char *proof = inclusion(*state, 4);
	json_t *root = json_loads(proof, 0, NULL);
	json_t *path = json_object_get(root, "path");

	wrong(proof, "leaf_index", json_integer(5), NULL, HM_LOG_PROOF,
	    "does not lead");
	wrong(proof, "leaf_index", json_integer(-1), NULL, HM_CONTENT_MALFORMED,
	    "neither");
	wrong(proof, "tree_size", json_integer(8), NULL, HM_LOG_PROOF,
	    "another head");
	wrong(proof, "boot_id", json_string("00"), NULL, HM_LOG_PROOF,
	    "another head");
	wrong(proof, "content_sha256", json_string("00"), NULL,
	    HM_CONTENT_MALFORMED, "neither");
	wrong(
	    proof, "more", json_true(), NULL, HM_CONTENT_MALFORMED, "neither");
	wrong(proof, "head", json_null(), NULL, HM_ENVELOPE_MALFORMED,
	    "the head is not genuine: envelope");
	wrong(proof, "path", json_array(), NULL, HM_LOG_PROOF, "does not lead");
	wrong(proof, "path", json_string("x"), NULL, HM_CONTENT_MALFORMED, "");
	json_array_append(path, json_array_get(path, 0));
	wrong(proof, "path", json_incref(path), NULL, HM_LOG_PROOF,
	    "does not lead");
	json_array_set_new(path, 0, json_integer(1));
	wrong(proof, "path", json_incref(path), NULL, HM_CONTENT_MALFORMED, "");
	json_array_clear(path);
	for (int i = 0; i <= HM_LOG_HASHES_MAX; i++)
		json_array_append_new(path, json_string(""));
	wrong(proof, "path", json_incref(path), NULL, HM_CONTENT_MALFORMED, "");
	json_decref(root);
	free(proof);
}

static void test_another_item(void **state)
{
	char *proof = inclusion(*state, 4);
	char *forged = strdup(items[4]);

	assert_int_equal(JUDGE(proof, items[5]), HM_LOG_PROOF);
	assert_non_null(strstr(result.why, "another item"));
	assert_int_equal(JUDGE(proof, "{}"), HM_ENVELOPE_MALFORMED);
	assert_string_equal(result.why, "the item is not genuine: envelope");
	strstr(forged, "\"content\":")[90] ^= 1;
	assert_int_not_equal(JUDGE(proof, forged), HM_VALID);
	assert_int_equal(JUDGE(proof, proof), HM_ENVELOPE_MALFORMED);
	wrong(proof, "feed", json_string("ETH-USD"), items[4], HM_LOG_PROOF,
	    "another item");
	wrong(proof, "sequence", json_integer(3), items[4], HM_LOG_PROOF,
	    "another item");
	free(forged);
	free(proof);
}

/* ---- consistency ---- */

static void test_grown(void **state)
{
	static const uint64_t sizes[] = {4, 6, 9};

	for (int i = 0; i < 3; i++)
		for (int j = i; j < 3; j++) {
			char *proof = consistency(*state, sizes[i], sizes[j]);

			assert_int_equal(JUDGE(proof), HM_VALID);
			assert_int_equal(result.kind, LOG_VERIFY_CONSISTENCY);
			assert_int_equal(result.first.tree_size, sizes[i]);
			assert_int_equal(result.head.tree_size, sizes[j]);
			free(proof);
		}
}

static void test_consistency_changed(void **state)
{
	char *proof = consistency(*state, 6, 9);
	char *other = consistency(*state, 4, 9);
	json_t *root = json_loads(other, 0, NULL);

	wrong(proof, "path", json_incref(json_object_get(root, "path")), NULL,
	    HM_LOG_PROOF, "only grown");
	wrong(proof, "heads", json_incref(json_object_get(root, "heads")), NULL,
	    HM_LOG_PROOF, "other heads");
	wrong(
	    proof, "from", json_integer(4), NULL, HM_LOG_PROOF, "other heads");
	wrong(proof, "to", json_integer(10), NULL, HM_LOG_PROOF, "other heads");
	wrong(proof, "boot_id", json_string(""), NULL, HM_LOG_PROOF, "other");
	wrong(proof, "heads", json_array(), NULL, HM_CONTENT_MALFORMED, "");
	json_decref(root);
	free(other);
	free(proof);
}

/* ---- a head that was kept ---- */

static void test_kept(void **state)
{
	struct log_fixture *f = *state;
	char *kept = newest(f), *proof = consistency(f, 6, 9);
	struct teller other = f->teller;
	struct hm_envelope e;
	struct record *r;
	char *forked;

	assert_int_equal(JUDGE(kept), HM_VALID);
	assert_int_equal(result.kind, LOG_VERIFY_HEAD);
	assert_int_equal(result.head.number, 2);
	assert_int_equal(JUDGE(proof, "", kept), HM_VALID);
	assert_non_null(strstr(passed, "kept_head "));
	other.next_number = 2; /* another one of that number */
	f->now_ms += 7;
	r = head_of_tree(f, &other);
	e = r->envelope;
	e.document = mint.document;
	e.document_len = mint.document_len;
	forked = envelope_format(&e, true);
	assert_int_equal(JUDGE(proof, "", forked), HM_LOG_FORK);
	assert_non_null(strstr(result.why, "contradict"));
	assert_int_equal(JUDGE(kept, "", forked), HM_LOG_FORK);
	assert_int_equal(JUDGE(kept, "", "{}"), HM_ENVELOPE_MALFORMED);
	assert_string_equal(
	    result.why, "the kept_head is not genuine: envelope");
	free(forked);
	record_free(r);
	free(proof);
	free(kept);
}

/* ---- anything else ---- */

static void test_other_texts(void **state)
{
	static const char *const texts[] = {"", "[]", "7", "null",
	    "{\"format\":\"hallmark-inclusion/2\"}",
	    "{\"format\":\"hallmark-inclusion/1\"}",
	    "{\"format\":\"hallmark-consistency/1\"}",
	    "{\"format\":\"hallmark-misbehaviour/1\"}",
	    "{\"format\":\"x\",\"format\":\"y\"}"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(JUDGE(texts[i]), HM_CONTENT_MALFORMED);
	assert_int_equal(JUDGE("{}"), HM_ENVELOPE_MALFORMED);
	assert_int_equal(JUDGE(items[0]), HM_CONTENT_MALFORMED); /* no head */
	assert_string_equal(result.why, "the head is not genuine: content");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, proof_setup, proof_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_included),
	    TEST(test_inclusion_changed),
	    TEST(test_another_item),
	    TEST(test_grown),
	    TEST(test_consistency_changed),
	    TEST(test_kept),
	    TEST(test_other_texts),
	};

	return cmocka_run_group_tests_name(
	    "log_verify_proof", tests, make_mint, free_mint);
}
