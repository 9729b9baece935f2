/* sgx_verify: see sgx_verify.h. What is in the quote itself comes first, then
 * what Intel says about it (sgx_judge.c). */
#include "verifier/sgx/sgx_verify.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/moment.h"
#include "verifier/report.h"
#include "verifier/sgx/sgx_judge.h"

#include <openssl/err.h>
#include <string.h>

static enum hm_verdict check_form(
    struct sgx_judged *j, const uint8_t *quote, size_t len)
{
	const char *why;
	enum hm_verdict verdict = sgx_quote_parse(
	    &j->out->quote, quote, len, &why);

	return report_check(j->report, "quote", verdict, NULL, why);
}

/* One call finds out all about the chain; the report has a line for each. */
static enum hm_verdict check_chain(struct sgx_judged *j)
{
	static const struct {
		const char *check;
		enum hm_verdict fails;
	} steps[] = {
	    {"certificate_profile", HM_CERTIFICATE_PROFILE},
	    {"root", HM_ROOT_UNTRUSTED},
	    {"chain", HM_CHAIN_BROKEN},
	};
	const struct sgx_policy *p = j->policy;
	const char *why, *name = NULL;
	enum hm_verdict verdict = sgx_pck_open(
	    &j->pck, j->out->quote.pem, p->roots, p->root_count, &why);

	if (verdict == HM_NO_MEMORY)
		return verdict;
	if (verdict == HM_VALID)
		name = p->roots[j->pck.root_index].name;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		bool failed = verdict == steps[i].fails;
		const char *found = failed ? why : i == 1 ? name : NULL;

		if (report_check(j->report, steps[i].check,
			failed ? verdict : HM_VALID, NULL, found) != HM_VALID)
			return verdict;
	}
	return verdict;
}

static enum hm_verdict check_chain_time(struct sgx_judged *j)
{
	const struct sgx_pck *pck = &j->pck;
	char from[MOMENT_TEXT_MAX], found[MOMENT_TEXT_MAX];
	enum hm_verdict verdict = HM_VALID;
	bool late = j->at_ms > pck->not_after_ms;

	j->out->root_index = pck->root_index;
	j->out->platform = pck->platform;
	j->out->not_before_ms = pck->not_before_ms;
	j->out->not_after_ms = pck->not_after_ms;
	if (REFUSE(pck_expired, late))
		verdict = HM_CHAIN_EXPIRED;
	else if (REFUSE(pck_early, j->at_ms < pck->not_before_ms))
		verdict = HM_CHAIN_NOT_YET_VALID;
	moment_format(late ? pck->not_after_ms : pck->not_before_ms, from);
	moment_format(j->at_ms, found);
	return report_check(j->report, "chain_time", verdict, from, found);
}

static enum hm_verdict check_qe_signature(struct sgx_judged *j)
{
	const struct sgx_quote *q = &j->out->quote;
	enum hm_verdict verdict = sgx_p256_verify(
	    X509_get0_pubkey(j->pck.leaf.x509), q->qe_report,
	    q->qe_signature.at, HM_QE_SIGNATURE);

	return report_check(j->report, "qe_signature", verdict, NULL, NULL);
}

