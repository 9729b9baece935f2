/* archives: the arguments, and which entries of several files are given. */
#include "verifier/cli/archives.h"

#include "tests/unit/archive/source_fixture.h"

#include "verifier/cli/archive_fetch.h"
#include "verifier/tree_head.h"

static struct archives_options options;
static char error[ARCHIVES_ERROR_MAX];

/* ---- arguments ---- */

static void expect_bad(int option, const char *text, const char *why)
{
	assert_int_equal(archives_option(&options, option, text, error), -1);
	if (!strstr(error, why))
		fail_msg("wanted %s in: %s", why, error);
}

static void test_options(void **state)
{
	char a[] = "a.db", b[] = "b.db", *argv[] = {a, b};

	(void)state;
	archives_options_init(&options);
	assert_int_equal(archives_option(&options, 'f', "BTC-USD", error), 0);
	assert_int_equal(
	    archives_option(&options, 'F', "2026-11-01T00:00:00Z", error), 0);
	assert_int_equal(
	    archives_option(&options, 'T', "1793500000000", error), 0);
	assert_int_equal(options.wish.from_ms, 1793491200000);
	assert_int_equal(options.wish.to_ms, 1793500000000);
	assert_int_equal(archives_options_paths(&options, 2, argv, error), 0);
	assert_int_equal(options.count, 2);
	assert_string_equal(options.paths[1], "b.db");
	expect_bad('f', "BTC-USD", "given twice");
	expect_bad('F', "1", "given twice");
	expect_bad('T', "1", "given twice");
}

static void test_bad_options(void **state)
{
	static const char *const times[] = {"", "x", "-1", "1x", "2026-11-01",
	    "9999999999999999", "999999999999999", "2026-02-30T00:00:00Z"};

	(void)state;
	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		archives_options_init(&options);
		expect_bad('F', times[i], "wanted a time");
		expect_bad('T', times[i], "wanted a time");
	}
	expect_bad('f', "BTC", "wanted a name");
	assert_int_equal(archives_options_paths(&options, 0, NULL, error), -1);
	archives_options_init(&options);
	options.wish.from_ms = options.wish.to_ms = 5;
	assert_int_equal(archives_options_paths(&options, 0, NULL, error), -1);
	assert_non_null(strstr(error, "--to must be later"));
}

static void test_urls(void **state)
{
	struct archive_source *source;

	(void)state;
	assert_true(archive_fetch_is_url("http://127.0.0.1:1"));
	assert_true(archive_fetch_is_url("https://x"));
	assert_true(archive_fetch_is_url("unix:///run/x"));
	assert_false(archive_fetch_is_url("archive.db"));
	archives_options_init(&options);
	assert_int_equal(archives_open(&source, "http://127.0.0.1:1/x",
			     &options.wish, error),
	    -1);
	assert_non_null(strstr(error, "without a path"));
	assert_int_equal(
	    archives_open(&source, "http://127.0.0.1:1", &options.wish, error),
	    -1);
	assert_null(source);
}

/* ---- entries ---- */

static struct folder folder;

/* Items of two feeds at 1000, 2000, 3000, and what is none. */
static int setup(void **state)
{
	static const char *const feeds[] = {"BTC-USD", "ETH-USD"};
	char *document;
	FILE *out;

	make_mint(state);
	folder_make(&folder);
	out = fopen(folder.file, "w");
	document = text_document();
	fprintf(out, "%s\nx\n", document);
	for (int i = 0; i < 6; i++) {
		char *item = mint_item(&mint,
		    &(struct mint_wish){.feed = feeds[i % 2],
			.sequence = (uint64_t)(i / 2),
			.published_ms = 1000 * (i / 2 + 1)},
		    NULL);

		fprintf(out, "%s\n", item);
		free(item);
	}
	fclose(out);
	free(document);
	return 0;
}

static int teardown(void **state)
{
	folder_drop(&folder);
	return free_mint(state);
}

static void select_all(void)
{
	archives_options_init(&options);
	options.paths[options.count++] = folder.file;
}

/* A letter for each entry, as in source_fixture.h. */
static const char *told_word(void)
{
	static struct archives_entry e;
	static struct archives archives;
	static char word[64];
	size_t len = 0;
	int rc;

	archives_begin(&archives, &options);
	while ((rc = archives_next(&archives, &e, error)) > 0)
		word[len++] = "IDHRNX"[e.entry.kind];
	word[len] = '\0';
	archives_end(&archives);
	return rc < 0 ? "failed" : word;
}

static void test_all(void **state)
{
	(void)state;
	select_all();
	assert_string_equal(told_word(), "DXIIIIII");
	options.paths[options.count++] = folder.file;
	assert_string_equal(told_word(), "DXIIIIIIDXIIIIII");
	options.paths[options.count++] = "/nowhere/at/all";
	assert_string_equal(told_word(), "failed");
	assert_non_null(strstr(error, "/nowhere/at/all"));
}

static void test_selected(void **state)
{
	(void)state;
	select_all();
	assert_int_equal(archives_option(&options, 'f', "ETH-USD", error), 0);
	assert_string_equal(told_word(), "DXIII");
	options.wish.from_ms = 2000;
	assert_string_equal(told_word(), "DXII");
	options.wish.to_ms = 3000;
	assert_string_equal(told_word(), "DXI");
	options.wish.to_ms = 2001;
	assert_string_equal(told_word(), "DXI");
	options.wish.to_ms = 2000;
	assert_string_equal(told_word(), "DX");
}

/* ---- heads ---- */

static void append_head(FILE *out, uint64_t number, int64_t published_ms)
{
	static struct hm_head head;
	static char content[TREE_HEAD_CONTENT_MAX];
	uint8_t signature[256] = {1};
	struct hm_envelope e = {
	    .content = content,
	    .signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = mint.pem,
	    .platform = "simulated",
	};
	char *text;

	memset(&head, 0, sizeof(head));
	head.boot_id[0] = 1;
	head.number = number;
	head.tree_size = head.feeds[0].next_sequence = 1;
	snprintf(head.feeds[0].feed, sizeof(head.feeds[0].feed), "BTC-USD");
	head.feed_count = head.frontier_count = 1;
	head.previous_sha256[0] = number != 0;
	head.published_ms = published_ms;
	assert_int_equal(
	    tree_head_encode(&head, content, sizeof(content), &e.content_len),
	    0);
	text = envelope_format(&e, false);
	fprintf(out, "%s\n", text);
	free(text);
}

/* Those in the time. */
static void test_heads(void **state)
{
	FILE *out = fopen(folder.file, "a");

	(void)state;
	for (int i = 0; i < 5; i++)
		append_head(out, (uint64_t)i, 500 + 1000 * i);
	fclose(out);
	select_all();
	assert_string_equal(told_word(), "DXIIIIIIHHHHH");
	options.wish.from_ms = 1000;
	options.wish.to_ms = 2000;
	assert_string_equal(told_word(), "DXIIH");
	assert_int_equal(archives_option(&options, 'f', "ETH-USD", error), 0);
	assert_string_equal(told_word(), "DXI");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_options),
	    cmocka_unit_test(test_bad_options),
	    cmocka_unit_test(test_urls),
	    cmocka_unit_test(test_all),
	    cmocka_unit_test(test_selected),
	    cmocka_unit_test(test_heads),
	};

	return cmocka_run_group_tests_name("archives", tests, setup, teardown);
}
