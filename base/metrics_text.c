/* metrics_text: see metrics_text.h. */
#include "base/metrics_text.h"

#include "base/log.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

void metrics_text_init(struct metrics_text *metrics)
{
	*metrics = (struct metrics_text){0};
	metrics->out = open_memstream(&metrics->text, &metrics->len);
	if (!metrics->out)
		log_die("metrics", "out of memory");
}

char *metrics_text_finish(struct metrics_text *metrics, size_t *len)
{
	if (ferror(metrics->out) || fclose(metrics->out) != 0)
		log_die("metrics", "out of memory");
	*len = metrics->len;
	return metrics->text;
}

void metrics_text_family(struct metrics_text *metrics, const char *name,
    const char *type, const char *help)
{
	/* Else both would have to be escaped: ours, so they are not. */
	assert(!strpbrk(help, "\\\n"));
	metrics->family = name;
	metrics->suffix = "";
	fprintf(metrics->out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
	    type);
}

static void put_label(FILE *out, const struct metrics_label *label)
{
	fprintf(out, "%s=\"", label->name);
	for (const char *c = label->value; *c; c++) {
		if (*c == '\\' || *c == '"')
			fputc('\\', out);
		if (*c == '\n')
			fputs("\\n", out);
		else
			fputc(*c, out);
	}
	fputc('"', out);
}

static void put_name(
    struct metrics_text *metrics, const struct metrics_label *labels)
{
	assert(metrics->family);
	fputs(metrics->family, metrics->out);
	fputs(metrics->suffix, metrics->out);
	if (!labels || !labels->name)
		return;
	for (const struct metrics_label *at = labels; at->name; at++) {
		fputc(at == labels ? '{' : ',', metrics->out);
		put_label(metrics->out, at);
	}
	fputc('}', metrics->out);
}

void metrics_text_sample(struct metrics_text *metrics,
    const struct metrics_label *labels, int64_t value)
{
	put_name(metrics, labels);
	fprintf(metrics->out, " %" PRId64 "\n", value);
}

void metrics_text_sample_ms(struct metrics_text *metrics,
    const struct metrics_label *labels, int64_t value_ms)
{
	int64_t s = value_ms / 1000, ms = value_ms % 1000;

	put_name(metrics, labels);
	fprintf(metrics->out, " %s%" PRId64 ".%03" PRId64 "\n",
	    value_ms < 0 ? "-" : "", s < 0 ? -s : s, ms < 0 ? -ms : ms);
}

void metrics_text_sample_text(struct metrics_text *metrics,
    const struct metrics_label *labels, const char *number)
{
	put_name(metrics, labels);
	fprintf(metrics->out, " %s\n", number);
}

static const uint64_t bounds_ms[] = {METRICS_HISTOGRAM_BOUNDS_MS};
#define BOUNDS (METRICS_HISTOGRAM_SLOTS - 1)
_Static_assert(sizeof(bounds_ms) / sizeof(bounds_ms[0]) == BOUNDS, "slots");

void metrics_histogram_add(struct metrics_histogram *histogram, uint64_t ms)
{
	size_t slot = 0;

	while (slot < BOUNDS && ms > bounds_ms[slot])
		slot++;
	histogram->counts[slot]++;
	histogram->sum_ms += ms;
}

void metrics_text_histogram(struct metrics_text *metrics,
    const struct metrics_label *labels,
    const struct metrics_histogram *histogram)
{
	struct metrics_label all[METRICS_LABELS_MAX + 2] = {{NULL, NULL}};
	uint64_t count = 0;
	size_t n = 0;
	char le[32];

	for (; labels && labels[n].name; n++) {
		assert(n < METRICS_LABELS_MAX);
		all[n] = labels[n];
	}
	all[n] = (struct metrics_label){"le", le};
	metrics->suffix = "_bucket";
	for (size_t i = 0; i < METRICS_HISTOGRAM_SLOTS; i++) {
		if (i < BOUNDS)
			snprintf(le, sizeof(le), "%" PRIu64 ".%03" PRIu64,
			    bounds_ms[i] / 1000, bounds_ms[i] % 1000);
		else
			snprintf(le, sizeof(le), "+Inf");
		count += histogram->counts[i]; /* they are cumulative */
		metrics_text_sample(metrics, all, (int64_t)count);
	}
	metrics->suffix = "_sum";
	metrics_text_sample_ms(metrics, labels, (int64_t)histogram->sum_ms);
	metrics->suffix = "_count";
	metrics_text_sample(metrics, labels, (int64_t)count);
	metrics->suffix = "";
}
