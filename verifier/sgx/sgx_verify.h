/*
 * sgx_verify: is this quote good at that time? No I/O, no clock.
 *
 * The checks in their order, by the names that the report has; the first that
 * fails is the verdict:
 *
 *   quote                its form                           QUOTE_MALFORMED
 *   certificate_profile  the PCK's and its CA's             CERTIFICATE_PROFILE
 *   root                 one that the policy names          ROOT_UNTRUSTED
 *   chain                from it to the PCK certificate     CHAIN_BROKEN
 *   chain_time           both at that time                  CHAIN_EXPIRED ...
 *   qe_signature         the PCK's key signed the quoting
 *                        enclave's (QE's) report            QE_SIGNATURE
 *   attestation_key      which names that key               KEY_NOT_ATTESTED
 *   quote_signature      which signed the quote             DOCUMENT_SIGNATURE
 *   held_data            if asked for: report_data is its
 *                        SHA-256 and 32 zeros               HELD_DATA_MISMATCH
 *   debug                neither the enclave nor the QE     DEBUG_ENCLAVE
 *   root_crl, pck_crl    there, signed, of that time        COLLATERAL_...
 *   revoked              neither the PCK nor its CA         CERTIFICATE_REVOKED
 *   tcb_info             there, signed, of that time        COLLATERAL_...
 *   qe_identity          the same                           COLLATERAL_...
 *   quoting_enclave      is that one                        QE_IDENTITY
 *   tdx_module           is one of Intel's (TDX)            TDX_MODULE
 *   tcb_status           of platform, module and QE         TCB_STATUS
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
	bool allow_debug;    /* of the enclave; never of the QE */
	const uint8_t *held; /* NULL: not asked for */
	size_t held_len;
};

struct sgx_result { /* what was established, up to the check that failed */
	struct sgx_quote quote; /* slices of the caller's bytes */
	size_t root_index;
	struct sgx_platform platform;
	int64_t not_before_ms, not_after_ms; /* of the certificates */
	/* of the parts that were used the first end; INT64_MAX: none was */
	int64_t collateral_until_ms;
	bool complete; /* no part of the collateral was missing */
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
