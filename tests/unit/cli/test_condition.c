/* condition: each form, each mistake, and prices that differ in the last digit
 * or only in how they are written. */
#include "verifier/cli/condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct condition c;

static void test_forms(void **state)
{
	(void)state;
	assert_int_equal(condition_parse(&c, "verified"), 0);
	assert_int_equal(c.kind, CONDITION_VERIFIED);
	assert_string_equal(c.feed, "");
	assert_int_equal(condition_parse(&c, "refused"), 0);
	assert_int_equal(c.kind, CONDITION_REFUSED);
	assert_int_equal(condition_parse(&c, "BTC-USD>84000.50"), 0);
	assert_int_equal(c.kind, CONDITION_ABOVE);
	assert_string_equal(c.feed, "BTC-USD");
	assert_int_equal(c.price.mantissa, 8400050);
	assert_int_equal(c.price.exponent, -2);
	assert_int_equal(condition_parse(&c, "ETH-USD<-1"), 0);
	assert_int_equal(c.kind, CONDITION_BELOW);
	assert_int_equal(c.price.mantissa, -1);
}

static void test_mistakes(void **state)
{
	static const char *const wrong[] = {"", "valid", "Verified",
	    "verified ", "BTC-USD", "BTC-USD>", "BTC-USD<", ">1", "<",
	    "btc-usd>1", "BTC>1", "BTC-USD=1", "BTC-USD>=1", "BTC-USD>1<2",
	    "BTC-USD>>1", "BTC-USD> 1", "BTC-USD >1", "BTC-USD>1 ",
	    "BTC-USD>1,5", "BTC-USD>$1", "BTC-USD>.5", "BTC-USD>1.",
	    "BTC-USD>+1", "BTC-USD>0x10", "BTC-USD>nan", "BTC-USD>inf",
	    "BTC-USD>01", "BTC-USD>99999999999999999999", "BTC-USD>1e99",
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ-ABCDEFGHIJKLMNOPQRSTUVWXYZ>1"};
	const struct condition zero = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memset(&c, 0x5a, sizeof(c));
		if (condition_parse(&c, wrong[i]) == 0)
			fail_msg("\"%s\" is taken", wrong[i]);
		assert_memory_equal(&c, &zero, sizeof(c));
	}
}

static bool met(const char *condition, const char *feed, const char *price)
{
	struct hm_item item = {.ok = price != NULL};

	assert_int_equal(condition_parse(&c, condition), 0);
	snprintf(item.feed, sizeof(item.feed), "%s", feed);
	if (price)
		snprintf(item.price, sizeof(item.price), "%s", price);
	return condition_met(&c, &item);
}

static void test_met(void **state)
{
	(void)state;
	assert_true(met("verified", "BTC-USD", "1"));
	assert_true(met("verified", "BTC-USD", NULL)); /* signed: none */
	assert_false(met("refused", "BTC-USD", "1"));
	assert_true(met("BTC-USD>84000", "BTC-USD", "84000.01"));
	assert_false(met("BTC-USD>84000", "BTC-USD", "84000.00"));
	assert_false(met("BTC-USD>84000", "BTC-USD", "83999.99"));
	assert_true(met("BTC-USD<84000", "BTC-USD", "83999.99"));
	assert_false(met("BTC-USD<84000.0", "BTC-USD", "84000.00"));
	assert_false(met("BTC-USD<84000", "BTC-USD", "84000.01"));
	assert_false(met("BTC-USD>1", "ETH-USD", "84000.00"));
	assert_false(met("BTC-USD>1", "BTC-USD", NULL));
	assert_false(met("BTC-USD<1", "BTC-USD", NULL));
	assert_false(met("BTC-USD<1", "BTC-USD", "")); /* never happens */
}

/* Whatever else an item holds that says it has no price. */
static void test_unavailable(void **state)
{
	struct hm_item item = {.feed = "BTC-USD", .price = "2"};

	(void)state;
	assert_int_equal(condition_parse(&c, "BTC-USD>1"), 0);
	assert_false(condition_met(&c, &item));
	item.ok = true;
	assert_true(condition_met(&c, &item));
}

/* In floating point these are all the same number. */
static void test_exact(void **state)
{
	(void)state;
	assert_true(met("A-B>9007199254740992.1", "A-B", "9007199254740992.2"));
	assert_false(
	    met("A-B>9007199254740992.1", "A-B", "9007199254740992.1"));
	assert_false(
	    met("A-B>9007199254740992.1", "A-B", "9007199254740992.0"));
	assert_true(met("A-B<0.30000000000000001", "A-B", "0.3"));
	assert_false(met("A-B<0.3", "A-B", "0.30000000000000001"));
	assert_false(met("A-B>1e3", "A-B", "1000"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_forms),
	    cmocka_unit_test(test_mistakes),
	    cmocka_unit_test(test_met),
	    cmocka_unit_test(test_unavailable),
	    cmocka_unit_test(test_exact),
	};

	return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}
