/* archive_ndjson: the lines of an archive (archive_piece.h). A line that is too
 * long is skipped to its end, so it costs no memory. */
#include "verifier/archive/archive_line.h"
#include "verifier/archive/archive_piece.h"

#include <string.h>

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != ' ' && text[i] != '\t' && text[i] != '\r')
			return false;
	return true;
}

static void skip_line(struct archive_input *in)
{
	size_t len;

	while ((len = archive_input_need(in, ARCHIVE_INPUT_PIECE)) > 0) {
		const char *end = memchr(in->at, '\n', len);

		archive_input_skip(in, end ? (size_t)(end - in->at) + 1 : len);
		if (end)
			return;
	}
}

/* The file's end, whether it is one or not. */
static int at_end(struct archive_ndjson *state, const struct archive_input *in,
    struct archive_piece *out)
{
	if (!in->failed || state->failed)
		return 0;
	state->failed = true;
	out->problem = "the file cannot be read from here on";
	return 1;
}

int archive_ndjson_next(struct archive_ndjson *state, struct archive_input *in,
    struct archive_piece *out)
{
	for (;;) {
		size_t have = archive_input_need(in, ARCHIVE_LINE_MAX + 1);
		const char *end = have ? memchr(in->at, '\n', have) : NULL;
		size_t len = end ? (size_t)(end - in->at) : have;

		*out = (struct archive_piece){
		    .unit = "line",
		    .number = ++state->line,
		    .offset = in->offset,
		    .only = ARCHIVE_ENTRY_DAMAGED,
		};
		if (have == 0)
			return at_end(state, in, out);
		if (len > ARCHIVE_LINE_MAX) {
			out->problem = "longer than an item can be";
			skip_line(in);
			return 1;
		}
		out->text = in->at;
		out->len = len;
		archive_input_skip(in, end ? len + 1 : len);
		if (!is_blank(out->text, len))
			return 1;
	}
}
