/* fuzz_sse_parser: the events of a stream do not depend on how it is cut into
 * pieces. The first byte chooses the cut. */
#include "base/sse.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* A hash of all events, FNV-1a. */
struct digest {
	uint64_t hash;
	unsigned events;
};

static void add(struct digest *digest, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		digest->hash = (digest->hash ^ (uint8_t)bytes[i]) *
			       0x100000001b3;
}

static void on_event(const struct sse_event *event, void *data)
{
	struct digest *digest = data;

	assert(event->data[event->len] == '\0');
	assert(event->name[0] && strlen(event->name) < SSE_PARSER_NAME_MAX);
	assert(strlen(event->id) < SSE_ID_MAX);
	add(digest, event->name, strlen(event->name) + 1);
	add(digest, event->id, strlen(event->id) + 1);
	add(digest, event->data, event->len + 1);
	digest->events++;
}

static int parse(
    const char *text, size_t len, size_t step, struct digest *digest)
{
	struct sse_parser *parser = sse_parser_new(on_event, digest);
	int ret = 0;

	*digest = (struct digest){.hash = 0xcbf29ce484222325};
	for (size_t at = 0; at < len && ret == 0; at += step)
		ret = sse_parser_feed(
		    parser, text + at, len - at < step ? len - at : step);
	sse_parser_free(parser);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct digest whole, cut;
	const char *text;

	if (len == 0)
		return 0;
	text = (const char *)bytes + 1;
	len--;
	assert(parse(text, len, len + 1, &whole) ==
	       parse(text, len, bytes[0] % 17u + 1u, &cut));
	assert(whole.hash == cut.hash && whole.events == cut.events);
	return 0;
}
