/* replay_view: what is shown, how often, and that nothing in an archive moves
 * the terminal's cursor. */
#include "verifier/cli/replay_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct replay_view view;
static char *out_text, *bar_text;
static size_t out_len, bar_len;
static FILE *out, *bar;

static void begin(bool json, size_t files)
{
	out = open_memstream(&out_text, &out_len);
	bar = open_memstream(&bar_text, &bar_len);
	replay_view_init(&view, out, bar, json, files);
	replay_view_file(&view, 1, 1000, 0);
}

static void flush(void)
{
	fflush(out);
	fflush(bar);
}

static int drop(void **state)
{
	(void)state;
	replay_view_fini(&view);
	fclose(out);
	fclose(bar);
	free(out_text);
	free(bar_text);
	return 0;
}

static void find(const char *feed, const char *text)
{
	struct replay_finding f = {.kind = REPLAY_GAP,
	    .verdict = HM_SEQUENCE_GAP,
	    .has_sequence = true,
	    .sequence = 7,
	    .where = "a.db: items row 9"};

	snprintf(f.feed, sizeof(f.feed), "%s", feed);
	snprintf(f.boot_id, sizeof(f.boot_id), "0102");
	snprintf(f.text, sizeof(f.text), "%s", text);
	replay_view_finding(&view, &f);
}

static void findings(void **state)
{
	(void)state;
	begin(false, 1);
	find("BTC-USD", "is missing");
	flush();
	assert_string_equal(out_text,
	    "sequence_gap    BTC-USD boot 0102 item 7: is missing (a.db: items "
	    "row 9)\n");
	find("\033[2J\r", "\033]0;x\a\n");
	flush();
	assert_null(strpbrk(out_text, "\033\a\r"));
	for (int i = 0; i < 100; i++)
		find("BTC-USD", "is missing");
	flush();
	assert_int_equal(view.told[REPLAY_GAP], 102);
	assert_true(out_len < (REPLAY_VIEW_EACH + 1) * 100);
}

static void progress(uint64_t items, uint64_t position, int64_t now_ms)
{
	const struct replay_progress p = {
	    .items = items, .position = position, .total = 1000};

	replay_view_progress(&view, &p, now_ms);
	flush();
}

static void bar_of_one(void **state)
{
	(void)state;
	begin(false, 1);
	progress(5000, 500, 2999);
	assert_string_equal(bar_text,
	    "[############............]  50 %  5000 items, 2500 a second, 0:02 "
	    "left");
	progress(5100, 510, 3100); /* too soon */
	assert_null(strstr(bar_text, "5100"));
	progress(10000, 1000, 4999);
	assert_non_null(strstr(bar_text, "\r\033[K[########################]"));
	find("BTC-USD", "is missing");
	flush();
	assert_string_equal(bar_text + bar_len - 4, "\r\033[K");
}

static void bar_of_many(void **state)
{
	(void)state;
	begin(false, 3);
	replay_view_file(&view, 2, 9000, 4000);
	progress(6000, 100, 10999);
	assert_non_null(strstr(bar_text, "file 2 of 3 ["));
	assert_non_null(
	    strstr(bar_text, "6000 items, 1000 a second, 0:18 left"));
}

static void no_bar(void **state)
{
	(void)state;
	begin(false, 1);
	view.bar = NULL;
	progress(5000, 500, 2999);
	assert_int_equal(bar_len, 0);
}

static void sum(void **state)
{
	struct replay_report report = {
	    .items = 10, .valid = 9, .part = 9, .worst = HM_SEQUENCE_GAP};
	const struct replay_summary summary = {.report = &report,
	    .policy = "p\033.json",
	    .with_prices = true,
	    .jobs = 2,
	    .took_ms = 999,
	    .code = 8};

	(void)state;
	begin(false, 1);
	report.findings[REPLAY_GAP] = 30;
	report.verdicts[HM_ITEM_SIGNATURE] = 1;
	assert_int_equal(replay_view_end(&view, &summary), 0);
	flush();
	assert_non_null(strstr(out_text, "items       10, valid 9"));
	assert_non_null(strstr(out_text, "9 from the states"));
	assert_non_null(strstr(out_text, REPLAY_NOT_RECOMPUTED));
	assert_non_null(strstr(out_text, "findings    sequence_gap: 30\n"));
	assert_non_null(strstr(out_text, "refused     item_signature: 1 ("));
	assert_non_null(strstr(out_text, "10 items a second with 2 jobs\n"
					 "sequence_gap (exit 8)\n"));
	assert_null(strchr(out_text, '\033'));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_teardown(findings, drop),
	    cmocka_unit_test_teardown(bar_of_one, drop),
	    cmocka_unit_test_teardown(bar_of_many, drop),
	    cmocka_unit_test_teardown(no_bar, drop),
	    cmocka_unit_test_teardown(sum, drop),
	};

	return cmocka_run_group_tests_name("replay_view", tests, NULL, NULL);
}
