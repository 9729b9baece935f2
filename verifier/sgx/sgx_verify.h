/*
 * sgx_verify: is this quote good at that time? No I/O, no clock.
 *
 * The checks in their order, by the names that the report has; the first that
 * fails is the verdict:
 *
 *   quote               form                               QUOTE_MALFORMED
 *   root, certificate_profile, chain   the PCK's           as for Nitro
 *   chain_time          its certificates at that time      CHAIN_EXPIRED ...
 *   qe_signature        the PCK key signed the QE's report  QE_SIGNATURE
 *   attestation_key     the QE's report names that key      KEY_NOT_ATTESTED
 *   quote_signature     and that key signed the quote       DOCUMENT_SIGNATURE
 *   held_data           report_data is SHA-256(held) and 32 zeros, if asked
 *                                                           HELD_DATA_MISMATCH
 *   debug               neither the enclave nor the QE      DEBUG_ENCLAVE
 *   root_crl, pck_crl   there, signed, of that time         COLLATERAL_*
 *   revoked             neither the PCK nor its CA          CERTIFICATE_REVOKED
 *   tcb_info            there, signed, of that time         COLLATERAL_*
 *   qe_identity         the same, and the QE is that one    QE_IDENTITY
 *   tdx_module          one that Intel signed (TDX)         TDX_MODULE
 *   tcb_status          of platform, module and QE          TCB_STATUS
 *
 * Which code runs in there (MRENCLAVE, MRTD ...) is the caller's to judge.
 */
#ifndef HALLMARK_VERIFIER_SGX_VERIFY_H
#define HALLMARK_VERIFIER_SGX_VERIFY_H

#include "verifier/sgx/sgx_collateral.h"

struct sgx_policy { /* all borrowed */
	const struct sgx_root *roots;
	size_t root_count;
	unsigned statuses; /* 1u << enum sgx_status, of the accepted ones */
	/* A part that is missing is passed over, and the report says so; what
	 * is there counts. Without an identity the QE must be one of Intel's
	 * two by its signer and product. */
	bool insecure_without_collateral;
	bool allow_debug;
	const uint8_t *held; /* NULL: not asked for */
	size_t held_len;
};

struct sgx_result { /* what was established, up to the check that failed */
	struct sgx_quote quote; /* slices of the caller's bytes */
	size_t root_index;
	struct sgx_platform platform;
	int64_t not_before_ms, not_after_ms; /* of the certificates */
	/* the part that ends first; INT64_MAX: none was needed */
	int64_t collateral_until_ms;
	bool complete; /* no part was missing */
	/* SGX_UNKNOWN until judged, and where there was nothing to judge by */
	struct sgx_level tcb, module, qe;
	char module_name[32];   /* "": an enclave's quote */
	enum sgx_status status; /* all of them */
};

/* collateral: NULL is like an empty one. */
HM_MUST_CHECK enum hm_verdict sgx_verify(const uint8_t *quote, size_t len,
    const struct sgx_collateral *collateral, const struct sgx_policy *policy,
    int64_t at_ms, struct sgx_result *out, const struct hm_report *report);

#endif
