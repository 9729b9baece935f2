/*
 * Every recorded answer of our exchanges gives exactly the numbers, or the
 * error, that is written beside it; and so do the answers of gateways that
 * stand before any of them. The recordings are not in the repository:
 * HALLMARK_VECTORS, or ../shared/vectors from its root, is where they are.
 * Without them this skips, and in CI it fails.
 */
#include "tests/unit/feeds/wanted.h"

#include <ctype.h>
#include <dirent.h>
#include <time.h>

#define META        ".meta.json"
#define SYMBOLS_MAX 8  /* named in one request */
#define RECORDED    16 /* exchanges that there are recordings of */

struct sample {
	json_t *meta;
	const char *kind;
	char *body;
	struct wanted_answer answer;
	char symbols[SYMBOLS_MAX][64]; /* where no row has any */
};

static void folder_path(char *out, size_t size, const char *folder)
{
	const char *root = getenv("HALLMARK_VECTORS");

	snprintf(out, size, "%s/exchanges/%s",
	    root != NULL ? root : "../shared/vectors", folder);
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static void load(struct sample *s, const char *folder, const char *meta_name)
{
	char path[1000], dir[300];
	FILE *file;

	*s = (struct sample){0};
	folder_path(dir, sizeof(dir), folder);
	snprintf(path, sizeof(path), "%s/%s", dir, meta_name);
	s->meta = json_load_file(path, 0, NULL);
	assert_non_null(s->meta);
	s->kind = text_of(s->meta, "kind");
	s->answer.status = (int)json_integer_value(
	    json_object_get(s->meta, "status"));
	s->answer.name = text_of(s->meta, "file");
	snprintf(path, sizeof(path), "%s/%s", dir, s->answer.name);
	file = fopen(path, "rb");
	assert_non_null(file);
	s->body = malloc(EXCHANGE_BODY_MAX);
	assert_non_null(s->body);
	s->answer.body = s->body;
	s->answer.len = fread(s->body, 1, EXCHANGE_BODY_MAX, file);
	fclose(file);
}

static void unload(struct sample *s)
{
	json_decref(s->meta);
	free(s->body);
}

/* ---- what the request asked for, from its URL ---- */

static void unescape(char *out, size_t size, const char *url)
{
	size_t n = 0;

	for (; *url != '\0' && n + 1 < size; url++) {
		char hex[3] = {url[1], url[1] != '\0' ? url[2] : '\0', '\0'};
		bool escape = *url == '%' && isxdigit(hex[0]) &&
			      isxdigit(hex[1]);
		out[n++] = escape ? (char)strtol(hex, NULL, 16) : *url;
		url += escape ? 2 : 0;
	}
	out[n] = '\0';
}

/* The symbols that the URL names, or one that any exchange might have. */
static size_t symbols_of_url(struct sample *s)
{
	static const char *const before[] = {"symbol=", "symbols=", "pair=",
	    "instId=", "instrument_name=", "ids=", "?id=", "/products/",
	    "/pubticker/", "/ticker/", "/book/"};
	char url[400], *at = NULL;
	size_t count = 0;

	unescape(url, sizeof(url), text_of(s->meta, "url"));
	for (size_t i = 0; at == NULL && i < sizeof(before) / sizeof(before[0]);
	     i++) {
		at = strstr(url, before[i]);
		if (at != NULL)
			at += strlen(before[i]);
	}
	if (at != NULL) {
		at[strcspn(at, "&/?")] = '\0';
		for (at = strtok(at, "[],\"");
		     at != NULL && count < SYMBOLS_MAX;
		     at = strtok(NULL, "[],\""))
			snprintf(s->symbols[count++], 64, "%s", at);
	}
	if (count == 0)
		snprintf(s->symbols[count++], 64, "BTCUSDT");
	return count;
}

/* ---- what is written beside it ---- */

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
	const char *ms = text_of(row, "time_ms"), *s = text_of(row, "time_s");
	const char *iso = text_of(row, "time");

	if (ms != NULL)
		return atoll(ms);
	if (s != NULL)
		return atoll(s) * 1000;
	return iso != NULL ? ms_of_iso(iso) : -1;
}

