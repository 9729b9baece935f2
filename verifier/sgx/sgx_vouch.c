/* sgx_vouch: see sgx_vouch.h. */
#include "verifier/sgx/sgx_vouch.h"

#include "feeds/check.h"

#include <string.h>

bool sgx_vouch_revokes(X509_CRL *crl, const struct cert *cert)
{
	X509_REVOKED *entry;

	/* Whatever the entry says, also "removed": Intel's lists are whole, so
	 * what is on them is revoked. */
	return REFUSE(
	    crl_revokes, X509_CRL_get0_by_serial(crl, &entry,
			     X509_get0_serialNumber(cert->x509)) != 0);
}

/* RFC 5280, 5.1.2.5: by nextUpdate there is another list; so for the rest. */
static enum hm_verdict judge_time(const struct sgx_stored *part, int64_t at_ms)
{
	if (REFUSE(collateral_early, at_ms < part->from_ms))
		return HM_COLLATERAL_NOT_YET_VALID;
	if (REFUSE(collateral_late, at_ms >= part->until_ms))
		return HM_COLLATERAL_EXPIRED;
	return HM_VALID;
}

enum hm_verdict sgx_vouch_cert(
    const struct sgx_stored *part, const struct sgx_anchor *anchor)
{
	if (REFUSE(signer_signature,
		X509_verify(part->cert.x509, anchor->root) != 1))
		return HM_COLLATERAL_SIGNATURE;
	if (anchor->root_crl != NULL)
		if (REFUSE(signer_revoked,
			sgx_vouch_revokes(anchor->root_crl, &part->cert)))
			return HM_CERTIFICATE_REVOKED;
	return judge_time(part, anchor->at_ms);
}

/* Intel's key has two certificates, for one time after the other. What is wrong
 * with a signer that does not fit is told if none does. */
enum hm_verdict sgx_vouch_signed(const struct sgx_collateral *collateral,
    const struct sgx_stored *part, const struct sgx_anchor *anchor)
{
	const struct slice text = {part->bytes, part->len};
	enum hm_verdict verdict = HM_COLLATERAL_MISSING;

	for (size_t i = 0; i < collateral->count; i++) {
		const struct sgx_stored *signer = &collateral->parts[i];
		enum hm_verdict found;

		if (signer->kind != SGX_PART_SIGNER)
			continue;
		found = sgx_vouch_cert(signer, anchor);
		if (found == HM_VALID)
			found = sgx_p256_verify(
			    X509_get0_pubkey(signer->cert.x509), text,
			    part->signature, HM_COLLATERAL_SIGNATURE);
		if (found == HM_VALID)
			return judge_time(part, anchor->at_ms);
		if (verdict == HM_COLLATERAL_MISSING ||
		    verdict == HM_COLLATERAL_SIGNATURE)
			verdict = found;
	}
	return verdict;
}

enum hm_verdict sgx_vouch_crl(
    const struct sgx_stored *part, EVP_PKEY *key, int64_t at_ms)
{
	if (REFUSE(crl_signature, X509_CRL_verify(part->crl, key) != 1))
		return HM_COLLATERAL_SIGNATURE;
	return judge_time(part, at_ms);
}

static bool is_about(
    const struct sgx_tcb_about *about, const struct sgx_wanted *wanted)
{
	const struct sgx_platform *platform = wanted->platform;
	int family = memcmp(about->fmspc, platform->fmspc, SGX_FMSPC_LEN);
	int pce = memcmp(about->pceid, platform->pceid, SGX_PCEID_LEN);

	return REQUIRE(tcb_info_tee, about->is_td == wanted->is_td) &&
	       REQUIRE(tcb_info_fmspc, family == 0) &&
	       REQUIRE(tcb_info_pceid, pce == 0);
}

static bool is_wanted(
    const struct sgx_stored *part, const struct sgx_wanted *wanted)
{
	const X509_NAME *issuer;

	if (part->kind != wanted->kind)
		return false; /* unnamed: read as another */
	switch (part->kind) {
	case SGX_PART_TCB_INFO:
		return is_about(sgx_tcb_info_about(part->tcb), wanted);
	case SGX_PART_QE_IDENTITY:
		return REQUIRE(identity_tee,
		    sgx_qe_identity_about(part->qe)->is_td == wanted->is_td);
	default:
		issuer = X509_CRL_get_issuer(part->crl);
		return REQUIRE(
		    crl_issuer, X509_NAME_cmp(issuer, wanted->issuer) == 0);
	}
}

enum hm_verdict sgx_vouch(const struct sgx_collateral *collateral,
    const struct sgx_wanted *wanted, const struct sgx_anchor *anchor,
    const struct sgx_stored **out)
{
	enum hm_verdict verdict = HM_COLLATERAL_MISSING;
	size_t count = collateral != NULL ? collateral->count : 0;

	*out = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct sgx_stored *part = &collateral->parts[i];
		enum hm_verdict found;

		if (!is_wanted(part, wanted))
			continue;
		if (part->kind == SGX_PART_CRL)
			found = sgx_vouch_crl(
			    part, wanted->crl_key, anchor->at_ms);
		else
			found = sgx_vouch_signed(collateral, part, anchor);
		if (found == HM_VALID &&
		    (*out == NULL || part->from_ms > (*out)->from_ms))
			*out = part;
		if (verdict == HM_COLLATERAL_MISSING)
			verdict = found;
	}
	return *out != NULL ? HM_VALID : verdict;
}
