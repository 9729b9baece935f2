/* strict_policy: for fuzzers that go on into a verification: it has a root and
 * a release, so that all is looked at, and accepts nothing. */
#ifndef HALLMARK_TESTS_FUZZ_STRICT_POLICY_H
#define HALLMARK_TESTS_FUZZ_STRICT_POLICY_H

#include "verifier/hallmark.h"

#include <stdlib.h>

/* Made once; not to be freed. */
static inline struct hm_policy *strict_policy(void)
{
	static const uint8_t pcr[HM_PCR_LEN] = {1};
	static struct hm_policy *policy;

	if (policy != NULL)
		return policy;
	policy = hm_policy_new();
	if (policy == NULL ||
	    hm_policy_add_root_name(policy, "aws-nitro-g1") != 0 ||
	    hm_policy_add_release(policy, "x", INT64_MIN, INT64_MAX) != 0 ||
	    hm_policy_add_pcr(policy, 0, 0, pcr) != 0)
		abort();
	return policy;
}

#endif
