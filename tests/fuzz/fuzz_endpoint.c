/* fuzz_endpoint: what is accepted comes back as it was, and means the same. The
 * same bytes as a monitor's answer: read at once or in two pieces, it is the
 * same, and no more is taken than its line. */
#include "base/endpoint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void greet(const char *bytes, size_t len)
{
	struct hybrid_greeting whole, parts;
	char line[HYBRID_GREETING_MAX];
	size_t taken, first, second = 0, half = len / 2;
	int once, twice;

	hybrid_greeting_start(&whole, 1, line);
	hybrid_greeting_start(&parts, 1, line);
	once = hybrid_greeting_read(&whole, bytes, len, &taken);
	twice = hybrid_greeting_read(&parts, bytes, half, &first);
	if (twice == 0)
		twice = hybrid_greeting_read(
		    &parts, bytes + half, len - half, &second);
	assert(once == twice && taken == first + second);
	assert(taken <= len && taken < HYBRID_GREETING_MAX);
	assert(once == 0 || taken > 0);
	assert(once != 1 || bytes[taken - 1] == '\n');
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char *text = malloc(len + 1), again[ENDPOINT_TEXT_MAX];
	struct endpoint ep, second;

	memcpy(text, bytes, len);
	text[len] = '\0';
	if (endpoint_parse(&ep, text) == 0) {
		endpoint_format(&ep, again);
		assert(endpoint_parse(&second, again) == 0);
		assert(memcmp(&ep, &second, sizeof(ep)) == 0);
		/* One spelling each; an input may go on after a NUL. */
		assert(strcmp(text, again) == 0);
	}
	greet(text, len);
	free(text);
	return 0;
}
