/* sgx_stored: one part of the collateral, read; what sgx_collateral keeps and
 * sgx_vouch judges. */
#ifndef HALLMARK_VERIFIER_SGX_STORED_H
#define HALLMARK_VERIFIER_SGX_STORED_H

#include "verifier/sgx/sgx_collateral.h"

struct sgx_stored {
	enum sgx_part_kind kind;
	uint8_t *bytes; /* the signed text, or the DER; owned */
	size_t len;
	int64_t from_ms, until_ms;
	/* by kind, the rest is zero; owned */
	uint8_t signature[SGX_SIGNATURE_LEN];
	struct sgx_tcb_info *tcb;
	struct sgx_qe_identity *qe;
	X509_CRL *crl;
	struct cert cert;
};

struct sgx_collateral {
	struct sgx_stored parts[SGX_COLLATERAL_PARTS_MAX];
	size_t count;
};

/* Each: 0, or -1, *out zeroed and `error` says why. */
HM_MUST_CHECK int sgx_stored_tcb_info(struct sgx_stored *out, struct slice text,
    const char *signature, char error[HM_TEXT_MAX]);
HM_MUST_CHECK int sgx_stored_qe_identity(struct sgx_stored *out,
    struct slice text, const char *signature, char error[HM_TEXT_MAX]);
HM_MUST_CHECK int sgx_stored_crl(
    struct sgx_stored *out, struct slice der, char error[HM_TEXT_MAX]);
/* Of a certificate that is not kept (a root), 0 and out->bytes is NULL. */
HM_MUST_CHECK int sgx_stored_cert(
    struct sgx_stored *out, struct slice der, char error[HM_TEXT_MAX]);
void sgx_stored_fini(struct sgx_stored *part);

#endif
