/* nonce_queue and nonce_batch: whose turn it is by a clock of the test's, and
 * that each of any number gets a path that holds. */
#include "oracle/nonce_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t one[32] = "one", two[32] = "two";

static struct nonce_queue queue;
static uint64_t due_ms;

static void fired(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	(void)doc;
	(void)path;
	(void)error;
	++*(unsigned *)data;
}

static unsigned add(const uint8_t *content)
{
	static unsigned count;
	struct nonce_batch *batch = nonce_queue_batch(&queue, content);

	assert_non_null(batch);
	nonce_batch_add(batch, (const uint8_t *)"n", 1, fired, &count);
	return count;
}

/* Takes one that has this many askers of this kind. */
static void expect(uint64_t now_ms, const uint8_t *content, size_t count)
{
	struct nonce_batch *batch = nonce_queue_take(&queue, now_ms, &due_ms);

	assert_non_null(batch);
	assert_int_equal(batch->count, count);
	assert_int_equal(batch->for_result, content != NULL);
	if (content != NULL)
		assert_memory_equal(batch->content_sha256, content, 32);
	nonce_batch_answer(batch, NULL, "no");
}

static void expect_none(uint64_t now_ms, uint64_t wanted_due_ms)
{
	assert_null(nonce_queue_take(&queue, now_ms, &due_ms));
	assert_true(due_ms == wanted_due_ms);
}

static void test_turns(void **state)
{
	(void)state;
	nonce_queue_init(&queue);
	expect_none(1000, UINT64_MAX);
	add(NULL);
	expect(1000, NULL, 1);
	expect_none(1000, UINT64_MAX);
	add(NULL);
	add(one);
	add(NULL);
	expect_none(1000, 1020);
	expect_none(1019, 1020);
	expect(1020, NULL, 2);
	expect_none(1039, 1040);
	expect(1040, one, 1);
	add(one);
	add(two);
	expect_none(1060, 1140);
	add(NULL);
	expect_none(1059, 1060);
	expect(1060, NULL, 1);
	expect_none(1139, 1140);
	add(NULL);
	expect(1140, one, 1); /* older than who came later */
	expect(1160, NULL, 1);
	expect_none(1239, 1240);
	expect(1240, two, 1);
	expect_none(5000, UINT64_MAX);
}

static void test_ceiling(void **state)
{
	uint8_t content[32] = {0};
	struct nonce_batch *batch;
	unsigned before, drained = 0;

	(void)state;
	nonce_queue_init(&queue);
	for (unsigned i = 0; i < ATTESTATION_RESULTS_MAX; i++) {
		content[0] = (uint8_t)i;
		add(content);
	}
	content[0]++;
	assert_null(nonce_queue_batch(&queue, content));
	add(NULL);
	content[0] = 0;
	expect(0, content, 1);
	content[0] = ATTESTATION_RESULTS_MAX;
	before = add(content); /* there is room again */
	while ((batch = nonce_queue_drain(&queue)) != NULL) {
		nonce_batch_answer(batch, NULL, "no");
		drained++;
	}
	assert_int_equal(drained, ATTESTATION_RESULTS_MAX + 1);
	assert_int_equal(queue.results, 0);
	add(NULL);
	assert_int_equal(add(NULL), before + drained);
	expect(9000, NULL, 2);
}

/* ---- paths ---- */

struct asked {
	uint8_t nonce[40];
	size_t len;
	const struct nonce_batch *batch;
	unsigned *answered;
};

static void on_path(const struct attestation_document *doc,
    const struct nonce_path *path, const char *error, void *data)
{
	const struct asked *asked = data;
	const struct nonce_batch *batch = asked->batch;

	assert_non_null(doc);
	assert_null(error);
	assert_int_equal(path != NULL, batch->count > 1);
	if (path != NULL) {
		assert_int_equal(path->size, batch->count);
		assert_int_equal(path->index, *asked->answered);
	}
	assert_int_equal(
	    hm_nonce_verify(batch->nonce, batch->nonce_len, asked->nonce,
		asked->len, path ? path->index : 0, path ? path->size : 0,
		path ? (const uint8_t(*)[32])path->proof.hashes : NULL,
		path ? path->proof.count : 0),
	    HM_VALID);
	++*asked->answered;
}

static void try_count(size_t count)
{
	static struct asked asked[300];
	static const struct attestation_document doc;
	struct nonce_batch *batch = nonce_batch_new(NULL);
	unsigned answered = 0;

	for (size_t i = 0; i < count; i++) {
		asked[i] = (struct asked){
		    .len = 1 + i % 40, .batch = batch, .answered = &answered};
		memset(asked[i].nonce, (int)(i % 256), sizeof(asked[i].nonce));
		nonce_batch_add(
		    batch, asked[i].nonce, asked[i].len, on_path, &asked[i]);
	}
	nonce_batch_seal(batch);
	nonce_batch_answer(batch, &doc, NULL);
	assert_int_equal(answered, count);
}

static void test_paths(void **state)
{
	(void)state;
	for (size_t count = 1; count < 70; count++)
		try_count(count);
	try_count(255);
	try_count(300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_turns),
	    cmocka_unit_test(test_ceiling),
	    cmocka_unit_test(test_paths),
	};

	return cmocka_run_group_tests_name("nonce_queue", tests, NULL, NULL);
}