/* A zero is how exchanges show that a market is dead or not open yet: what
 * stands beside it is no price either. */
static struct wanted wanted_row(const json_t *row)
{
	struct wanted w = {
	    .symbol = text_of(row, "symbol"),
	    .number = {text_of(row, "last"), text_of(row, "bid"),
		text_of(row, "ask")},
	    .exchange_ms = wanted_time(row),
	};

	for (int i = 0; i < 3; i++) {
		const char *text = w.number[i];
		if (text != NULL && strspn(text, "0.") == strlen(text))
			w = (struct wanted){.symbol = w.symbol,
			    .error = "no_price",
			    .exchange_ms = -1};
	}
	return w;
}

static size_t wanted_of(struct sample *s, struct wanted *out)
{
	const json_t *expect = json_object_get(s->meta, "expect"), *row;
	const char *error = text_of(expect, "error");
	bool by_id = strstr(text_of(s->meta, "url"), "?id=") != NULL;
	size_t i, count = symbols_of_url(s);

	assert_true(!by_id || json_array_size(expect) <= count);
	json_array_foreach(expect, i, row)
	{
		assert_true(i < WANTED_ROWS_MAX);
		out[i] = wanted_row(row);
		if (by_id) /* beside a ticker that others have too */
			out[i].symbol = s->symbols[i];
	}
	if (json_array_size(expect) > 0)
		return json_array_size(expect);
	for (i = 0; i < count; i++)
		out[i] = (struct wanted){.symbol = s->symbols[i],
		    /* not a ticker: any error will do */
		    .error = error != NULL ? error : "*",
		    .exchange_ms = -1};
	return count;
}

static int is_meta(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > strlen(META) &&
	       strcmp(entry->d_name + len - strlen(META), META) == 0;
}

/* The samples of a folder through one adapter; returns how many. WebSocket
 * recordings are not answers. */
static unsigned check_folder(const char *folder,
    const struct exchange *exchange, struct wanted_count *sum)
{
	struct dirent **entries;
	char path[300];
	int count;
	unsigned samples = 0;

	folder_path(path, sizeof(path), folder);
	count = scandir(path, &entries, is_meta, alphasort);
	if (count < 0)
		printf("no recordings at %s\n", path);
	for (int i = 0; i < count; i++) {
		struct wanted wanted[WANTED_ROWS_MAX];
		struct sample s;
		load(&s, folder, entries[i]->d_name);
		s.answer.exchange = exchange;
		if (strcmp(s.kind, "ws") != 0) {
			size_t rows = wanted_of(&s, wanted);
			wanted_check(&s.answer, wanted, rows, sum);
			samples++;
		}
		unload(&s);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return samples;
}

static void need_recordings(void)
{
	const char *ci = getenv("CI");
	char path[300];
	DIR *dir;

	folder_path(path, sizeof(path), "generic_http_errors");
	dir = opendir(path);
	if (dir != NULL) {
		closedir(dir);
		return;
	}
	printf("no recordings at %s\n", path);
	if (ci != NULL && strcmp(ci, "true") == 0)
		fail();
	skip();
}

static void every_sample_of_every_exchange(void **state)
{
	unsigned own = 0, generic = 0, exchanges = 0, recorded = 0;
	struct wanted_count sum = {0};

	(void)state;
	need_recordings();
	for (; exchange_table[exchanges] != NULL; exchanges++) {
		const struct exchange *exchange = exchange_table[exchanges];
		struct wanted_count before = sum;
		wanted_head(exchange->name);
		own += check_folder(exchange->name, exchange, &sum);
		recorded += sum.prices > before.prices;
		generic += check_folder("generic_http_errors", exchange, &sum);
	}
	printf("\n%u exchanges, %u samples of their own, %u of gateways: "
	       "%u prices and %u errors, %u wrong\n",
	    exchanges, own, generic, sum.prices, sum.errors, sum.wrong);
	assert_true(recorded >= RECORDED && own >= 2 * recorded);
	assert_true(generic >= 10 * exchanges);
	assert_int_equal(sum.wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_sample_of_every_exchange),
	};

	return cmocka_run_group_tests_name(
	    "exchange_vectors", tests, NULL, NULL);
}
