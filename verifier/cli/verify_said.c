/* verify_said: see verify_said.h. */
#include "verifier/cli/verify_said.h"

#include "feeds/hex.h"
#include "verifier/daemon/channel_answer.h"
#include "verifier/item_key.h"
#include "verifier/report.h"

#include <string.h>

static enum hm_verdict check_document(const struct hm_document *d,
    const struct input_said *said, const struct hm_report *report)
{
	char sha256[2 * HM_SHA256_LEN + 1];
	bool same;

	hex_encode(d->sha256, HM_SHA256_LEN, sha256);
	same = strcmp(said->sha256, sha256) == 0 &&
	       said->timestamp_ms == d->timestamp_ms &&
	       said->not_after_ms == d->not_after_ms;
	return report_check(report, "attestation_hash",
	    same ? HM_VALID : HM_ATTESTATION_MISMATCH, NULL, NULL);
}

static enum hm_verdict check_platform(const struct hm_document *d,
    const struct input_said *said, const struct hm_report *report)
{
	bool same = strcmp(said->platform, d->platform) == 0;

	return report_check(report, "platform",
	    same ? HM_VALID : HM_PLATFORM_MISMATCH, d->platform,
	    said->platform);
}

/* The key as OpenSSL writes it, if it is one that signs items. */
static bool is_item_key(const struct hm_bytes *spki, const char *pem)
{
	struct item_key key;
	bool same;

	if (item_key_open(&key, (struct slice){spki->bytes, spki->len}) != 0)
		return false;
	same = strcmp(key.pem, pem) == 0;
	item_key_close(&key);
	return same;
}

/* Copies of hashes and keys that stand in the user data. */
static enum hm_verdict check_copies(const struct hm_document *d,
    const struct input_said *said, const struct hm_report *report)
{
	enum hm_verdict verdict = HM_VALID;
	char tls[2 * HM_SHA256_LEN + 1];
	struct attested_data data;
	int rc = attested_data_parse(
	    &data, (struct slice){d->user_data.bytes, d->user_data.len});
	bool same;

	if (said->tls_spki_sha256) {
		hex_encode(data.tls_spki_sha256, HM_SHA256_LEN, tls);
		same = rc == 0 && data.has_tls &&
		       strcmp(said->tls_spki_sha256, tls) == 0;
		verdict = report_check(report, "tls_key",
		    same ? HM_VALID : HM_ATTESTATION_MISMATCH,
		    data.has_tls ? tls : "none", said->tls_spki_sha256);
	}
	if (verdict == HM_VALID && said->key_epoch != 0) {
		same = rc == 0 && said->key_epoch > 0 &&
		       (uint64_t)said->key_epoch == data.key_epoch;
		verdict = report_check(report, "key_epoch",
		    same ? HM_VALID : HM_ATTESTATION_MISMATCH, NULL, NULL);
	}
	if (verdict != HM_VALID || !said->seal_public_key)
		return verdict;
	same = rc == 0 && data.has_seal &&
	       channel_answer_is_key(
		   said->seal_public_key, data.seal_spki_sha256);
	return report_check(report, "seal_key",
	    same ? HM_VALID : HM_KEY_NOT_ATTESTED, NULL, NULL);
}

static enum hm_verdict check_nonce(const struct hm_document *d,
    const struct input_said *said, const uint8_t *nonce, size_t nonce_len,
    const struct hm_report *report)
{
	bool holds;

	if (!said->batched || !nonce)
		return HM_VALID;
	holds = nonce_path_holds(&said->path, &d->nonce, nonce, nonce_len);
	return report_check(report, "nonce",
	    holds ? HM_VALID : HM_NONCE_MISMATCH,
	    "a path from the nonce to the document's",
	    holds ? "one of a batch" : "a path that leads elsewhere");
}

enum hm_verdict verify_said(const struct hm_document *document,
    const struct input_said *said, const uint8_t *nonce, size_t nonce_len,
    const struct hm_report *report)
{
	enum hm_verdict verdict = check_nonce(
	    document, said, nonce, nonce_len, report);
	bool same;

	if (verdict == HM_VALID)
		verdict = check_document(document, said, report);
	if (verdict == HM_VALID)
		verdict = check_platform(document, said, report);
	if (verdict != HM_VALID)
		return verdict;
	same = is_item_key(&document->public_key, said->public_key);
	verdict = report_check(report, "public_key",
	    same ? HM_VALID : HM_KEY_NOT_ATTESTED, NULL, NULL);
	return verdict == HM_VALID ? check_copies(document, said, report)
				   : verdict;
}
