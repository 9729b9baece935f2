/*
 * sgx_quote: the form of a DCAP quote (Intel, "Intel SGX ECDSA
 * QuoteLibReference DCAP API", appendix A; "Intel TDX DCAP: Quote Generation
 * Library and Quote Verification Library", appendix A): versions 3, 4 and 5
 * with an ECDSA-P256 attestation key, of an SGX enclave or of a trust domain
 * (TDX). Reads nothing but the bytes; judges no signature and no certificate.
 *
 *   header 48 | body | u32 length | signature 64, key 64, QE report ... PEM
 *
 * Integers are little-endian. What no signature covers has one form only: each
 * length is exact, the only types are those that Intel's enclaves write, and
 * behind the quote may be zeros (some platforms hand out a fixed size) and
 * nothing else. ECDSA's second signature (r, n - s) is a signature as well:
 * never take a quote's hash for an identity.
 */
#ifndef HALLMARK_VERIFIER_SGX_QUOTE_H
#define HALLMARK_VERIFIER_SGX_QUOTE_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"

#define SGX_REPORT_LEN      384
#define SGX_TD10_LEN        584
#define SGX_TD15_LEN        648
#define SGX_REPORT_DATA_LEN 64
#define SGX_SVN_COUNT       16   /* components of a TCB */
#define SGX_QE_AUTH_MAX     1024 /* Intel's QE: 32 */
#define SGX_QUOTE_MAX       HM_DOCUMENT_MAX

#define SGX_FLAG_INIT  0x01u
#define SGX_FLAG_DEBUG 0x02u

/* An enclave's report (Intel SDM, vol. 3D, table 38-21). */
struct sgx_report {
	uint8_t cpusvn[SGX_SVN_COUNT];
	uint8_t misc_select[4]; /* as in memory */
	uint8_t attributes[16]; /* FLAGS and XFRM, as in memory */
	uint64_t flags;         /* the first half of them */
	uint8_t mrenclave[32], mrsigner[32];
	uint8_t config_id[64], isv_ext_prod_id[16], isv_family_id[16];
	uint16_t isv_prod_id, isv_svn, config_svn;
	uint8_t report_data[SGX_REPORT_DATA_LEN];
};

/* A trust domain's report, TD 1.0 or 1.5. */
struct sgx_td {
	uint8_t tee_tcb_svn[SGX_SVN_COUNT];
	uint8_t mrseam[48], mrsignerseam[48];
	uint8_t seam_attributes[8], td_attributes[8], xfam[8];
	uint8_t mrtd[48], mrconfigid[48], mrowner[48], mrownerconfig[48];
	uint8_t rtmrs[4][48];
	uint8_t report_data[SGX_REPORT_DATA_LEN];
	bool is_15; /* the two below are there */
	uint8_t tee_tcb_svn2[SGX_SVN_COUNT], mrservicetd[48];
};

struct sgx_quote {        /* slices of the quote's bytes */
	unsigned version; /* 3, 4, 5 */
	bool is_td;
	uint16_t qe_svn, pce_svn; /* 0 in a trust domain's */
	uint8_t user_data[20];
	struct sgx_report enclave; /* zeros if is_td */
	struct sgx_td td;          /* zeros unless is_td */
	/* of the one or the other */
	uint8_t report_data[SGX_REPORT_DATA_LEN];
	bool debug; /* its memory is open to the host */

	struct slice signed_part;
	struct slice signature;       /* r || s, by the attestation key */
	struct slice attestation_key; /* x || y, P-256 */
	struct slice qe_report;       /* 384 bytes */
	struct slice qe_signature;    /* r || s, by the PCK key */
	struct slice qe_auth;
	struct sgx_report qe; /* what qe_report says */
	struct slice pem;     /* the PCK certificate and those above it */
	size_t len;           /* without the zeros behind it */
};

/* HM_VALID, or HM_QUOTE_MALFORMED and *out zeroed. `why` (may be NULL) gets a
 * static text. */
HM_MUST_CHECK enum hm_verdict sgx_quote_parse(
    struct sgx_quote *out, const uint8_t *bytes, size_t len, const char **why);

#endif
