/* Policy files: any text is safe, a refusal says why, and whatever was read
 * can be asked and freed. */
#include "verifier/policy.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Then a document is judged by one of them, whatever is in it. */
static bool has_pcrs(const struct hm_policy *policy)
{
	for (size_t i = 0; i < policy->release_count; i++)
		if (policy->releases[i].measures.kinds == 0)
			return true;
	return false;
}

static void ask(const struct hm_policy *policy)
{
	static const struct hm_document document = {.pcr_mask = 0xffff};
	static const struct chain_facts facts = {.link_count = 4};
	char error[HM_TEXT_MAX];
	size_t which;

	for (size_t i = 0; i < POLICY_ROOTS_MAX + 1; i++)
		(void)hm_policy_root_file(policy, i);
	(void)policy_revokes(policy, &facts, &which);
	if (hm_policy_check(policy, error) == 0 &&
	    (policy_choose_release(policy, &document, 0) != NULL) !=
		has_pcrs(policy))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hm_policy *policy;
	char error[HM_TEXT_MAX];

	if (hm_policy_parse(&policy, (const char *)data, size, error) != 0) {
		if (policy != NULL || error[0] == '\0' ||
		    strlen(error) >= HM_TEXT_MAX)
			abort();
		return 0;
	}
	ask(policy);
	hm_policy_free(policy);
	return 0;
}
