/* fuzz_http_target: a request target against routes; what is let through is
 * free of all that the header promises it is free of. The first line is the
 * target, a second one an If-None-Match. */
#include "base/http_target.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(const char *text)
{
	for (; *text; text++)
		assert((unsigned char)*text >= ' ' && *text != 0x7f);
}

static void check_target(const struct http_target *target)
{
	static const char *const allowed[] = {"feeds", "since", NULL};
	static const char *const paths[] = {
	    "/", "/price", "/price/{feed}", "/{a}/b", "/a/b/c/d"};
	const char *part;
	bool twice;

	assert(target->segment_count > 0);
	for (size_t i = 0; i < target->segment_count; i++) {
		check_text(target->segments[i]);
		assert(!strpbrk(target->segments[i], "/\\"));
		assert(strcmp(target->segments[i], "..") != 0);
	}
	for (size_t i = 0; i < target->param_count; i++) {
		check_text(target->params[i].name);
		check_text(target->params[i].value);
	}
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (http_target_matches(target, paths[i], &part))
			assert(!strchr(paths[i], '{') == !part[0]);
	if (!http_target_bad_param(target, allowed, &twice))
		assert(target->param_count <= 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1), *rest = text, *line;
	struct http_target target;

	memcpy(text, bytes, len);
	text[len] = '\0';
	line = strsep(&rest, "\n");
	if (http_target_parse(&target, line) == HTTP_TARGET_OK)
		check_target(&target);
	http_target_fini(&target);
	if (rest)
		http_etag_matches(rest, "\"abc\"");
	free(text);
	return 0;
}
