/* watch_view: lines, a table, or NDJSON. */
#include "verifier/cli/watch_view.h"

#include "base/log.h"
#include "verifier/cli/command.h"
#include "verifier/cli/json_of.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define UP_LINES    "\033[%uA" /* ECMA-48: cursor up, */
#define CLEAR_LINE  "\r\033[K" /* erase to the end of the line */
#define WRAP_OFF    "\033[?7l" /* DECAWM: a long line stays one line */
#define WRAP_ON     "\033[?7h"
#define ROWS_BESIDE 3 /* of the terminal: refused, note, cursor */
#define NOTE_MAX    512

struct watch_view {
	enum watch_form form;
	FILE *out, *notes;
	/* TABLE: newest of each feed, the newest refused, the newest note */
	struct watch_line *rows; /* row_max of them */
	unsigned row_count, row_max;
	unsigned drawn; /* lines that stand above the cursor */
	struct watch_line refused;
	char note[NOTE_MAX];
};

struct watch_view *watch_view_new(
    enum watch_form form, FILE *out, FILE *notes, unsigned rows)
{
	struct watch_view *view = calloc(1, sizeof(*view));

	if (!view)
		log_die("watch_view", "out of memory");
	view->form = form;
	view->out = out;
	view->notes = notes;
	view->row_max = rows > ROWS_BESIDE ? rows - ROWS_BESIDE : 1;
	view->rows = calloc(view->row_max, sizeof(*view->rows));
	if (!view->rows)
		log_die("watch_view", "out of memory");
	return view;
}

void watch_view_free(struct watch_view *view)
{
	if (!view)
		return;
	free(view->rows);
	free(view);
}

static int flushed(FILE *file)
{
	return fflush(file) || ferror(file) ? -1 : 0;
}

static int put_json(struct watch_view *view, json_t *root)
{
	int rc = root ? json_dumpf(root, view->out, JSON_COMPACT) : -1;

	json_decref(root);
	if (rc)
		return -1;
	putc('\n', view->out);
	return flushed(view->out);
}

/* ---- the table ---- */

static int draw(struct watch_view *view, int64_t now_ms)
{
	fputs(WRAP_OFF, view->out);
	if (view->drawn)
		fprintf(view->out, UP_LINES, view->drawn);
	for (unsigned i = 0; i < view->row_count; i++) {
		fputs(CLEAR_LINE, view->out);
		watch_line_print(&view->rows[i], view->out, now_ms, true);
	}
	view->drawn = view->row_count;
	if (view->refused.verdict[0]) {
		fputs(CLEAR_LINE, view->out);
		watch_line_print(&view->refused, view->out, now_ms, true);
		view->drawn++;
	}
	if (view->note[0]) {
		fputs(CLEAR_LINE, view->out);
		command_put_plain(view->out, view->note);
		putc('\n', view->out);
		view->drawn++;
	}
	fputs(WRAP_ON, view->out);
	return flushed(view->out);
}

/* Where there are more feeds than lines, the last row is the newest of them. */
static struct watch_line *row_of(struct watch_view *view, const char *feed)
{
	for (unsigned i = 0; i < view->row_count; i++)
		if (strcmp(view->rows[i].feed, feed) == 0)
			return &view->rows[i];
	if (view->row_count < view->row_max)
		return &view->rows[view->row_count++];
	return &view->rows[view->row_max - 1];
}

/* ---- what there is to show ---- */

int watch_view_item(struct watch_view *view, const struct record *record,
    const struct hm_item *item, int64_t now_ms)
{
	struct watch_line line;

	if (view->form == WATCH_JSON)
		return put_json(view, watch_line_json(record, item));
	watch_line_of(&line, record, item);
	if (view->form == WATCH_TABLE) {
		*(line.feed[0] ? row_of(view, line.feed)
			       : &view->refused) = line;
		return draw(view, now_ms);
	}
	watch_line_print(&line, view->out, now_ms, false);
	return flushed(view->out);
}

int watch_view_note(
    struct watch_view *view, const char *event, const char *text)
{
	if (view->form == WATCH_JSON)
		return put_json(view, json_pack("{s:s, s:o}", "event", event,
					  "text", json_of_text(text)));
	if (view->form == WATCH_TABLE) { /* shown with the next tick */
		snprintf(view->note, sizeof(view->note), "%s: %s", event, text);
		return 0;
	}
	fprintf(view->notes, "hallmark watch: %s: ", event);
	command_put_plain(view->notes, text);
	putc('\n', view->notes);
	return flushed(view->notes);
}

int watch_view_tick(struct watch_view *view, int64_t now_ms)
{
	return view->form == WATCH_TABLE ? draw(view, now_ms) : 0;
}

int watch_view_end(
    struct watch_view *view, const struct watch_tally *tally, int code)
{
	char text[200];

	if (view->form == WATCH_JSON)
		return put_json(
		    view, json_pack("{s:s, s:i, s:b, s:I, s:I, s:I, s:I, s:s}",
			      "event", "end", "exit", code, "met", tally->met,
			      "verified", (json_int_t)tally->verified, "late",
			      (json_int_t)tally->late, "refused",
			      (json_int_t)tally->refused, "missing",
			      (json_int_t)tally->missing, "first_refused",
			      hm_verdict_name(tally->first_refused)));
	snprintf(text, sizeof(text),
	    "%" PRIu64 " verified, %" PRIu64 " refused, %" PRIu64
	    " late, %" PRIu64 " missing (exit %d)",
	    tally->verified, tally->refused, tally->late, tally->missing, code);
	fprintf(view->notes, "hallmark watch: end: %s\n", text);
	return flushed(view->notes);
}
