/* recent: found by hash, bounded, the least recently used makes room. */
#include "verifier/recent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The n-th hash; those of n and n + 256 differ at their end only. */
static const uint8_t *hash(unsigned n)
{
	static uint8_t out[HM_SHA256_LEN];

	memset(out, (int)(n & 0xff), sizeof(out));
	out[HM_SHA256_LEN - 1] = (uint8_t)(n >> 8);
	return out;
}

static bool there(const struct recent *r, unsigned n)
{
	return recent_find(r, hash(n)) < r->count;
}

static void test_empty(void **state)
{
	struct recent r;

	(void)state;
	assert_int_equal(recent_init(&r, 3), 0);
	assert_int_equal(recent_find(&r, hash(0)), 0);
	assert_int_equal(r.count, 0);
	recent_fini(&r);
	assert_null(r.keys);
	recent_fini(&r);
}

static void test_found_by_all_of_the_hash(void **state)
{
	struct recent r;

	(void)state;
	assert_int_equal(recent_init(&r, 3), 0);
	assert_int_equal(recent_take(&r, hash(1)), 0);
	assert_int_equal(recent_take(&r, hash(257)), 1);
	assert_int_equal(recent_find(&r, hash(1)), 0);
	assert_int_equal(recent_find(&r, hash(257)), 1);
	assert_false(there(&r, 513));
	assert_false(there(&r, 0));
	recent_fini(&r);
}

static void test_least_used_makes_room(void **state)
{
	struct recent r;

	(void)state;
	assert_int_equal(recent_init(&r, 3), 0);
	for (unsigned n = 0; n < 3; n++)
		assert_int_equal(recent_take(&r, hash(n)), n);
	recent_touch(&r, 0);
	assert_int_equal(recent_take(&r, hash(3)), 1);
	assert_int_equal(r.count, 3);
	assert_false(there(&r, 1));
	/* to be looked for is not to be used */
	assert_true(there(&r, 2));
	assert_int_equal(recent_take(&r, hash(4)), 2);
	assert_int_equal(recent_take(&r, hash(5)), 0);
	assert_int_equal(recent_take(&r, hash(6)), 1);
	assert_true(there(&r, 4) && there(&r, 5) && there(&r, 6));
	recent_fini(&r);
}

static void test_one_place(void **state)
{
	struct recent r;

	(void)state;
	assert_int_equal(recent_init(&r, 1), 0);
	for (unsigned n = 0; n < 1000; n++) {
		assert_int_equal(recent_take(&r, hash(n)), 0);
		assert_true(there(&r, n));
		assert_int_equal(r.count, 1);
	}
	recent_fini(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_empty),
	    cmocka_unit_test(test_found_by_all_of_the_hash),
	    cmocka_unit_test(test_least_used_makes_room),
	    cmocka_unit_test(test_one_place),
	};

	return cmocka_run_group_tests_name("recent", tests, NULL, NULL);
}
