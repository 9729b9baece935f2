/* Envelopes: any text is safe; jansson reads it the same; what is read is
 * written and read again the same. Goes on into the verification of the item,
 * which must refuse it. */
#include "tests/unit/verifier/envelope_reference.h"

#include "tests/fuzz/strict_policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_round_trip(const struct hm_envelope *envelope)
{
	struct hm_envelope again;
	char *text = envelope_format(envelope, envelope->document != NULL);

	if (text == NULL ||
	    hm_envelope_parse(&again, text, strlen(text)) != HM_VALID ||
	    again.content_len != envelope->content_len ||
	    memcmp(again.content, envelope->content, again.content_len) != 0 ||
	    again.document_len != envelope->document_len)
		abort();
	hm_envelope_fini(&again);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hm_policy *policy = strict_policy();
	struct hm_envelope envelope;
	enum hm_verdict verdict;

	if (!reference_agrees((const char *)data, size, &verdict))
		abort();
	if (hm_envelope_parse(&envelope, (const char *)data, size) != HM_VALID)
		return 0;
	/* an envelope of the greatest size may grow by its escapes */
	if (size < HM_ENVELOPE_MAX / 8)
		must_round_trip(&envelope);
	if (hm_item_verify_replay(
		policy, NULL, &envelope, NULL, 0, NULL, NULL) == HM_VALID)
		abort();
	hm_envelope_fini(&envelope);
	return 0;
}
