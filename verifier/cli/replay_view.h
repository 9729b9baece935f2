/*
 * replay_view: what `hallmark replay` shows: findings as they come, a bar on a
 * terminal's standard error, and the sum at the end; or all of it as one JSON
 * object.
 */
#ifndef HALLMARK_VERIFIER_CLI_REPLAY_VIEW_H
#define HALLMARK_VERIFIER_CLI_REPLAY_VIEW_H

#include "verifier/archive/replay.h"

#include <jansson.h>
#include <stdio.h>

#define REPLAY_VIEW_EACH  20    /* findings of one kind as text */
#define REPLAY_VIEW_JSON  10000 /* findings as JSON; the others are counted */
#define REPLAY_VIEW_LINES 200   /* feeds and boots as text */

struct replay_view {
	FILE *out, *bar; /* bar: NULL: none */
	bool json;
	json_t *findings, *lines; /* owned, with json */
	uint64_t told[REPLAY_KIND_COUNT];
	uint64_t lines_told;
	size_t file, files; /* which of how many is read, from 1 */
	int64_t began_ms, file_began_ms, drawn_ms; /* monotonic */
	uint64_t file_began_items;
};

struct replay_summary {
	const struct replay_report *report;
	const char *policy; /* whose, for people; NULL: it was told before */
	json_t *trust;      /* borrowed: instead of that, in JSON; or NULL */
	bool with_config, with_prices;
	unsigned jobs;
	int64_t took_ms;
	int code; /* exit */
};

void replay_view_init(
    struct replay_view *view, FILE *out, FILE *bar, bool json, size_t files);
void replay_view_fini(struct replay_view *view);

void replay_view_file(
    struct replay_view *view, size_t file, int64_t now_ms, uint64_t items);
void replay_view_progress(struct replay_view *view,
    const struct replay_progress *progress, int64_t now_ms);
void replay_view_finding(
    struct replay_view *view, const struct replay_finding *finding);
void replay_view_line(struct replay_view *view, const struct replay_line *line);
/* 0, or -1: it cannot be written. */
HM_MUST_CHECK int replay_view_end(
    struct replay_view *view, const struct replay_summary *summary);

#endif
