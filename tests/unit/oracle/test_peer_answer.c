/* peer_answer: both ways, what is none, and how far prices are apart. */
#include "oracle/peer_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int parse(struct peer_answer *out, const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	int status;

	memcpy(copy, text, len);
	status = peer_answer_parse(out, copy, len);
	free(copy);
	return status;
}

static void test_both_ways(void **state)
{
	struct peer_answer a;
	char *text = peer_answer_disagrees(
	    "BTC-USD", 7, PEER_WHY_PRICE, "84036.10");

	(void)state;
	assert_int_equal(parse(&a, text), 0);
	assert_false(a.cosigned);
	assert_string_equal(a.feed, "BTC-USD");
	assert_int_equal(a.sequence, 7);
	assert_string_equal(a.why, "price");
	assert_string_equal(a.price, "84036.10");
	peer_answer_fini(&a);
	free(text);
	text = peer_answer_disagrees("BTC-USD", 7, PEER_WHY_NO_ITEM, "");
	assert_int_equal(parse(&a, text), 0);
	assert_string_equal(a.price, "");
	free(text);
	assert_int_equal(
	    parse(&a, "{\"content\":\"x\",\"signature_b64\":\"c2ln\","
		      "\"public_key\":\"P\",\"platform\":\"s\","
		      "\"attestation_sha256\":\"00112233445566778899aabbccddeef"
		      "f00112233445566778899aabbccddeeff\"}"),
	    0);
	assert_true(a.cosigned);
	assert_string_equal(a.envelope.content, "x");
	peer_answer_fini(&a);
	assert_null(a.envelope.content);
}

#define SAYS(members) "{\"disagrees\":{" members "}}"
#define FEED          "\"feed\":\"X\""
#define REST          ",\"sequence\":1,\"why\":\"price\",\"price\":null"

static void test_refused(void **state)
{
	static const char *const bad[] = {"", "{}", "null", "[]",
	    "{\"disagrees\":", "{\"disagrees\":1}", SAYS(""), SAYS(FEED),
	    SAYS(FEED REST ",\"x\":1"), SAYS(FEED REST) "x",
	    SAYS(FEED REST REST), "{\"disagrees\":{" FEED REST "},\"x\":1}",
	    SAYS("\"feed\":\"\"" REST), SAYS("\"feed\":\"a b\"" REST),
	    SAYS("\"feed\":1" REST),
	    SAYS("\"feed\":\"0123456789012345678901234567890123456789\"" REST),
	    SAYS(FEED ",\"sequence\":-1,\"why\":\"x\",\"price\":null"),
	    SAYS(FEED ",\"sequence\":1.5,\"why\":\"x\",\"price\":null"),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"\",\"price\":null"),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"X\",\"price\":null"),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"a\\nb\",\"price\":null"),
	    SAYS(
		FEED ",\"sequence\":1,\"why\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaa\","
		     "\"price\":null"),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"x\",\"price\":\"\""),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"x\",\"price\":\"0\""),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"x\",\"price\":\"-1\""),
	    SAYS(FEED ",\"sequence\":1,\"why\":\"x\",\"price\":1}")};
	struct peer_answer a;

	(void)state;
	assert_int_equal(parse(&a, SAYS(FEED REST)), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (parse(&a, bad[i]) == 0)
			fail_msg("%s", bad[i]);
}

static unsigned gap(int64_t a, int64_t b)
{
	return peer_price_gap((struct decimal){a, -2}, (struct decimal){b, -2});
}

static void test_gap(void **state)
{
	(void)state;
	assert_int_equal(gap(10000, 10000), 0);
	assert_int_equal(gap(10000, 10050), 50);
	assert_int_equal(gap(10000, 9950), 50);
	assert_int_equal(gap(1000000, 1005001), 51); /* rounded up */
	assert_int_equal(gap(3, 4), 3334);
	assert_int_equal(gap(1, INT64_MAX), PEER_GAP_MAX);
	assert_int_equal(gap(INT64_MAX, 1), 10000);
	assert_int_equal(gap(0, 1), PEER_GAP_MAX);
	assert_int_equal(gap(1, 0), PEER_GAP_MAX);
	assert_int_equal(gap(-1, -1), PEER_GAP_MAX);
	assert_int_equal(
	    peer_price_gap((struct decimal){1, -2}, (struct decimal){1, -3}),
	    PEER_GAP_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_both_ways),
	    cmocka_unit_test(test_refused),
	    cmocka_unit_test(test_gap),
	};

	return cmocka_run_group_tests_name("peer_answer", tests, NULL, NULL);
}
