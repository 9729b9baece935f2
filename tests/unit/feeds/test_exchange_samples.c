/*
 * exchange_samples: every exchange of the table has answers of our own making
 * in tests/samples/exchanges/NAME, at least one with a price and one with an
 * error, and its adapter reads in them what is written beside them. An adapter
 * without samples fails here: HACKING.md, "Adding an exchange".
 *
 * X.json is an answer; X.expect.json says, in the words of
 * `hallmark-oracle --parse`, what it gives:
 *
 *   {"status":200,"symbols":{"BTCUSDT":{"last":"1.5","bid":null,"ask":null,
 *   "exchange_ms":1760000000123},"NOPE":{"error":"unknown_symbol"}}}
 */
#include "tests/unit/feeds/wanted.h"

#include <dirent.h>

#define SAMPLES "tests/samples/exchanges"
#define EXPECT  ".expect.json"

static int is_expectation(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(EXPECT) &&
	       strcmp(entry->d_name + len - strlen(EXPECT), EXPECT) == 0;
}

static int is_answer(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(".json") && !is_expectation(entry) &&
	       strcmp(entry->d_name + len - strlen(".json"), ".json") == 0;
}

/* A missing member or an unknown one is a slip of the pen, not an absent
 * number. */
static struct wanted wanted_symbol(const char *symbol, json_t *value)
{
	struct wanted w = {.symbol = symbol, .exchange_ms = -1};
	json_t *numbers[3], *ms;

	if (json_object_get(value, "error") != NULL) {
		assert_int_equal(
		    json_unpack(value, "{s:s !}", "error", &w.error), 0);
		return w;
	}
	assert_int_equal(
	    json_unpack(value, "{s:o, s:o, s:o, s:o !}", "last", &numbers[0],
		"bid", &numbers[1], "ask", &numbers[2], "exchange_ms", &ms),
	    0);
	for (int i = 0; i < 3; i++) {
		assert_true(
		    json_is_string(numbers[i]) || json_is_null(numbers[i]));
		w.number[i] = json_string_value(numbers[i]);
	}
	assert_true(json_is_integer(ms) || json_is_null(ms));
	if (json_is_integer(ms))
		w.exchange_ms = json_integer_value(ms);
	return w;
}

static char *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(EXCHANGE_BODY_MAX);

	if (file == NULL)
		print_error("%s is missing\n", path);
	assert_non_null(file);
	assert_non_null(bytes);
	*len = fread(bytes, 1, EXCHANGE_BODY_MAX, file);
	fclose(file);
	return bytes;
}

/* A complete answer is worth nothing with a status other than 2xx. */
static void check_other_statuses(
    const struct wanted_answer *answer, const struct wanted *wanted)
{
	static const int statuses[] = {0, 100, 199, 301, 304, 400, 401, 403,
	    404, 408, 418, 422, 429, 451, 500, 502, 503, 504, 520, 999};
	struct quote q;

	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
		assert_int_not_equal(
		    exchange_parse(&q, answer->exchange, wanted->symbol,
			statuses[i], answer->body, answer->len),
		    QUOTE_OK);
		assert_false(q.has_last || q.has_bid || q.has_ask);
	}
}

static void check_sample(const struct exchange *exchange,
    const char *expectation, struct wanted_count *sum)
{
	int stem = (int)(strlen(expectation) - strlen(EXPECT));
	char name[300], path[700];
	struct wanted wanted[WANTED_ROWS_MAX];
	struct wanted_answer answer = {.name = name, .exchange = exchange};
	json_t *expect, *symbols, *value;
	const char *symbol;
	size_t count = 0;
	char *body;

	snprintf(
	    path, sizeof(path), SAMPLES "/%s/%s", exchange->name, expectation);
	expect = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	assert_int_equal(json_unpack(expect, "{s:i, s:o !}", "status",
			     &answer.status, "symbols", &symbols),
	    0);
	snprintf(name, sizeof(name), "%.*s.json", stem, expectation);
	snprintf(path, sizeof(path), SAMPLES "/%s/%s", exchange->name, name);
	body = read_file(path, &answer.len);
	answer.body = body;
	json_object_foreach(symbols, symbol, value)
	{
		assert_true(count < WANTED_ROWS_MAX);
		wanted[count++] = wanted_symbol(symbol, value);
	}
	wanted_check(&answer, wanted, count, sum);
	for (size_t i = 0; i < count; i++)
		check_other_statuses(&answer, &wanted[i]);
	json_decref(expect);
	free(body);
}

