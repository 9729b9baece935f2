/* hermes: ids, and numbers that keep each of their digits. */
#include "base/hermes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* printf BTC-USD | sha256sum */
#define BTC_USD \
	"2fd1a09ed73e366561d195e4ae8fa215eca2085e508ecca8411af1c61dccc815"

static void an_id_is_the_hash_of_the_name(void **state)
{
	char id[HERMES_ID_MAX];

	(void)state;
	hermes_id_of("BTC-USD", id);
	assert_string_equal(id, BTC_USD);
}

static void ids_are_read_as_clients_write_them(void **state)
{
	static const char *const bad[] = {"", "0x", "BTC-USD", BTC_USD "0",
	    "0x0x" BTC_USD, " " BTC_USD, BTC_USD " ",
	    "gfd1a09ed73e366561d195e4ae8fa215eca2085e508ecca8411af1c61dccc815"};
	char id[HERMES_ID_MAX], upper[HERMES_ID_MAX];

	(void)state;
	assert_true(hermes_id_read(BTC_USD, id));
	assert_string_equal(id, BTC_USD);
	assert_true(hermes_id_read("0x" BTC_USD, id));
	assert_string_equal(id, BTC_USD);
	for (size_t i = 0; i < sizeof(upper); i++)
		upper[i] = BTC_USD[i] >= 'a' ? (char)(BTC_USD[i] - 32)
					     : BTC_USD[i];
	assert_true(hermes_id_read(upper, id));
	assert_string_equal(id, BTC_USD);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (hermes_id_read(bad[i], id))
			fail_msg("taken: %s", bad[i]);
}

static struct hermes_price price_of(const char *price, const char *confidence)
{
	return (struct hermes_price){.id = BTC_USD,
	    .name = "BTC-USD",
	    .boot_id = "aa",
	    .price = price,
	    .confidence = confidence,
	    .sequence = 41,
	    .published_ms = 1714746101999,
	    .expires_ms = 1714746106999,
	    .previous_ms = 1714746100001};
}

static void numbers_are(const char *price, const char *confidence,
    const char *mantissa, const char *conf, int expo)
{
	const struct hermes_price facts = price_of(price, confidence);
	char *text = hermes_parsed(&facts);
	const char *found_price, *found_conf;
	int found_expo, time_s;
	json_t *root;

	assert_non_null(text);
	root = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(
	    json_unpack(root, "{s:{s:s, s:s, s:i, s:i !}}", "price", "price",
		&found_price, "conf", &found_conf, "expo", &found_expo,
		"publish_time", &time_s),
	    0);
	assert_string_equal(found_price, mantissa);
	assert_string_equal(found_conf, conf);
	assert_int_equal(found_expo, expo);
	assert_int_equal(time_s, 1714746101);
	json_decref(root);
	free(text);
}

static void no_digit_is_lost(void **state)
{
	(void)state;
	numbers_are("84036.50", "3.25", "8403650", "325", -2);
	numbers_are("84036.50", "3.125", "84036500", "3125", -3);
	numbers_are("84036.5", "0", "840365", "0", -1);
	numbers_are("84036", "12", "84036", "12", 0);
	numbers_are("0.00001234", "0.00000001", "1234", "1", -8);
	numbers_are("-1.50", "0.25", "-150", "25", -2);
	numbers_are("-0.00", "0.00", "0", "0", -2);
	numbers_are("9007199254740993.000000000000000001", "0.1",
	    "9007199254740993000000000000000001", "100000000000000000", -18);
	numbers_are("100", "0.5", "1000", "5", -1);
}

static void what_is_no_number_is_none(void **state)
{
	static const char *const bad[] = {"", "-", ".", "1.", ".5", "1e3", "+1",
	    "1,5", "NaN", "1.2.3", "--1", " 1", "1 ", "0x10",
	    "10000000000000000000000000000000000000000.5"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct hermes_price one = price_of(bad[i], "1");
		const struct hermes_price two = price_of("1", bad[i]);

		if (hermes_parsed(&one) || hermes_parsed(&two))
			fail_msg("taken: \"%s\"", bad[i]);
	}
}

static void there_is_no_ema(void **state)
{
	const struct hermes_price facts = price_of("84036.50", "3.25");
	char *text = hermes_parsed(&facts);

	(void)state;
	assert_non_null(strstr(text, "\"ema_price\":{\"price\":\"0\",\"conf\":"
				     "\"0\",\"expo\":-2,\"publish_time\":0}"));
	assert_non_null(strstr(text, "\"slot\":null"));
	assert_non_null(strstr(text, "\"prev_publish_time\":1714746100"));
	assert_non_null(strstr(text, "\"sequence\":41"));
	free(text);
}

static void feeds_have_attributes(void **state)
{
	char *text = hermes_feed(BTC_USD, "BTC-USD");

	(void)state;
	assert_string_equal(text,
	    "{\"id\":\"" BTC_USD "\",\"attributes\":{\"asset_type\":\"Crypto\","
	    "\"symbol\":\"BTC-USD\",\"base\":\"BTC\",\"quote_currency\":\"USD\""
	    ",\"display_symbol\":\"BTC/USD\"}}");
	free(text);
	assert_true(hermes_feed_has("BTC-USD", "btc"));
	assert_true(hermes_feed_has("BTC-USD", "BTC/u"));
	assert_true(hermes_feed_has("BTC-USD", "C-U"));
	assert_true(hermes_feed_has("BTC-USD", ""));
	assert_false(hermes_feed_has("BTC-USD", "eth"));
}

static char *update(enum hermes_encoding encoding, bool parsed, size_t count)
{
	const struct hermes_price facts = price_of("1.5", "0.1");
	const struct hermes_price none = price_of("?", "0.1");
	struct hermes_update *all = hermes_update_new(encoding, parsed);

	for (size_t i = 0; i < count; i++)
		assert_true(hermes_update_add(all, "{\"a\":1}", &facts));
	assert_false(hermes_update_add(all, "{}", &none));
	return hermes_update_end(all);
}

static void updates_hold_what_was_signed(void **state)
{
	char *text = update(HERMES_HEX, false, 2);

	(void)state;
	assert_string_equal(text,
	    "{\"binary\":{\"encoding\":\"hex\",\"data\":[\"7b2261223a317d\","
	    "\"7b2261223a317d\"]}}");
	free(text);
	text = update(HERMES_BASE64, true, 1);
	assert_non_null(strstr(text,
	    "{\"binary\":{\"encoding\":\"base64\",\"data\":[\"eyJhIjoxfQ==\"]},"
	    "\"parsed\":[{\"id\":\"" BTC_USD "\","));
	free(text);
	text = update(HERMES_BASE64, true, 0);
	assert_string_equal(text,
	    "{\"binary\":{\"encoding\":\"base64\",\"data\":[]},\"parsed\":[]}");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_id_is_the_hash_of_the_name),
	    cmocka_unit_test(ids_are_read_as_clients_write_them),
	    cmocka_unit_test(no_digit_is_lost),
	    cmocka_unit_test(what_is_no_number_is_none),
	    cmocka_unit_test(there_is_no_ema),
	    cmocka_unit_test(feeds_have_attributes),
	    cmocka_unit_test(updates_hold_what_was_signed),
	};

	return cmocka_run_group_tests_name("hermes", tests, NULL, NULL);
}
