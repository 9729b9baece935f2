/* rate_limit: who has taken too much waits, the others notice nothing. */
#include "base/rate_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

static struct rate_limit *limit;
static int64_t now_ms;
static unsigned retry_s;

static int set_up(void **state)
{
	(void)state;
	limit = rate_limit_new(10, 3);
	now_ms = 1000000;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	rate_limit_free(limit);
	return 0;
}

static bool take(const char *address)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1)
		return rate_limit_take(
		    limit, (struct sockaddr *)&in, now_ms, &retry_s);
	assert_int_equal(inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
	return rate_limit_take(
	    limit, (struct sockaddr *)&in6, now_ms, &retry_s);
}

static void use_up(const char *address)
{
	for (int i = 0; i < 3; i++)
		assert_true(take(address));
	assert_false(take(address));
}

static void a_burst_and_then_the_rate(void **state)
{
	(void)state;
	use_up("192.0.2.1");
	assert_int_equal(retry_s, 1);
	now_ms += 99;
	assert_false(take("192.0.2.1"));
	now_ms += 1;
	assert_true(take("192.0.2.1"));
	assert_false(take("192.0.2.1"));
	now_ms += 250;
	assert_true(take("192.0.2.1"));
	assert_true(take("192.0.2.1"));
	assert_false(take("192.0.2.1"));
	now_ms += 50;
	assert_true(take("192.0.2.1")); /* nothing of the 250 was lost */
	now_ms += INT64_C(1000) * 86400 * 365 * 1000;
	use_up("192.0.2.1");
	now_ms -= 5000; /* never, and yet */
	assert_false(take("192.0.2.1"));
}

static void addresses_do_not_share(void **state)
{
	(void)state;
	use_up("192.0.2.1");
	use_up("192.0.2.2");
	use_up("2001:db8::1");
	assert_false(take("2001:db8::ffff:1")); /* the same /64 */
	use_up("2001:db8:0:1::1");
	assert_false(take("::ffff:192.0.2.1")); /* the same */
	use_up("::ffff:192.0.2.3");
	assert_false(take("192.0.2.3"));
}

static void our_own_are_not_limited(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(take("127.0.0.1"));
		assert_true(take("127.255.0.9"));
		assert_true(take("::1"));
		assert_true(take("::ffff:127.0.0.1"));
		assert_true(rate_limit_take(
		    limit, (struct sockaddr *)&un, now_ms, &retry_s));
		assert_true(rate_limit_take(limit, NULL, now_ms, &retry_s));
	}
}

static void no_limit_is_none(void **state)
{
	struct rate_limit *kept = limit;

	(void)state;
	limit = rate_limit_new(0, 5);
	assert_null(limit);
	for (int i = 0; i < 100; i++)
		assert_true(take("192.0.2.1"));
	limit = kept;
}

static void slow_rates_say_how_long(void **state)
{
	(void)state;
	rate_limit_free(limit);
	limit = rate_limit_new(1, 0); /* a burst as large as the rate */
	assert_true(take("192.0.2.1"));
	assert_false(take("192.0.2.1"));
	assert_in_range(retry_s, 1, 2);
}

/* Many more addresses than there is room for; whoever is active stays known. */
static void the_table_is_bounded(void **state)
{
	char address[64];

	(void)state;
	use_up("192.0.2.1");
	for (unsigned i = 0; i < 20 * RATE_LIMIT_SETS * RATE_LIMIT_WAYS; i++) {
		snprintf(address, sizeof(address), "10.%u.%u.%u", i >> 16,
		    i >> 8 & 255, i & 255);
		if (i % 512 == 0) {
			now_ms++; /* a tenth of one that it may */
			(void)take("192.0.2.1");
			assert_false(take("192.0.2.1"));
		}
		assert_true(take(address));
	}
}

#define LIMIT_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    LIMIT_TEST(a_burst_and_then_the_rate),
	    LIMIT_TEST(addresses_do_not_share),
	    LIMIT_TEST(our_own_are_not_limited),
	    LIMIT_TEST(no_limit_is_none),
	    LIMIT_TEST(slow_rates_say_how_long),
	    LIMIT_TEST(the_table_is_bounded),
	};

	return cmocka_run_group_tests_name("rate_limit", tests, NULL, NULL);
}
