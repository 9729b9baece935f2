/*
 * lines: lines of text out of a stream of bytes, each under a ceiling; bytes
 * in, lines out, no descriptor here.
 *
 * What is longer is cut: the first LINES_MAX bytes are a line, marked so, and
 * the rest up to its end is left out. Any byte but the newline is part of a
 * line, NUL and control characters as well: who shows them must escape them
 * (log_passed in base/log.h does).
 */
#ifndef HALLMARK_BASE_LINES_H
#define HALLMARK_BASE_LINES_H

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 4095 /* with its newline it fits one write to a pipe */

struct lines {
	char text[LINES_MAX]; /* of the line that has no end yet */
	size_t len;
	bool cut;
};

/* A line, without its newline; borrowed for the call. */
typedef void (*lines_cb)(void *data, const char *text, size_t len, bool cut);

void lines_init(struct lines *lines);

/* Calls `cb` for each line that ends in these bytes. */
void lines_feed(struct lines *lines, const char *bytes, size_t len, lines_cb cb,
    void *data);

/* The stream is over: what has no end is a line, and cut; nothing is none. */
void lines_end(struct lines *lines, lines_cb cb, void *data);

#endif
