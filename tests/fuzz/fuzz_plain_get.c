/* The first bytes of a connection: a plain GET or not. What is taken must
 * still be one when it is written down again from what was understood. */
#include "base/plain_get.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct plain_get first, again;
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	if (!plain_get_parse(&first, data, size)) {
		assert(!first.target && first.field_count == 0);
		return 0;
	}
	assert(first.target[0] && !strpbrk(first.target, " \t\r\n"));
	out = open_memstream(&text, &len);
	fprintf(out, "GET %s HTTP/1.0\r\n", first.target);
	for (size_t i = 0; i < first.field_count; i++) {
		assert(first.fields[i].name[0]);
		assert(!strpbrk(first.fields[i].value, "\r\n"));
		fprintf(out, "%s:%s\r\n", first.fields[i].name,
		    first.fields[i].value);
	}
	fprintf(out, "\r\n");
	fclose(out);
	assert(plain_get_parse(&again, text, len));
	assert(strcmp(first.target, again.target) == 0);
	assert(first.field_count == again.field_count);
	for (size_t i = 0; i < first.field_count; i++)
		assert(
		    strcmp(first.fields[i].value, again.fields[i].value) == 0);
	free(text);
	return 0;
}