static unsigned each_entry(const struct exchange *exchange,
    int (*filter)(const struct dirent *), struct wanted_count *sum)
{
	struct dirent **entries;
	char path[300];
	int count;

	snprintf(path, sizeof(path), SAMPLES "/%s", exchange->name);
	count = scandir(path, &entries, filter, alphasort);
	if (count < 0)
		return 0;
	for (int i = 0; i < count; i++) {
		if (sum != NULL)
			check_sample(exchange, entries[i]->d_name, sum);
		free(entries[i]);
	}
	free(entries);
	return (unsigned)count;
}

/* Whether there is all that an exchange of the table has to have. */
static bool is_complete(
    const struct exchange *exchange, struct wanted_count *sum)
{
	struct wanted_count before = *sum;
	unsigned expected = each_entry(exchange, is_expectation, sum);
	bool complete = sum->prices > before.prices &&
			sum->errors > before.errors;

	if (!complete)
		print_error("%s has no sample with a price, or none with an "
			    "error, in " SAMPLES "/%s\n",
		    exchange->name, exchange->name);
	if (each_entry(exchange, is_answer, NULL) == expected)
		return complete;
	print_error(
	    "an answer in " SAMPLES "/%s has no " EXPECT "\n", exchange->name);
	return false;
}

static void every_exchange_has_samples(void **state)
{
	struct wanted_count sum = {0};
	bool complete = true;

	(void)state;
	for (size_t i = 0; exchange_table[i] != NULL; i++) {
		wanted_head(exchange_table[i]->name);
		complete = is_complete(exchange_table[i], &sum) && complete;
	}
	printf("\n%u prices and %u errors, %u wrong\n", sum.prices, sum.errors,
	    sum.wrong);
	assert_true(complete);
	assert_int_equal(sum.wrong, 0);
}

/* The gate can fail: a line in the table is not enough. */
static void one_without_samples_is_noticed(void **state)
{
	struct exchange nobody = *exchange_table[0];
	struct wanted_count sum = {0};

	(void)state;
	nobody.name = "nobody";
	assert_false(is_complete(&nobody, &sum));
}

/* Nor are samples that say something else. */
static void a_wrong_number_is_noticed(void **state)
{
	static const char body[] = "{\"symbol\":\"A\",\"price\":\"1.50\"}";
	struct wanted_answer answer = {
	    "planted", exchange_find("binance"), 200, body, strlen(body)};
	struct wanted right = {"A", NULL, {"1.50", NULL, NULL}, -1};
	struct wanted wrong[] = {
	    {"A", NULL, {"1.5", NULL, NULL}, -1},
	    {"A", NULL, {"1.50", "1.50", NULL}, -1},
	    {"A", NULL, {"1.50", NULL, NULL}, 1},
	    {"A", NULL, {NULL, NULL, NULL}, -1},
	    {"A", "*", {NULL, NULL, NULL}, -1},
	    {"B", NULL, {"1.50", NULL, NULL}, -1},
	    {"B", "bad_body", {NULL, NULL, NULL}, -1},
	};
	struct wanted_count sum = {0};

	(void)state;
	wanted_check(&answer, &right, 1, &sum);
	assert_int_equal(sum.wrong, 0);
	printf("these are meant to be wrong:\n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		wanted_check(&answer, &wrong[i], 1, &sum);
	assert_int_equal(sum.wrong, sizeof(wrong) / sizeof(wrong[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_exchange_has_samples),
	    cmocka_unit_test(one_without_samples_is_noticed),
	    cmocka_unit_test(a_wrong_number_is_noticed),
	};

	return cmocka_run_group_tests_name(
	    "exchange_samples", tests, NULL, NULL);
}
