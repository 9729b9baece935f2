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
