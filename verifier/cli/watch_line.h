/* watch_line: what is told of one item that was watched: a line for people, an
 * object for programs. Of a refused one nothing that it says. */
#ifndef HALLMARK_VERIFIER_CLI_WATCH_LINE_H
#define HALLMARK_VERIFIER_CLI_WATCH_LINE_H

#include "verifier/cli/watch_tally.h"
#include "verifier/moment.h"

#include <jansson.h>
#include <stdio.h>

#define WATCH_PRICE_MAX   160 /* "PRICE +- CONFIDENCE" and a NUL */
#define WATCH_VERDICT_MAX 320 /* the verdict and what to do, and a NUL */

struct watch_line {
	char feed[FEED_NAME_MAX]; /* "" if it was refused */
	char time[MOMENT_TEXT_MAX];
	char price[WATCH_PRICE_MAX];
	char sources[32];
	int64_t published_ms;
	char verdict[WATCH_VERDICT_MAX];
};

void watch_line_of(struct watch_line *out, const struct record *record,
    const struct hm_item *item);
/* One line with its end; the age is that at now_ms. Brief: without the date, so
 * that the verdict is within 80 columns. */
void watch_line_print(
    const struct watch_line *line, FILE *out, int64_t now_ms, bool brief);

/* A new reference. */
json_t *watch_line_json(
    const struct record *record, const struct hm_item *item);

#endif
