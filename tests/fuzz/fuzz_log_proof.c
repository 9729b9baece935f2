/* Proofs of the log and of misbehaviour: any text is safe, and none is proven
 * under a policy that names no enclave of ours. Given as the proof, as the item
 * and as the head that was kept. */
#include "verifier/cli/log_verify_proof.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hm_policy *make_policy(void)
{
	static const uint8_t pcr[HM_PCR_LEN] = {1};
	struct hm_policy *policy = hm_policy_new();
	int release;

	if (!policy || hm_policy_add_root_name(policy, "aws-nitro-g1"))
		abort();
	release = hm_policy_add_release(policy, "r", INT64_MIN, INT64_MAX);
	if (release < 0 || hm_policy_add_pcr(policy, release, 0, pcr))
		abort();
	return policy;
}

static void judge(
    const struct log_verify_input *input, struct log_verify_result *result)
{
	enum hm_verdict verdict = log_verify_proof(result, input);

	if (verdict == HM_VALID || verdict == HM_LOG_FORK ||
	    verdict != result->verdict || result->why[0] == '\0')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char form[] = "{\"format\":\"hallmark-inclusion/1\"}";
	static struct log_verify_result result;
	static struct hm_policy *policy;
	const struct log_verify_text text = {(const char *)data, size};
	struct log_verify_input input = {.proof = text};

	if (!policy)
		policy = make_policy();
	input.policy = policy;
	judge(&input, &result);
	input.item = text;
	judge(&input, &result);
	input.proof = (struct log_verify_text){form, sizeof(form) - 1};
	input.head = text;
	judge(&input, &result);
	return 0;
}
