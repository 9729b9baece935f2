/*
 * fuzz_allowlist: any bytes as an allow-list. Each rule of a list that is
 * accepted can be found, no destination has two, none is an address, and each
 * is read as the same rule when it is written down again.
 */
#include "vsock-bridge/allowlist.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(const struct allowlist_rule *rule)
{
	char text[ALLOWLIST_RULE_TEXT_MAX], again[ALLOWLIST_RULE_TEXT_MAX];
	char error[ALLOWLIST_ERROR_MAX];
	struct allowlist *list;

	allowlist_format(rule, text);
	assert(allowlist_parse(&list, text, strlen(text), error) == 0);
	assert(list->count == 1);
	allowlist_format(&list->rules[0], again);
	assert(strcmp(text, again) == 0);
	allowlist_free(list);
}

/* Found by a name below its suffix, unless none is that long. */
static void check_star(
    const struct allowlist *list, const struct allowlist_rule *rule)
{
	struct authority below = rule->target;
	const struct allowlist_rule *found;

	if (snprintf(below.host, sizeof(below.host), "x.%s",
		rule->target.host) >= (int)sizeof(below.host))
		return;
	found = allowlist_find(list, &below);
	assert(found == rule || (found != NULL && !found->star));
	found = allowlist_find(list, &rule->target);
	assert(found != rule);
}

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
		assert(i == 0 || rule[-1].star != rule->star ||
		       authority_compare(&rule[-1].target, &rule->target) < 0);
		check_text(rule);
		if (rule->star)
			check_star(list, rule);
		else
			assert(allowlist_find(list, &rule->target) == rule);
	}
	allowlist_free(list);
	return 0;
}
