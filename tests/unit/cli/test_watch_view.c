/* watch_view and watch_line: the very lines, the table's rows, the objects; and
 * that a refused item says nothing of itself. */
#include "verifier/cli/watch_view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define AT_MS 1763712000123 /* 2025-11-21T08:00:00.123Z */

static struct record record;
static struct hm_item item;
static char *out, *notes;
static size_t out_len, notes_len;
static FILE *out_file, *notes_file;
static struct watch_view *view;

static int setup(void **state)
{
	(void)state;
	record = (struct record){.received_ms = AT_MS + 200};
	item = (struct hm_item){.feed = "BTC-USD",
	    .ok = true,
	    .sequence = 7,
	    .price = "84000.50",
	    .confidence = "12.30",
	    .published_ms = AT_MS,
	    .sources_used = 4,
	    .sources_total = 5,
	    .document.platform = "aws-nitro"};
	out_file = open_memstream(&out, &out_len);
	notes_file = open_memstream(&notes, &notes_len);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	watch_view_free(view);
	view = NULL;
	fclose(out_file);
	fclose(notes_file);
	free(out);
	free(notes);
	return 0;
}

static void begin(enum watch_form form)
{
	view = watch_view_new(form, out_file, notes_file, 5);
}

static void show(int64_t age_ms)
{
	assert_int_equal(
	    watch_view_item(view, &record, &item, AT_MS + age_ms), 0);
}

/* What has been written since the last time. */
static void wrote(const char *wanted)
{
	assert_string_equal(out, wanted);
	memset(out, 0, out_len);
	rewind(out_file);
}

#define HEAD "2025-11-21T08:00:00.123Z  "

static void test_lines(void **state)
{
	(void)state;
	begin(WATCH_LINES);
	show(250);
	wrote(HEAD "BTC-USD     84000.50 +- 12.30            4/5 sources  "
		   "age 0.2 s  valid\n");
	snprintf(item.document.platform, sizeof(item.document.platform),
	    "simulated");
	show(61999);
	wrote(HEAD "BTC-USD     84000.50 +- 12.30            4/5 sources  "
		   "age 61.9 s  valid (SIMULATED)\n");
	item.document.platform[0] = '\0';
	item.document.debug = true;
	show(-1300);
	wrote(HEAD "BTC-USD     84000.50 +- 12.30            4/5 sources  "
		   "age -1.3 s  valid (DEBUG ENCLAVE)\n");
	item.document.debug = false;
	record.verdict = HM_SEQUENCE_GAP;
	record.missing = 3;
	show(0);
	wrote(HEAD "BTC-USD     84000.50 +- 12.30            4/5 sources  "
		   "age 0.0 s  valid, 3 before it are missing\n");
	record.verdict = HM_ITEM_EXPIRED;
	record.missing = 0;
	record.late = true;
	item.ok = false;
	snprintf(item.reason, sizeof(item.reason), "price_jump");
	show(9000);
	wrote(HEAD "BTC-USD     unavailable: price_jump      4/5 sources  "
		   "age 9.0 s  late: good at its time, not now\n");
	assert_int_equal(fflush(notes_file), 0);
	assert_int_equal(notes_len, 0);
}

static void test_refused(void **state)
{
	(void)state;
	begin(WATCH_LINES);
	record.verdict = HM_ITEM_SIGNATURE;
	record.refused = true;
	show(0);
	wrote("2025-11-21T08:00:00.323Z  REFUSED item_signature (exit 3): The "
	      "enclave's key did not sign this content. The content or "
	      "signature was altered: fetch the item again.\n");
	/* No verdict's words are cut. */
	for (int v = 1; v < HM_VERDICT_COUNT; v++) {
		struct watch_line line;

		record.verdict = (enum hm_verdict)v;
		watch_line_of(&line, &record, &item);
		assert_string_equal(line.feed, "");
		assert_int_equal(line.verdict[strlen(line.verdict) - 1], '.');
	}
}

