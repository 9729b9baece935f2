/* config: "exchanges", what is read and that each wrong one is refused. */
#include "oracle/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/oracle/config_fixture.h"

#define KEY_1 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define KEY_2 "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static int load(const char *exchanges)
{
	char text[4096];

	snprintf(text, sizeof(text), ",\"exchanges\":%s", exchanges);
	return config_with(text);
}

static void refused(const char *exchanges, const char *why)
{
	char text[4096];

	snprintf(text, sizeof(text), ",\"exchanges\":%s", exchanges);
	config_refused(text, why);
	assert_int_equal(config.pin_count, 0);
	assert_null(config.pins[0].exchange);
}

static const struct config_pins *pins_of(const char *name)
{
	return config_pins_find(&config, exchange_find(name));
}

static void both_parts_are_read(void **state)
{
	char ca[80];
	(void)state;

	assert_int_equal(
	    load("{\"kraken\":{\"ca_file\":\"k.pem\",\"spki_sha256\":[\"" KEY_1
		 "\",\"" KEY_2 "\"]},\"bitstamp\":{\"ca_file\":\"/b.pem\"},"
		 "\"binance\":{\"spki_sha256\":[\"" KEY_2 "\"]}}"),
	    0);
	assert_int_equal(config.pin_count, 3);
	snprintf(ca, sizeof(ca), "%s/k.pem", config_dir);
	assert_string_equal(pins_of("kraken")->ca_file, ca);
	assert_int_equal(pins_of("kraken")->spki_count, 2);
	assert_int_equal(pins_of("kraken")->spki_sha256[0][0], 0x01);
	assert_int_equal(pins_of("kraken")->spki_sha256[1][0], 0x11);
	assert_int_equal(pins_of("kraken")->spki_sha256[1][31], 0xef);
	assert_string_equal(pins_of("bitstamp")->ca_file, "/b.pem");
	assert_int_equal(pins_of("bitstamp")->spki_count, 0);
	assert_string_equal(pins_of("binance")->ca_file, "");
	assert_int_equal(pins_of("binance")->spki_count, 1);
	assert_null(pins_of("coinbase_exchange"));
}

static void wrong_ones_are_refused_by_name(void **state)
{
	(void)state;
	refused("[]", "exchanges");
	refused("null", "exchanges");
	refused("{}", "exchanges");
	refused("{\"mtgox\":{\"ca_file\":\"x\"}}", "mtgox");
	refused("{\"Kraken\":{\"ca_file\":\"x\"}}", "Kraken");
	refused("{\"kraken\":{}}", "kraken");
	refused("{\"kraken\":[]}", "kraken");
	refused("{\"kraken\":{\"ca_file\":\"x\",\"colour\":1}}", "colour");
	refused("{\"kraken\":{\"ca_file\":1}}", "kraken");
	refused("{\"kraken\":{\"ca_file\":null}}", "kraken");
	refused("{\"kraken\":{\"ca_file\":\"\"}}", "kraken: ca_file");
	refused("{\"kraken\":{\"ca_file\":\"x\"},\"kraken\":{\"ca_file\":"
		"\"x\"}}",
	    "duplicate");
	refused(
	    "{\"kraken\":{\"ca_file\":\"x\",\"ca_file\":\"x\"}}", "duplicate");
	refused("{\"bitstamp\":{\"ca_file\":\"x\"},\"kraken\":{}}", "kraken");
}

static void wrong_keys_are_refused(void **state)
{
	static const char *const keys[] = {"[]", "null", "\"" KEY_1 "\"", "{}",
	    "[1]", "[null]", "[\"\"]", "[\"" KEY_1 "0\"]", "[\"" KEY_1 "00\"]",
	    "[\"0x" KEY_1 "\"]", "[\" " KEY_1 "\"]",
	    "[\"g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"
	    "f\"]",
	    "[\"" KEY_1 "\",\"\"]", "[\"" KEY_1 "\",\"" KEY_1 "\"]",
	    "[\"" KEY_1 "\",\"" KEY_2 "\",\"0123456789ABCDEF0123456789ABCDEF"
	    "0123456789ABCDEF0123456789ABCDEF\"]"};
	char text[1000];
	(void)state;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(text, sizeof(text),
		    "{\"kraken\":{\"spki_sha256\":%s}}", keys[i]);
		refused(text, "kraken: spki_sha256");
	}
}

/* `count` keys that differ. */
static int load_keys(unsigned count)
{
	char text[2000] = "{\"kraken\":{\"spki_sha256\":[";

	for (unsigned i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s\"%064x\"", i > 0 ? "," : "", i);
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "]}}");
	return load(text);
}

static void there_is_a_ceiling(void **state)
{
	(void)state;
	assert_int_equal(load_keys(CONFIG_PINS_MAX), 0);
	assert_int_equal(pins_of("kraken")->spki_count, CONFIG_PINS_MAX);
	assert_int_equal(load_keys(CONFIG_PINS_MAX + 1), -1);
	assert_non_null(strstr(error, "1 to 8"));
}

static void a_long_path_is_refused(void **state)
{
	char text[1000];
	(void)state;
	snprintf(
	    text, sizeof(text), "{\"kraken\":{\"ca_file\":\"/%0600d\"}}", 0);
	refused(text, "kraken: ca_file");
}

static void the_plan_shows_them(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(
	    load("{\"kraken\":{\"ca_file\":\"/k.pem\",\"spki_sha256\":"
		 "[\"" KEY_1 "\",\"" KEY_2 "\"]}}"),
	    0);
	plan_print(&config, out);
	fclose(out);
	assert_non_null(strstr(text, "kraken only by /k.pem\n"));
	assert_non_null(strstr(text, "kraken only with key " KEY_1 "\n"));
	assert_non_null(strstr(text, "kraken only with key or " KEY_2 "\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_parts_are_read),
	    cmocka_unit_test(wrong_ones_are_refused_by_name),
	    cmocka_unit_test(wrong_keys_are_refused),
	    cmocka_unit_test(there_is_a_ceiling),
	    cmocka_unit_test(a_long_path_is_refused),
	    cmocka_unit_test(the_plan_shows_them),
	};

	return cmocka_run_group_tests_name("config_pins", tests, NULL, NULL);
}