/* SHA-256 of both in `out`; 0 or -1. */
static int hash_both(uint8_t out[HM_SHA256_LEN], struct slice a, struct slice b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	int ok = ctx != NULL &&
		 EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		 EVP_DigestUpdate(ctx, a.at, a.len) == 1 &&
		 EVP_DigestUpdate(ctx, b.at, b.len) == 1 &&
		 EVP_DigestFinal_ex(ctx, out, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok ? 0 : -1; /* unnamed: no memory */
}

/* The hash and 32 zeros. */
static bool is_hash(
    const uint8_t data[SGX_REPORT_DATA_LEN], const uint8_t *sha256)
{
	static const uint8_t zeros[SGX_REPORT_DATA_LEN - HM_SHA256_LEN];
	int order = memcmp(data, sha256, HM_SHA256_LEN);
	int rest = memcmp(data + HM_SHA256_LEN, zeros, sizeof(zeros));

	return REQUIRE(report_data_hash, order == 0) &&
	       REQUIRE(report_data_zeros, rest == 0);
}

static enum hm_verdict check_report_data(struct sgx_judged *j,
    const char *check, const uint8_t data[SGX_REPORT_DATA_LEN],
    const uint8_t sha256[HM_SHA256_LEN], enum hm_verdict otherwise)
{
	char wanted[2 * HM_SHA256_LEN + 1];
	char found[2 * SGX_REPORT_DATA_LEN + 1];
	bool ok = is_hash(data, sha256);

	hex_encode(sha256, HM_SHA256_LEN, wanted);
	hex_encode(data, SGX_REPORT_DATA_LEN, found);
	return report_check(
	    j->report, check, ok ? HM_VALID : otherwise, wanted, found);
}

static enum hm_verdict check_attestation_key(struct sgx_judged *j)
{
	const struct sgx_quote *q = &j->out->quote;
	uint8_t sha256[HM_SHA256_LEN];

	if (hash_both(sha256, q->attestation_key, q->qe_auth) != 0)
		return HM_NO_MEMORY;
	/* unnamed: is_hash() names both */
	return check_report_data(j, "attestation_key", q->qe.report_data,
	    sha256, HM_KEY_NOT_ATTESTED);
}

static enum hm_verdict check_quote_signature(struct sgx_judged *j)
{
	const struct sgx_quote *q = &j->out->quote;
	uint8_t point[SGX_POINT_LEN] = {0x04};
	enum hm_verdict verdict = HM_DOCUMENT_SIGNATURE;
	EVP_PKEY *key;

	memcpy(point + 1, q->attestation_key.at, q->attestation_key.len);
	/* NULL as well where the point is not on the curve, although the QE
	 * vouches for it. */
	key = sgx_p256_key(point);
	if (key != NULL)
		verdict = sgx_p256_verify(key, q->signed_part, q->signature.at,
		    HM_DOCUMENT_SIGNATURE);
	EVP_PKEY_free(key);
	return report_check(j->report, "quote_signature", verdict, NULL, NULL);
}

static enum hm_verdict check_held_data(struct sgx_judged *j)
{
	const struct sgx_policy *p = j->policy;
	uint8_t sha256[HM_SHA256_LEN];

	if (p->held == NULL)
		return HM_VALID;
	if (EVP_Digest(
		p->held, p->held_len, sha256, NULL, EVP_sha256(), NULL) != 1)
		return HM_NO_MEMORY;
	/* unnamed: is_hash() names both */
	return check_report_data(j, "held_data", j->out->quote.report_data,
	    sha256, HM_HELD_DATA_MISMATCH);
}

static enum hm_verdict check_debug(struct sgx_judged *j)
{
	const struct sgx_quote *q = &j->out->quote;
	bool qe = (q->qe.flags & SGX_FLAG_DEBUG) != 0;
	bool own = q->debug && !j->policy->allow_debug;
	enum hm_verdict verdict = HM_VALID;

	if (REFUSE(quote_debug, own) || REFUSE(quote_qe_debug, qe))
		verdict = HM_DEBUG_ENCLAVE;
	return report_check(j->report, "debug", verdict, NULL,
	    qe         ? "the quoting enclave's memory is open"
	    : q->debug ? "its memory is open to the host"
		       : NULL);
}

static enum hm_verdict check_quote(
    struct sgx_judged *j, const uint8_t *quote, size_t len)
{
	static enum hm_verdict (*const checks[])(struct sgx_judged *) = {
	    check_chain, check_chain_time, check_qe_signature,
	    check_attestation_key, check_quote_signature, check_held_data,
	    check_debug, sgx_judge};
	enum hm_verdict verdict = check_form(j, quote, len);

	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (verdict != HM_VALID)
			return verdict;
		verdict = checks[i](j);
	}
	return verdict;
}

enum hm_verdict sgx_verify(const uint8_t *quote, size_t len,
    const struct sgx_collateral *collateral, const struct sgx_policy *policy,
    int64_t at_ms, struct sgx_result *out, const struct hm_report *report)
{
	struct sgx_judged j = {
	    .collateral = collateral,
	    .policy = policy,
	    .at_ms = at_ms,
	    .report = report,
	    .out = out,
	};
	enum hm_verdict verdict;

	memset(out, 0, sizeof(*out));
	out->complete = true;
	out->collateral_until_ms = INT64_MAX;
	out->tcb.status = out->module.status = out->qe.status = SGX_UNKNOWN;
	out->status = SGX_UNKNOWN;
	/* What OpenSSL notes on refusals is not the caller's concern. */
	ERR_set_mark();
	verdict = check_quote(&j, quote, len);
	sgx_pck_close(&j.pck);
	ERR_pop_to_mark();
	return verdict;
}
