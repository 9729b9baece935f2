/* export_csv: what a cell looks like, and a row. */
#include "verifier/cli/export_csv.c"

#include "tests/unit/daemon/mint.h"

static char text[4096];

/* What `put` writes; its result. */
static void expect_cell(const char *cell, const char *wanted)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	assert_non_null(out);
	export_csv_cell(out, cell);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, wanted);
}

/* RFC 4180, 2.5 to 2.7 */
static void test_quotes(void **state)
{
	(void)state;
	expect_cell("", "");
	expect_cell("BTC-USD", "BTC-USD");
	expect_cell("a b", "a b");
	expect_cell("a,b", "\"a,b\"");
	expect_cell("a\"b", "\"a\"\"b\"");
	expect_cell("\"", "\"\"\"\"");
	expect_cell("a\nb", "\"a\nb\"");
	expect_cell("a\rb", "\"a\rb\"");
}

static void test_formulas(void **state)
{
	static const char *const formulas[] = {"=1+1", "+1+1", "-1+1",
	    "@SUM(A1)", "\tx", "|x", "-", "-BTC", "+1", "-1.", "-.5", "--1"};

	(void)state;
	for (size_t i = 0; i < sizeof(formulas) / sizeof(*formulas); i++) {
		char wanted[64];

		snprintf(wanted, sizeof(wanted), "'%s", formulas[i]);
		expect_cell(formulas[i], wanted);
	}
	expect_cell("=A1,\"x\"", "\"'=A1,\"\"x\"\"\"");
	expect_cell("\r=1", "\"'\r=1\"");
	expect_cell("\n=1", "\"'\n=1\"");
}

/* A price below zero is a number, not a formula. */
static void test_numbers(void **state)
{
	(void)state;
	expect_cell("-1", "-1");
	expect_cell("-0.50", "-0.50");
	expect_cell("84000.10", "84000.10");
}

static const char *row_of(const struct mint_wish *wish)
{
	static struct item item;
	FILE *out = fmemopen(text, sizeof(text), "w");
	char *json = mint_item(&mint, wish, NULL);
	struct hm_envelope e;

	assert_int_equal(hm_envelope_parse(&e, json, strlen(json)), HM_VALID);
	assert_int_equal(item_decode(&item, e.content, e.content_len), 0);
	assert_int_equal(export_csv_header(out), 0);
	assert_int_equal(export_csv_row(out, &item, &e), 0);
	assert_int_equal(fclose(out), 0);
	hm_envelope_fini(&e);
	free(json);
	return strstr(text, "\r\n") + 2;
}

static void test_rows(void **state)
{
	const char *row = row_of(
	    &(struct mint_wish){.sequence = 7, .published_ms = 1800000000000});

	(void)state;
	assert_non_null(strstr(row,
	    "BTC-USD,01010101010101010101010101010101,7,1800000000000,"
	    "1800000005000,ok,,84000.00,0.00,1,1,"));
	assert_int_equal(strcspn(row, "\r"), strlen(row) - 2);
	row = row_of(&(struct mint_wish){.sequence = 7,
	    .published_ms = 1800000000000,
	    .feed = "-X",
	    .unavailable = true});
	assert_non_null(strstr(row,
	    "'-X,01010101010101010101010101010101,7,1800000000000,"
	    "1800000005000,unavailable,insufficient_sources,,,0,1,"));
}

static void test_full_disk(void **state)
{
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	setvbuf(out, NULL, _IONBF, 0);
	assert_int_equal(export_csv_header(out), -1);
	fclose(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_quotes),
	    cmocka_unit_test(test_formulas),
	    cmocka_unit_test(test_numbers),
	    cmocka_unit_test(test_rows),
	    cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests_name(
	    "export_csv", tests, make_mint, free_mint);
}
