/* attestation_document: see attestation_document.h. */
#include "oracle/attestation_document.h"

#include "base/log.h"
#include "feeds/hex.h"
#include "verifier/base64.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Null and empty are two different things. */
static bool holds(
    const struct hm_bytes *found, const uint8_t *wanted, size_t len)
{
	return found->present == (wanted != NULL) &&
	       (wanted == NULL || (found->len == len &&
				      memcmp(found->bytes, wanted, len) == 0));
}

/* All that a quote can hold: the key's hash. It says no time either, so it is
 * as old as our having it. */
static enum hm_verdict judge_quote(const struct attester_request *request,
    int64_t now_ms, struct hm_document *out)
{
	uint8_t wanted[sizeof(out->quote.report_data)] = {0};

	out->timestamp_ms = now_ms;
	if (EVP_Digest(request->public_key, request->public_key_len, wanted,
		NULL, EVP_sha256(), NULL) != 1)
		return HM_NO_MEMORY;
	return memcmp(wanted, out->quote.report_data, sizeof(wanted)) == 0
		   ? HM_VALID
		   : HM_KEY_NOT_ATTESTED;
}

static enum hm_verdict judge(const struct hm_policy *policy,
    struct hm_cache *cache, const struct attester_request *request,
    const uint8_t *bytes, size_t len, int64_t now_ms, struct hm_document *out)
{
	enum hm_verdict verdict = hm_document_verify_live(policy, cache, bytes,
	    len, now_ms, request->nonce, request->nonce_len, out, NULL);

	if (verdict != HM_VALID)
		return verdict;
	if (out->quote.present)
		return judge_quote(request, now_ms, out);
	if (!holds(
		&out->public_key, request->public_key, request->public_key_len))
		return HM_KEY_NOT_ATTESTED;
	if (!holds(&out->user_data, request->user_data, request->user_data_len))
		return HM_USER_DATA_MISMATCH;
	return HM_VALID;
}

int attestation_document_take(struct attestation_document *out,
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct attester_request *request, const uint8_t *bytes, size_t len,
    int64_t now_ms, char error[ATTESTER_ERROR_MAX])
{
	struct hm_document read;
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	verdict = judge(policy, cache, request, bytes, len, now_ms, &read);
	if (verdict != HM_VALID) {
		snprintf(error, ATTESTER_ERROR_MAX,
		    "the attester's document: %s", hm_verdict_name(verdict));
		return -1;
	}
	out->bytes = malloc(len);
	out->base64 = base64_encode(bytes, len);
	if (out->bytes == NULL || out->base64 == NULL)
		log_die("attestation_document", "out of memory");
	memcpy(out->bytes, bytes, len);
	out->len = len;
	memcpy(out->sha256, read.sha256, sizeof(out->sha256));
	hex_encode(out->sha256, sizeof(out->sha256), out->sha256_hex);
	out->timestamp_ms = read.timestamp_ms;
	out->not_after_ms = read.not_after_ms;
	return 0;
}

void attestation_document_fini(struct attestation_document *doc)
{
	free(doc->bytes);
	free(doc->base64);
	memset(doc, 0, sizeof(*doc));
}
