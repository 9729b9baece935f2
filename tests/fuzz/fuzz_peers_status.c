/* fuzz_peers_status: whatever a stranger calls an oracle's word on its peers is
 * read and refused, as malformed or for want of a document, and leaves nothing
 * behind. */
#include "verifier/hallmark.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct hm_policy *make_policy(void)
{
	static const uint8_t pcr[HM_PCR_LEN] = {1};
	struct hm_policy *policy = hm_policy_new();
	int release = hm_policy_add_release(policy, "r", 0, INT64_MAX);

	if (hm_policy_add_root_name(policy, "aws-nitro-g1") != 0 ||
	    hm_policy_add_pcr(policy, release, 0, pcr) != 0)
		abort();
	return policy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct hm_peers none;
	static struct hm_policy *policy;
	static uint8_t signature[256];
	static char key[] = "-----BEGIN PUBLIC KEY-----\n";
	struct hm_envelope envelope = {.signature = signature,
	    .signature_len = sizeof(signature),
	    .public_key = key,
	    .platform = "aws-nitro",
	    .content_len = size};
	struct hm_peers peers;
	enum hm_verdict verdict;

	if (!policy)
		policy = make_policy();
	/* As hm_envelope_parse() leaves it: a NUL behind it. */
	envelope.content = malloc(size + 1);
	if (!envelope.content)
		abort();
	memcpy(envelope.content, data, size);
	envelope.content[size] = '\0';
	memset(&peers, 0xaa, sizeof(peers));
	verdict = hm_peers_verify_live(
	    policy, NULL, &envelope, INT64_C(1795251602000), &peers, NULL);
	free(envelope.content);
	if (verdict != HM_CONTENT_MALFORMED &&
	    verdict != HM_ATTESTATION_MISSING)
		abort();
	if (memcmp(&peers, &none, sizeof(none)) != 0)
		abort();
	return 0;
}
