/* raw_answers: found by hash, bounded in time and bytes, the oldest go first.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "oracle/raw_answers.h"

#include <openssl/sha.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define KEEP_MS 1000

/* Body number n: n bytes of itself. */
static void hash(size_t n, uint8_t body[256], uint8_t sha256[32])
{
	memset(body, (int)n, 256);
	SHA256(body, n, sha256);
}

static void put(struct raw_answers *raw, size_t n, int64_t now_ms)
{
	uint8_t body[256], sha256[32];

	hash(n, body, sha256);
	raw_answers_put(raw, sha256, body, n, now_ms);
}

static bool has(const struct raw_answers *raw, size_t n, int64_t now_ms)
{
	uint8_t body[256], sha256[32];
	const uint8_t *found;
	size_t len;

	hash(n, body, sha256);
	found = raw_answers_find(raw, sha256, now_ms, &len);
	assert_int_equal(len, found ? n : 0);
	if (found)
		assert_memory_equal(found, body, n);
	return found != NULL;
}

static void test_time(void **state)
{
	struct raw_answers *raw = raw_answers_new(KEEP_MS, 100000);

	(void)state;
	assert_false(has(raw, 1, 0));
	put(raw, 1, 0);
	put(raw, 2, 500);
	assert_true(has(raw, 1, KEEP_MS) && has(raw, 2, KEEP_MS));
	assert_false(has(raw, 1, KEEP_MS + 1));
	assert_int_equal(raw_answers_count(raw), 2);
	/* Another one, and what is too old is gone. */
	put(raw, 3, KEEP_MS + 1);
	assert_int_equal(raw_answers_count(raw), 2);
	assert_int_equal(raw_answers_bytes(raw), 5);
	/* What comes again is kept anew, once. */
	put(raw, 2, KEEP_MS + 2);
	assert_int_equal(raw_answers_count(raw), 2);
	assert_true(has(raw, 2, 2 * KEEP_MS + 2));
	assert_false(has(raw, 3, 2 * KEEP_MS + 2));
	raw_answers_free(raw);
	raw_answers_free(NULL);
}

static void test_bytes(void **state)
{
	struct raw_answers *raw = raw_answers_new(KEEP_MS, 300);

	(void)state;
	put(raw, 100, 0);
	put(raw, 101, 1);
	put(raw, 99, 2);
	assert_int_equal(raw_answers_bytes(raw), 300);
	put(raw, 100, 3); /* again: the youngest now */
	put(raw, 1, 4);
	assert_false(has(raw, 101, 4));
	assert_true(has(raw, 100, 4) && has(raw, 99, 4) && has(raw, 1, 4));
	put(raw, 255, 5);
	assert_int_equal(raw_answers_count(raw), 2);
	assert_true(has(raw, 255, 5) && has(raw, 1, 5));
	raw_answers_free(raw);
	/* Larger than all there is: not kept, and then there is nothing. */
	raw = raw_answers_new(KEEP_MS, 50);
	put(raw, 10, 0);
	put(raw, 51, 0);
	assert_false(has(raw, 51, 0));
	assert_true(raw_answers_bytes(raw) <= 50);
	put(raw, 50, 0);
	assert_true(has(raw, 50, 0));
	put(raw, 0, 0);
	assert_true(has(raw, 0, 0));
	raw_answers_free(raw);
}

/* More than there are buckets, in and out. */
static void test_many(void **state)
{
	struct raw_answers *raw = raw_answers_new(KEEP_MS, 40000);
	uint8_t sha256[32], body[8] = {0};
	size_t len;

	(void)state;
	for (uint64_t i = 0; i < 20000; i++) {
		memcpy(body, &i, sizeof(i));
		SHA256(body, sizeof(body), sha256);
		raw_answers_put(
		    raw, sha256, body, sizeof(body), (int64_t)i / 9);
	}
	assert_int_equal(raw_answers_count(raw), 5000);
	for (uint64_t i = 0; i < 20000; i++) {
		memcpy(body, &i, sizeof(i));
		SHA256(body, sizeof(body), sha256);
		assert_int_equal(
		    raw_answers_find(raw, sha256, 20000 / 9, &len) != NULL,
		    i >= 15000);
	}
	raw_answers_free(raw);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_time),
	    cmocka_unit_test(test_bytes),
	    cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests_name("raw_answers", tests, NULL, NULL);
}
