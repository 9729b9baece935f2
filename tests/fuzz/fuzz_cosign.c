/* fuzz_cosign: what is decoded is encoded as the same bytes, and all else is
 * refused and leaves nothing behind. */
#include "verifier/cosign.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cosign none;
	char text[COSIGN_CONTENT_MAX];
	struct cosign cosign;
	size_t len;

	if (cosign_decode(&cosign, (const char *)data, size) != 0) {
		if (memcmp(&cosign, &none, sizeof(cosign)) != 0)
			abort();
		return 0;
	}
	if (cosign_encode(&cosign, text, &len) != 0 || len != size ||
	    memcmp(text, data, size) != 0)
		abort();
	return 0;
}
