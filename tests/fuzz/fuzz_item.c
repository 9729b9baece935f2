/* fuzz_item: what is decoded is encoded as the same bytes, and all else is
 * refused and leaves nothing behind. */
#include "feeds/item.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct item none;
	static struct item item;
	static char text[ITEM_CONTENT_MAX];
	size_t len;

	if (item_decode(&item, (const char *)data, size) != 0) {
		if (memcmp(&item, &none, sizeof(item)) != 0)
			abort();
		return 0;
	}
	if (item_encode(&item, text, sizeof(text), &len) != 0 || len != size ||
	    memcmp(text, data, size) != 0)
		abort();
	return 0;
}
