/* lines: see lines.h. */
#include "base/lines.h"

#include <string.h>

void lines_init(struct lines *lines)
{
	lines->len = 0;
	lines->cut = false;
}

static void add(struct lines *lines, const char *bytes, size_t len)
{
	size_t room = sizeof(lines->text) - lines->len;

	if (len > room) {
		lines->cut = true;
		len = room;
	}
	memcpy(lines->text + lines->len, bytes, len);
	lines->len += len;
}

void lines_feed(
    struct lines *lines, const char *bytes, size_t len, lines_cb cb, void *data)
{
	while (len > 0) {
		const char *end = memchr(bytes, '\n', len);
		size_t part = end != NULL ? (size_t)(end - bytes) : len;

		add(lines, bytes, part);
		if (end == NULL)
			return;
		cb(data, lines->text, lines->len, lines->cut);
		lines_init(lines);
		bytes += part + 1;
		len -= part + 1;
	}
}

void lines_end(struct lines *lines, lines_cb cb, void *data)
{
	if (lines->len > 0)
		cb(data, lines->text, lines->len, true);
	lines_init(lines);
}
