/*
 * sgx_vouch: of all collateral, the parts that a verification needs: about this
 * platform, signed under this root, of this time. Of several that fit, the one
 * that was issued last; of several that do not, the first one's verdict.
 *
 * HM_VALID, HM_COLLATERAL_MISSING (none is about that),
 * HM_COLLATERAL_SIGNATURE, HM_COLLATERAL_EXPIRED, HM_COLLATERAL_NOT_YET_VALID,
 * HM_CERTIFICATE_REVOKED (the signer's) or HM_NO_MEMORY; *out is NULL but for
 * HM_VALID.
 */
#ifndef HALLMARK_VERIFIER_SGX_VOUCH_H
#define HALLMARK_VERIFIER_SGX_VOUCH_H

#include "verifier/sgx/sgx_stored.h"

struct sgx_wanted {
	enum sgx_part_kind kind; /* CRL, TCB_INFO or QE_IDENTITY */
	bool is_td;
	const struct sgx_platform *platform; /* of a TCB info */
	const X509_NAME *issuer;             /* of a CRL, and */
	EVP_PKEY *crl_key;                   /* its key */
};

/* Under which root, and when. */
struct sgx_anchor {
	EVP_PKEY *root;
	X509_CRL *root_crl; /* NULL: not known; for the signers */
	int64_t at_ms;
};

HM_MUST_CHECK enum hm_verdict sgx_vouch(const struct sgx_collateral *collateral,
    const struct sgx_wanted *wanted, const struct sgx_anchor *anchor,
    const struct sgx_stored **out);

/* Each part alone: a certificate that the root signed, an object that one of
 * the signers at hand signed, a list that this key signed. */
HM_MUST_CHECK enum hm_verdict sgx_vouch_cert(
    const struct sgx_stored *part, const struct sgx_anchor *anchor);
HM_MUST_CHECK enum hm_verdict sgx_vouch_signed(
    const struct sgx_collateral *collateral, const struct sgx_stored *part,
    const struct sgx_anchor *anchor);
HM_MUST_CHECK enum hm_verdict sgx_vouch_crl(
    const struct sgx_stored *part, EVP_PKEY *key, int64_t at_ms);

/* Whether that list has this certificate. */
bool sgx_vouch_revokes(X509_CRL *crl, const struct cert *cert);

#endif
