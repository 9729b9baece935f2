/* fuzz_tree_head: what is decoded is encoded as the same bytes, and all else is
 * refused and leaves nothing behind. */
#include "verifier/tree_head.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hm_head none;
	static struct hm_head head;
	static char text[TREE_HEAD_CONTENT_MAX];
	size_t len;

	if (tree_head_decode(&head, (const char *)data, size) != 0) {
		if (memcmp(&head, &none, sizeof(head)) != 0)
			abort();
		return 0;
	}
	if (tree_head_encode(&head, text, sizeof(text), &len) != 0 ||
	    len != size || memcmp(text, data, size) != 0)
		abort();
	if (hm_head_compare(&head, &head) != HM_VALID)
		abort();
	return 0;
}
