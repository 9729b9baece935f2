/* quote_input, quote_view: what a quote came in, and what it is told as. */
#include "tests/sgx/quote_maker.h"

#include <openssl/evp.h>

#include "verifier/cli/quote_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static uint8_t quote[QUOTE_MAKER_MAX];
static size_t quote_len;
static struct input input;
static char error[INPUT_ERROR_MAX];

static void make(enum quote_maker_kind kind)
{
	struct quote_maker *maker = quote_maker_new(1795251600000);
	struct quote_maker_body body = {
	    .kind = kind, .product_id = 258, .svn = 9};

	EVP_Digest("held", 4, body.report_data, NULL, EVP_sha256(), NULL);
	memset(body.mrenclave, 0xab, 32);
	quote_len = quote_maker_quote(maker, &body, quote);
	quote_maker_free(maker);
}

static int setup(void **state)
{
	(void)state;
	make(QUOTE_MAKER_SGX_3);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	input_fini(&input);
	return 0;
}

/* Some bytes in front of the quote and behind. */
static void tell(const void *head, size_t head_len, const char *tail)
{
	size_t len = head_len + quote_len + strlen(tail);
	uint8_t *bytes = malloc(len);

	assert_non_null(bytes);
	memcpy(bytes, head, head_len);
	memcpy(bytes + head_len, quote, quote_len);
	memcpy(bytes + head_len + quote_len, tail, strlen(tail));
	input_fini(&input);
	input_tell(&input, bytes, len);
}

static void put_size(uint8_t *at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)(value >> 8 * i);
}

static json_t *view(const char *held)
{
	enum hm_verdict verdict;
	struct quote_input q;
	json_t *out;

	assert_true(quote_input_is(&input));
	assert_int_equal(quote_input_open(&q, &input, held, error), 0);
	out = quote_view(&input, &q, &verdict);
	assert_int_equal(
	    verdict == HM_VALID, json_object_get(out, "error") == NULL);
	quote_input_close(&q);
	return out;
}

static const char *text(const json_t *root, const char *key)
{
	return json_string_value(json_object_get(root, key));
}

static json_int_t number(const json_t *root, const char *key)
{
	return json_integer_value(json_object_get(root, key));
}

static void test_bare(void **state)
{
	json_t *root;
	char mrenclave[65];

	(void)state;
	tell("", 0, "");
	root = view(NULL);
	memset(mrenclave, 0, sizeof(mrenclave));
	for (int i = 0; i < 32; i++)
		memcpy(mrenclave + 2 * i, "AB", 2);
	assert_int_equal(number(root, "Type"), 2);
	assert_string_equal(text(root, "MrEnclaveHex"), mrenclave);
	assert_string_equal(
	    text(root, "ProductIdHex"), "02010000000000000000000000000000");
	assert_int_equal(number(root, "SecurityVersion"), 9);
	assert_int_equal(number(root, "Attributes"), 5);
	assert_int_equal(strlen(text(root, "QuoteHex")), 2 * quote_len);
	assert_true(json_is_null(json_object_get(root, "EnclaveHeldDataHex")));
	assert_true(json_is_null(json_object_get(root, "open_enclave")));
	json_decref(root);
}

static void test_report_with_claims(void **state)
{
	uint8_t head[16] = {1, 0, 0, 0, 2};
	json_t *root;

	(void)state;
	put_size(head + 8, quote_len);
	tell(head, sizeof(head), "held");
	root = view(NULL);
	assert_int_equal(number(root, "Attributes"), 2); /* remote */
	assert_string_equal(text(root, "EnclaveHeldDataHex"), "68656C64");
	assert_true(json_is_true(
	    json_object_get(json_object_get(root, "held"), "is_report_data")));
	assert_string_equal(
	    text(json_object_get(root, "open_enclave"), "form"), "report");
	json_decref(root);
	head[8] ^= 1; /* another size */
	tell(head, sizeof(head), "");
	root = view(NULL);
	assert_string_equal(text(root, "error"), "quote_malformed");
	json_decref(root);
}

static void test_domain(void **state)
{
	json_t *root;

	(void)state;
	make(QUOTE_MAKER_TDX_5);
	tell("", 0, "");
	root = view(NULL);
	assert_true(json_is_null(json_object_get(root, "MrEnclaveHex")));
	assert_true(json_is_null(json_object_get(root, "SecurityVersion")));
	assert_int_equal(number(root, "Attributes"), 0x10000000);
	json_decref(root);
}

/* What inspect prints can be read again. */
static void test_page(void **state)
{
	uint8_t *from = NULL, *held = NULL;
	size_t len, held_len;
	json_t *root;
	char *page;

	(void)state;
	tell("", 0, "");
	root = view(NULL);
	page = json_dumps(root, 0);
	json_decref(root);
	assert_int_equal(
	    quote_input_page(page, strlen(page), &from, &len, &held, &held_len),
	    0);
	assert_int_equal(len, quote_len);
	assert_memory_equal(from, quote, len);
	assert_null(held);
	free(from);
	input_fini(&input);
	input_tell(&input, (uint8_t *)page, strlen(page));
	assert_true(quote_input_is(&input));
	assert_memory_equal(input.bytes, quote, quote_len);
}

static void test_pages_that_are_none(void **state)
{
	static const char *const bad[] = {"", "{}", "[]", "{\"QuoteHex\":1}",
	    "{\"QuoteHex\":\"\"}", "{\"QuoteHex\":\"0\"}",
	    "{\"QuoteHex\":\"0g\"}",
	    "{\"QuoteHex\":\"00\",\"EnclaveHeldDataHex\":1}",
	    "{\"QuoteHex\":\"00\",\"EnclaveHeldDataHex\":\"0\"}",
	    "{\"QuoteHex\":\"00\",\"QuoteHex\":\"00\"}"};
	static const char empty[] =
	    "{\"QuoteHex\":\"0a\",\"EnclaveHeldDataHex\":\"\"}";
	uint8_t *from, *held;
	size_t len, held_len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (quote_input_page(bad[i], strlen(bad[i]), &from, &len, &held,
			&held_len) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_null(from);
		free(held);
	}
	assert_int_equal(quote_input_page(empty, strlen(empty), &from, &len,
			     &held, &held_len),
	    0);
	assert_non_null(held);
	assert_int_equal(held_len, 0);
	free(from);
	free(held);
}

static void test_others_are_none(void **state)
{
	static const char *const others[] = {"{\"a\":1}", "x", "\x84\x44\xa1"};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		input_fini(&input);
		input_tell(
		    &input, (uint8_t *)strdup(others[i]), strlen(others[i]));
		assert_false(quote_input_is(&input));
	}
}

static void test_held_file(void **state)
{
	struct quote_input q;

	(void)state;
	tell("", 0, "");
	assert_int_equal(
	    quote_input_open(&q, &input, "/nowhere/at/all", error), -1);
	assert_non_null(strstr(error, "/nowhere/at/all"));
	quote_input_close(&q);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(test_bare),
	    TEST(test_report_with_claims),
	    TEST(test_domain),
	    TEST(test_page),
	    TEST(test_pages_that_are_none),
	    TEST(test_others_are_none),
	    TEST(test_held_file),
	};

	return cmocka_run_group_tests_name("quote_input", tests, NULL, NULL);
}
