/* Answers around a document that was made for somebody's nonce: a price inside
 * an attestation, and that of GET /attestation as a channel's client reads it.
 * Any text is safe, and nothing is believed of it. */
#include "verifier/daemon/channel_answer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/strict_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_item(
    const struct hm_policy *policy, const uint8_t *data, size_t size)
{
	static struct hm_attested attested; /* large */

	if (hm_attested_parse(&attested, (const char *)data, size) != HM_VALID)
		return;
	if (attested.content[attested.content_len] != '\0' ||
	    attested.nonce_len == 0 ||
	    attested.nonce_path_len > HM_LOG_HASHES_MAX)
		abort();
	if (hm_item_verify_attested(policy, NULL, &attested, attested.nonce,
		attested.nonce_len, attested.document_len == 1 ? 0 : INT64_MAX,
		NULL, NULL) == HM_VALID)
		abort();
	hm_attested_fini(&attested);
}

static void try_channel(
    const struct hm_policy *policy, const uint8_t *data, size_t size)
{
	static struct channel_facts facts; /* large */
	static const uint8_t nonce[CHANNEL_NONCE_LEN] = {1}, spki[32] = {2};
	const struct channel_question question = {.nonce = nonce,
	    .nonce_len = sizeof(nonce),
	    .spki_sha256 = spki,
	    .now_ms = 1795251600000};

	if (channel_answer_judge(&facts, policy, NULL, (const char *)data, size,
		&question, NULL) == HM_VALID)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hm_policy *policy = strict_policy();

	try_item(policy, data, size);
	try_channel(policy, data, size);
	return 0;
}
