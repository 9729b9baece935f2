/*
 * Every recorded answer of our exchanges gives exactly the numbers, or the
 * error, that is written beside it. The recordings are not in the repository:
 * HALLMARK_VECTORS, or ../shared/vectors from its root, is where they are.
 * Without them this skips, and in CI it fails.
 */
#include "feeds/exchanges/exchange.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define META ".meta.json"

struct sample {
	char name[300]; /* "kraken/Ticker_XBTUSD.json" */
	json_t *meta;
	const char *kind;
	int status;
	char *body;
	size_t len;
};

static unsigned checked, wrong;

static void require(bool condition, const char *sample, const char *symbol,
    const char *what, const char *wanted, const char *found)
{
	checked++;
	if (condition)
		return;
	wrong++;
	printf("WRONG %s %s: %s is %s, should be %s\n", sample, symbol, what,
	    found, wanted);
}

static void folder_path(char *out, size_t size, const char *folder)
{
	const char *root = getenv("HALLMARK_VECTORS");

	snprintf(out, size, "%s/exchanges/%s",
	    root != NULL ? root : "../shared/vectors", folder);
}

static bool load(struct sample *s, const char *folder, const char *meta_name)
{
	char path[600], dir[300];
	FILE *file;

	folder_path(dir, sizeof(dir), folder);
	snprintf(path, sizeof(path), "%s/%s", dir, meta_name);
	s->meta = json_load_file(path, 0, NULL);
	assert_non_null(s->meta);
	s->kind = json_string_value(json_object_get(s->meta, "kind"));
	s->status = (int)json_integer_value(json_object_get(s->meta, "status"));
	snprintf(s->name, sizeof(s->name), "%s/%s", folder,
	    json_string_value(json_object_get(s->meta, "file")));
	snprintf(path, sizeof(path), "%s/%s", dir, strchr(s->name, '/') + 1);
	file = fopen(path, "rb");
	assert_non_null(file);
	s->body = malloc(EXCHANGE_BODY_MAX);
	assert_non_null(s->body);
	s->len = fread(s->body, 1, EXCHANGE_BODY_MAX, file);
	fclose(file);
	return strcmp(s->kind, "ws") != 0;
}

static void unload(struct sample *s)
{
	json_decref(s->meta);
	free(s->body);
}

/* What the request asked for, from its URL; BTCUSD if it does not say. */
static void symbol_of_url(const struct sample *s, char out[64])
{
	static const char *const before[] = {
	    "symbol=", "pair=", "/products/", "/ticker/"};
	const char *url = json_string_value(json_object_get(s->meta, "url"));

	snprintf(out, 64, "BTCUSD");
	for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
		const char *at = strstr(url, before[i]);
		if (at == NULL)
			continue;
		at += strlen(before[i]);
		snprintf(out, 64, "%.*s", (int)strcspn(at, "&/?"), at);
		return;
	}
}

static void check_number(const struct sample *s, const char *symbol,
    const json_t *row, const char *key, bool has, struct decimal value)
{
	const char *wanted = json_string_value(json_object_get(row, key));
	char found[DECIMAL_STRMAX] = "absent";

	if (has)
		decimal_format(value, found);
	if (wanted == NULL || strspn(wanted, "0.") == strlen(wanted))
		wanted = "absent"; /* a zero is no number */
	require(
	    strcmp(found, wanted) == 0, s->name, symbol, key, wanted, found);
}

/* By the C library, so that our own calendar is not its own judge. */
static int64_t ms_of_iso(const char *text)
{
	struct tm tm = {0};
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	char fraction[4] = "000";

	assert_non_null(rest);
	for (int i = 0; *rest == '.' && i < 3 && rest[1 + i] != 'Z'; i++)
		fraction[i] = rest[1 + i];
	return (int64_t)timegm(&tm) * 1000 + atol(fraction);
}

static int64_t wanted_time(const json_t *row)
{
	const char *ms = json_string_value(json_object_get(row, "time_ms"));
	const char *s = json_string_value(json_object_get(row, "time_s"));
	const char *iso = json_string_value(json_object_get(row, "time"));

	if (ms != NULL)
		return atoll(ms);
	if (s != NULL)
		return atoll(s) * 1000;
	return iso != NULL ? ms_of_iso(iso) : -1;
}

static bool is_zero(const json_t *row, const char *key)
{
	const char *text = json_string_value(json_object_get(row, key));

	return text != NULL && strspn(text, "0.") == strlen(text);
}

