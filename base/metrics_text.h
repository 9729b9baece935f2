/*
 * metrics_text: writes Prometheus' text format 0.0.4 (prometheus.io/docs,
 * "Exposition formats"): families, one after the other, each with its HELP and
 * TYPE line and then its samples. Numbers are whole, or seconds of whole
 * milliseconds. Dies without memory.
 */
#ifndef HALLMARK_BASE_METRICS_TEXT_H
#define HALLMARK_BASE_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define METRICS_TEXT_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_text { /* private */
	FILE *out;
	char *text;
	size_t len;
	const char *family, *suffix;
};

/* Any text may be a value. */
struct metrics_label {
	const char *name, *value;
};

void metrics_text_init(struct metrics_text *metrics);
/* The text; the caller frees it. The struct may be thrown away. */
char *metrics_text_finish(struct metrics_text *metrics, size_t *len);

/* Latencies: how many took at most each bound of METRICS_HISTOGRAM_BOUNDS_MS,
 * the last slot for all beyond. A plain struct, zeroed at the start. */
#define METRICS_HISTOGRAM_BOUNDS_MS \
	1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000
#define METRICS_HISTOGRAM_SLOTS 14 /* the bounds and one more */

struct metrics_histogram {
	uint64_t counts[METRICS_HISTOGRAM_SLOTS], sum_ms;
};

void metrics_histogram_add(struct metrics_histogram *histogram, uint64_t ms);

/* type: "gauge", "counter" or "histogram"; help: one line. The name is borrowed
 * until the next family. Each family once. */
void metrics_text_family(struct metrics_text *metrics, const char *name,
    const char *type, const char *help);

/* A sample of the family. `labels` ends with a NULL name; NULL: none. */
void metrics_text_sample(struct metrics_text *metrics,
    const struct metrics_label *labels, int64_t value);
/* The same in seconds: 1234 is written 1.234. */
void metrics_text_sample_ms(struct metrics_text *metrics,
    const struct metrics_label *labels, int64_t value_ms);
/* The same with a decimal number of ours as it is written. */
void metrics_text_sample_text(struct metrics_text *metrics,
    const struct metrics_label *labels, const char *number);
/* All samples of a histogram, in seconds: _bucket, _sum and _count. The labels
 * are at most METRICS_LABELS_MAX. */
#define METRICS_LABELS_MAX 7
void metrics_text_histogram(struct metrics_text *metrics,
    const struct metrics_label *labels,
    const struct metrics_histogram *histogram);

#endif
