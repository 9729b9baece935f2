/* fuzz_endpoint: what is accepted comes back as it was, and means the same. */
#include "base/endpoint.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

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
	free(text);
	return 0;
}