static void check_row(
    const struct sample *s, const struct exchange *exchange, const json_t *row)
{
	const char *symbol = json_string_value(json_object_get(row, "symbol"));
	const char *wanted = is_zero(row, "last") ? "no_price" : "ok", *found;
	char times[2][24];
	struct quote q;

	found = quote_error_name(
	    exchange_parse(&q, exchange, symbol, s->status, s->body, s->len));
	require(strcmp(found, wanted) == 0, s->name, symbol, "error", wanted,
	    found);
	if (strcmp(wanted, "ok") != 0)
		return;
	check_number(s, symbol, row, "last", q.has_last, q.last);
	check_number(s, symbol, row, "bid", q.has_bid, q.bid);
	check_number(s, symbol, row, "ask", q.has_ask, q.ask);
	snprintf(times[0], 24, "%lld", (long long)wanted_time(row));
	snprintf(times[1], 24, "%lld",
	    q.has_exchange_ms ? (long long)q.exchange_ms : -1LL);
	require(strcmp(times[0], times[1]) == 0, s->name, symbol, "time",
	    times[0], times[1]);
}

static void check_error(
    const struct sample *s, const struct exchange *exchange, const char *wanted)
{
	char symbol[64];
	const char *found;
	struct quote q;

	symbol_of_url(s, symbol);
	found = quote_error_name(
	    exchange_parse(&q, exchange, symbol, s->status, s->body, s->len));
	if (wanted == NULL) { /* not a ticker: any error will do */
		require(strcmp(found, "ok") != 0, s->name, symbol, "error",
		    "one", found);
		wanted = found;
	}
	require(strcmp(found, wanted) == 0, s->name, symbol, exchange->name,
	    wanted, found);
	require(!q.has_last && !q.has_bid && !q.has_ask && q.last.mantissa == 0,
	    s->name, symbol, "price", "absent", "there");
}

static void check_sample(
    const struct sample *s, const struct exchange *exchange)
{
	const json_t *expect = json_object_get(s->meta, "expect"), *row;
	unsigned before = wrong;
	size_t i;

	json_array_foreach(expect, i, row) check_row(s, exchange, row);
	if (!json_is_array(expect))
		check_error(s, exchange,
		    json_string_value(json_object_get(expect, "error")));
	printf("%-8s %-62s %-17s %s\n", wrong == before ? "ok" : "WRONG",
	    s->name, exchange->name, s->kind);
}

static int is_meta(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(META) &&
	       strcmp(entry->d_name + len - strlen(META), META) == 0;
}

/* Each sample of a folder through one adapter, or through all of them. */
static unsigned check_folder(
    const char *folder, const struct exchange *const *exchanges)
{
	struct dirent **entries;
	char path[300];
	int count;
	unsigned samples = 0;

	folder_path(path, sizeof(path), folder);
	count = scandir(path, &entries, is_meta, alphasort);
	if (count < 0) {
		printf("no recordings at %s\n", path);
		if (getenv("CI") != NULL && strcmp(getenv("CI"), "true") == 0)
			fail();
		skip();
	}
	for (int i = 0; i < count; i++) {
		struct sample s;
		if (load(&s, folder, entries[i]->d_name)) {
			samples++;
			for (size_t e = 0; exchanges[e] != NULL; e++)
				check_sample(&s, exchanges[e]);
		}
		unload(&s);
		free(entries[i]);
	}
	free(entries);
	return samples;
}

static void every_sample_of_each_exchange(void **state)
{
	(void)state;
	wrong = checked = 0;
	for (size_t e = 0; exchange_table[e] != NULL; e++) {
		const struct exchange *one[] = {exchange_table[e], NULL};
		assert_true(check_folder(one[0]->name, one) >= 5);
	}
	printf("%u checks\n", checked);
	assert_true(checked > 50);
	assert_int_equal(wrong, 0);
}

/* What is not an exchange's own is read alike by all of them. */
static void every_generic_error_by_every_exchange(void **state)
{
	(void)state;
	wrong = checked = 0;
	assert_true(check_folder("generic_http_errors", exchange_table) >= 10);
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_sample_of_each_exchange),
	    cmocka_unit_test(every_generic_error_by_every_exchange),
	};

	return cmocka_run_group_tests_name(
	    "exchange_vectors", tests, NULL, NULL);
}
