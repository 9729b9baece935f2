/*
 * proxy_connect: any bytes as a proxy's answer, whole and in pieces of the
 * size that the first byte says: the same verdict, and `why` is a text.
 */
#include "oracle/proxy_connect.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int feed(
    struct proxy_connect *pc, const uint8_t *data, size_t size, size_t step)
{
	int verdict = 0;

	proxy_connect_init(pc);
	for (size_t i = 0; i < size; i += step)
		verdict = proxy_connect_feed(pc, (const char *)data + i,
		    size - i < step ? size - i : step);
	assert(memchr(pc->why, '\0', sizeof(pc->why)) != NULL);
	assert((verdict < 0) == (pc->why[0] != '\0'));
	return verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct proxy_connect whole, cut;

	if (size == 0)
		return 0;
	int verdict = feed(&whole, data + 1, size - 1, size);
	assert(verdict == feed(&cut, data + 1, size - 1, 1u + data[0]));
	return 0;
}
