/*
 * fuzz_allowlist: any bytes as an allow-list. Each rule of a list that is
 * accepted can be found, no destination has two, and none is an address.
 */
#include "vsock-bridge/allowlist.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list = NULL;

	if (allowlist_parse(&list, bytes, len, error) != 0) {
		assert(list == NULL && strlen(error) > 0);
		return 0;
	}
	assert(list->count <= ALLOWLIST_RULES_MAX);
	for (size_t i = 0; i < list->count; i++) {
		const struct allowlist_rule *rule = &list->rules[i];

		assert(authority_is_name(&rule->target));
		assert(allowlist_find(list, &rule->target) == rule);
		assert(i == 0 ||
		       authority_compare(&rule[-1].target, &rule->target) < 0);
	}
	allowlist_free(list);
	return 0;
}
