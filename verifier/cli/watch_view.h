/*
 * watch_view: how `hallmark watch` shows things: a line an item; on a terminal
 * a table with a row a feed, drawn anew in place; or NDJSON.
 */
#ifndef HALLMARK_VERIFIER_CLI_WATCH_VIEW_H
#define HALLMARK_VERIFIER_CLI_WATCH_VIEW_H

#include "verifier/cli/watch_line.h"

enum watch_form {
	WATCH_LINES,
	WATCH_TABLE,
	WATCH_JSON,
};

struct watch_view;

/* `out` and `notes` are borrowed: items, and in form LINES what else there is
 * to say. rows: of the terminal, for TABLE. */
struct watch_view *watch_view_new(
    enum watch_form form, FILE *out, FILE *notes, unsigned rows);
void watch_view_free(struct watch_view *view);

/* Each may fail as the writing fails: 0 or -1. */
HM_MUST_CHECK int watch_view_item(struct watch_view *view,
    const struct record *record, const struct hm_item *item, int64_t now_ms);
/* `event` is a word ("lost"), `text` a sentence; it may be somebody else's. */
HM_MUST_CHECK int watch_view_note(
    struct watch_view *view, const char *event, const char *text);
/* Draws the table anew, as ages grow. Nothing in the other forms. */
HM_MUST_CHECK int watch_view_tick(struct watch_view *view, int64_t now_ms);
HM_MUST_CHECK int watch_view_end(
    struct watch_view *view, const struct watch_tally *tally, int code);

#endif
