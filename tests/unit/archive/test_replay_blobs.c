/* replay_blobs: what is kept, what goes, and what is held meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "verifier/archive/replay_blobs.h"

#include <pthread.h>
#include <string.h>

#define SIZE 100

static struct replay_blobs *blobs;

static int setup(void **state)
{
	(void)state;
	blobs = replay_blobs_new(3 * SIZE);
	return blobs ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	replay_blobs_free(blobs);
	return 0;
}

/* Two of them share a bucket. */
static void name_of(uint8_t out[32], int n)
{
	memset(out, 0, 32);
	out[1] = (uint8_t)(n / 2);
	out[31] = (uint8_t)n;
}

static void put(int n)
{
	uint8_t sha256[32], bytes[SIZE];

	name_of(sha256, n);
	memset(bytes, n, sizeof(bytes));
	assert_int_equal(
	    replay_blobs_put(blobs, sha256, bytes, sizeof(bytes)), 0);
}

static struct replay_blob *get(int n)
{
	uint8_t sha256[32];

	name_of(sha256, n);
	return replay_blobs_get(blobs, sha256);
}

static void assert_there(int n, bool there)
{
	struct replay_blob *blob = get(n);
	size_t len;

	assert_int_equal(blob != NULL, there);
	if (!blob)
		return;
	assert_int_equal(replay_blob_bytes(blob, &len)[SIZE - 1], n);
	assert_int_equal(len, SIZE);
	replay_blobs_release(blobs, blob);
}

static void oldest_goes(void **state)
{
	(void)state;
	put(0);
	put(1);
	put(2);
	put(1); /* young again, and no second copy */
	put(3);
	assert_there(0, false);
	assert_there(1, true);
	assert_there(2, true);
	assert_there(3, true);
	assert_there(1, true); /* now 2 is the oldest */
	put(4);
	assert_there(2, false);
	assert_int_equal(replay_blobs_count(blobs), 5);
}

static void held(void **state)
{
	struct replay_blob *first;
	size_t len;

	(void)state;
	put(0);
	first = get(0);
	assert_non_null(first);
	for (int n = 1; n < 20; n++)
		put(n);
	assert_int_equal(replay_blob_bytes(first, &len)[0], 0);
	assert_there(0, true);
	assert_there(16, false);
	replay_blobs_release(blobs, first);
	for (int n = 20; n < 24; n++)
		put(n);
	assert_there(0, false);
	replay_blobs_release(blobs, NULL);
}

/* One that is larger than all together is kept until the next. */
static void large(void **state)
{
	static uint8_t bytes[4 * SIZE];
	uint8_t sha256[32];

	(void)state;
	put(0);
	name_of(sha256, 9);
	assert_int_equal(
	    replay_blobs_put(blobs, sha256, bytes, sizeof(bytes)), 0);
	assert_there(0, false);
	put(1);
	assert_there(9, false);
	assert_there(1, true);
}

static void *use(void *data)
{
	(void)data;
	for (int n = 0; n < 5000; n++) {
		struct replay_blob *blob = get(n % 7);

		if (blob) {
			size_t len;

			assert_int_equal(
			    replay_blob_bytes(blob, &len)[3], n % 7);
		}
		replay_blobs_release(blobs, blob);
	}
	return NULL;
}

static void threads(void **state)
{
	pthread_t id;

	(void)state;
	assert_int_equal(pthread_create(&id, NULL, use, NULL), 0);
	for (int n = 0; n < 5000; n++)
		put(n % 7);
	pthread_join(id, NULL);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(oldest_goes),
	    TEST(held),
	    TEST(large),
	    TEST(threads),
	};

	return cmocka_run_group_tests_name("replay_blobs", tests, NULL, NULL);
}
