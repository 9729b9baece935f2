#include "tests/unit/vsock-bridge/harness.h"

#include "vsock-bridge/authority.h"

static int parse(struct authority *out, const char *text)
{
	const char *why = NULL;
	int ret = authority_parse(out, text, strlen(text), &why);

	assert_true((ret == 0) == (why == NULL));
	return ret;
}

static void test_accepts_names_in_one_spelling(void **state)
{
	struct authority a;
	char text[AUTHORITY_TEXT_MAX];

	(void)state;
	assert_int_equal(parse(&a, "API.Exchange.Example:443"), 0);
	assert_string_equal(a.host, "api.exchange.example");
	assert_int_equal(a.port, 443);
	assert_true(authority_is_name(&a));
	authority_format(&a, text);
	assert_string_equal(text, "api.exchange.example:443");
	assert_int_equal(parse(&a, "localhost:65535"), 0);
	assert_int_equal(parse(&a, "xn--bcher-kva.example:1"), 0);
}

static void test_refuses_other_forms(void **state)
{
	static const char *const bad[] = {"", ":", "a", "a:", ":443", "a.:443",
	    "example.com.:443", ".a:443", "a..b:443", "-a:1", "a-:1", "a.-b:1",
	    "a_b:1", "a b:1", "user@a:1", "a%2eb:1", "a/b:1", "http://a:1",
	    "a:0", "a:00443", "a:+443", "a:-1", "a:65536", "a:99999",
	    "a:100000", "a:4 3", "a:443 ", " a:443", "a:b:443", "::1:443",
	    "[::1:443", "::1]:443", "[]:443", "[a]:443", "[fe80::1%25eth0]:443",
	    "[127.0.0.1]:443", "b\xc3\xbc.example:1", "a\n:1", "*.example:443",
	    "*:443"};
	struct authority a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(&a, 0xff, sizeof(a));
		if (parse(&a, bad[i]) == 0)
			fail_msg("accepted: %s", bad[i]);
		assert_int_equal(a.port, 0);
		assert_string_equal(a.host, "");
	}
}

static void test_refuses_nul(void **state)
{
	struct authority a;
	const char *why;

	(void)state;
	assert_int_equal(authority_parse(&a, "a\0b:443", 7, &why), -1);
	assert_int_equal(authority_parse(&a, "a:44\0", 5, &why), -1);
}

static void fill(char *out, size_t label, size_t total)
{
	for (size_t i = 0; i < total; i++)
		out[i] = i % (label + 1) == label ? '.' : 'a';
	memcpy(out + total, ":443", 5);
}

static void test_lengths(void **state)
{
	char text[300];
	struct authority a;

	(void)state;
	fill(text, 63, 253);
	assert_int_equal(parse(&a, text), 0);
	assert_int_equal(strlen(a.host), 253);
	fill(text, 63, 254);
	assert_int_equal(parse(&a, text), -1);
	fill(text, 64, 64);
	assert_int_equal(parse(&a, text), -1);
}

static void test_tells_addresses_from_names(void **state)
{
	static const char *const addresses[] = {"127.0.0.1:1", "127.1:1",
	    "2130706433:1", "0x7f.1:1", "0x7f000001:1", "1.2.3.0x4:1",
	    "[::1]:1", "[::ffff:127.0.0.1]:1", "[fe80::1]:1", "[ABCD::]:1"};
	struct authority a;

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		assert_int_equal(parse(&a, addresses[i]), 0);
		assert_false(authority_is_name(&a));
	}
	assert_int_equal(parse(&a, "1.2.3.example:1"), 0);
	assert_true(authority_is_name(&a));
}

static void test_formats_literals(void **state)
{
	char text[AUTHORITY_TEXT_MAX];
	struct authority a;

	(void)state;
	assert_int_equal(parse(&a, "[2001:DB8::1]:443"), 0);
	assert_string_equal(a.host, "2001:db8::1");
	authority_format(&a, text);
	assert_string_equal(text, "[2001:db8::1]:443");
}

static void test_order(void **state)
{
	struct authority a, b;

	(void)state;
	assert_int_equal(parse(&a, "a:1"), 0);
	assert_int_equal(parse(&b, "A:1"), 0);
	assert_int_equal(authority_compare(&a, &b), 0);
	assert_int_equal(parse(&b, "a:2"), 0);
	assert_true(authority_compare(&a, &b) < 0);
	assert_true(authority_compare(&b, &a) > 0);
	assert_int_equal(parse(&b, "b:1"), 0);
	assert_true(authority_compare(&a, &b) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_accepts_names_in_one_spelling),
	    cmocka_unit_test(test_refuses_other_forms),
	    cmocka_unit_test(test_refuses_nul),
	    cmocka_unit_test(test_lengths),
	    cmocka_unit_test(test_tells_addresses_from_names),
	    cmocka_unit_test(test_formats_literals),
	    cmocka_unit_test(test_order),
	};

	return cmocka_run_group_tests_name("authority", tests, NULL, NULL);
}