/* The texts of others move no cursor. */
static void test_notes(void **state)
{
	(void)state;
	begin(WATCH_LINES);
	assert_int_equal(watch_view_note(view, "lost", "a\033[2Jb\nc"), 0);
	assert_string_equal(notes, "hallmark watch: lost: a?[2Jb?c\n");
	assert_int_equal(watch_view_tick(view, AT_MS), 0);
	assert_int_equal(
	    watch_view_end(view, &(struct watch_tally){.verified = 2}, 0), 0);
	assert_non_null(strstr(
	    notes, "end: 2 verified, 0 refused, 0 late, 0 missing (exit 0)\n"));
	fflush(out_file);
	assert_int_equal(out_len, 0);
}

static unsigned count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)); text++)
		n++;
	return n;
}

/* Five lines: two feeds, the last row for whoever came last. */
static void test_table(void **state)
{
	(void)state;
	begin(WATCH_TABLE);
	show(0);
	assert_null(strstr(out, "A\r")); /* nothing to go up to */
	assert_non_null(strstr(out, "\033[K08:00:00  BTC-USD "));
	assert_int_equal(count(out, "\n"), 1);
	wrote(out);
	snprintf(item.feed, sizeof(item.feed), "ETH-USD");
	show(0);
	assert_non_null(strstr(out, "\033[1A"));
	assert_int_equal(count(out, "\r\033[K"), 2);
	wrote(out);
	snprintf(item.feed, sizeof(item.feed), "SOL-USD");
	record.refused = false;
	show(0);
	assert_non_null(strstr(out, "\033[2A"));
	assert_null(strstr(out, "ETH-USD"));
	wrote(out);
	record.refused = true;
	record.verdict = HM_ITEM_SIGNATURE;
	show(0);
	assert_int_equal(watch_view_note(view, "lost", "x\ny"), 0);
	wrote(out);
	assert_int_equal(watch_view_tick(view, AT_MS + 5000), 0);
	assert_non_null(strstr(out, "\033[3A"));
	assert_int_equal(count(out, "\n"), 4); /* of five: no scrolling */
	assert_int_equal(count(out, "age 5.0 s"), 2);
	assert_non_null(strstr(out, "lost: x?y"));
	assert_non_null(strstr(out, "REFUSED item_signature"));
}

static json_t *object(void)
{
	json_t *root;

	assert_int_equal(count(out, "\n"), 1); /* one line, one object */
	root = json_loads(out, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	wrote(out);
	return root;
}

static void test_json(void **state)
{
	json_t *root;

	(void)state;
	begin(WATCH_JSON);
	show(0);
	root = object();
	assert_string_equal(
	    json_string_value(json_object_get(root, "verdict")), "valid");
	assert_string_equal(json_string_value(json_object_get(
				json_object_get(root, "item"), "price")),
	    "84000.50");
	json_decref(root);
	record.refused = true;
	record.verdict = HM_PCR_MISMATCH;
	show(0);
	root = object();
	assert_int_equal(json_integer_value(json_object_get(root, "exit")), 5);
	assert_true(json_is_true(json_object_get(root, "refused")));
	assert_true(json_is_null(json_object_get(root, "item")));
	json_decref(root);
	assert_int_equal(watch_view_note(view, "lost", "\xff"), 0);
	root = object();
	assert_string_equal(
	    json_string_value(json_object_get(root, "text")), "(not UTF-8)");
	json_decref(root);
	assert_int_equal(watch_view_end(view,
			     &(struct watch_tally){.refused = 1,
				 .first_refused = HM_PCR_MISMATCH},
			     5),
	    0);
	root = object();
	assert_string_equal(
	    json_string_value(json_object_get(root, "first_refused")),
	    "pcr_mismatch");
	json_decref(root);
}

/* A disk that is full is told to the caller, in each form. */
static void test_full(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	for (int form = WATCH_LINES; form <= WATCH_JSON; form++) {
		view = watch_view_new((enum watch_form)form, full, full, 24);
		assert_int_equal(
		    watch_view_item(view, &record, &item, AT_MS), -1);
		assert_int_equal(
		    watch_view_end(view, &(struct watch_tally){0}, 0), -1);
		watch_view_free(view);
	}
	view = NULL;
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(test_lines, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_notes, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_table, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_json, setup, teardown),
	    cmocka_unit_test_setup_teardown(test_full, setup, teardown),
	};

	return cmocka_run_group_tests_name("watch_view", tests, NULL, NULL);
}
