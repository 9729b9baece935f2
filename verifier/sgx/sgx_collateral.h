/*
 * sgx_collateral: what a verifier keeps beside quotes: TCB info, identities of
 * quoting enclaves, revocation lists, and the certificates of their signer.
 * Intel renews all of it about once a month (the root's list once a year), so
 * it comes as files that somebody fetches, and each has its time.
 *
 * Files in any number, each in one of these forms:
 *
 *   {"tcbInfo":{...},"signature":hex}           as Intel's service answers
 *   {"enclaveIdentity":{...},"signature":hex}   the same
 *   -----BEGIN CERTIFICATE-----                 the chains that come in the
 *                                               headers of those, as they are
 *                                               (%20, %0A) or decoded
 *   -----BEGIN X509 CRL-----, DER or hex        a revocation list
 *   {"tcb_info":text,"tcb_info_signature":hex,  all in one, each optional, as
 *    "tcb_info_issuer_chain":PEM, ...           several libraries hand it out:
 *    "root_ca_crl":hex}                         also qe_identity..., pck_crl,
 *                                               pck_crl_issuer_chain
 *
 * What is signed is the object's text as it stands there, byte for byte.
 * Reading a file verifies nothing; of many parts a verification takes those
 * that are about its platform and hold at its time.
 */
#ifndef HALLMARK_VERIFIER_SGX_COLLATERAL_H
#define HALLMARK_VERIFIER_SGX_COLLATERAL_H

#include "verifier/sgx/sgx_tcb.h"

#define SGX_COLLATERAL_FILE_MAX  1048576
#define SGX_COLLATERAL_PARTS_MAX 256 /* platforms times months */

struct sgx_collateral;

struct sgx_collateral *sgx_collateral_new(void); /* NULL: no memory */
void sgx_collateral_free(struct sgx_collateral *collateral);

/* One file's bytes. 0, or -1: nothing of it was added and `error` says why. A
 * part that is there already, byte for byte, is not added again. */
HM_MUST_CHECK int sgx_collateral_add(struct sgx_collateral *collateral,
    const uint8_t *bytes, size_t len, char error[HM_TEXT_MAX]);

enum sgx_part_kind {
	SGX_PART_TCB_INFO,
	SGX_PART_QE_IDENTITY,
	SGX_PART_CRL,
	SGX_PART_SIGNER, /* of TCB infos and identities */
	SGX_PART_CA      /* of PCK certificates */
};

/* For people. */
struct sgx_part {
	enum sgx_part_kind kind;
	char what[HM_TEXT_MAX]; /* "TCB info of TDX platform 00806f050000" */
	int64_t not_before_ms, not_after_ms;
	enum hm_verdict verdict; /* see below */
};

/* How many parts there are. */
size_t sgx_collateral_count(const struct sgx_collateral *collateral);
/*
 * Part `index` < count, judged alone: HM_VALID, HM_COLLATERAL_SIGNATURE (no
 * root vouches for it), HM_COLLATERAL_EXPIRED, HM_COLLATERAL_NOT_YET_VALID,
 * HM_CERTIFICATE_REVOKED (its signer), HM_NO_MEMORY, or HM_COLLATERAL_MISSING:
 * the certificate that signs is not among the parts. That of a PCK CA need not
 * be: it is in each quote.
 */
void sgx_collateral_part(const struct sgx_collateral *collateral, size_t index,
    const struct sgx_root *roots, size_t root_count, int64_t at_ms,
    struct sgx_part *out);

#endif
