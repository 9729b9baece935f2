/*
 * sgx_pck: the certificates behind a quote. The PCK certificate names the
 * platform: an extension of Intel's (OID 1.2.840.113741.1.13.1, "Intel SGX PCK
 * Certificate and Certificate Revocation List Profile Specification") says
 * which and how well patched it is. An "Intel SGX PCK Platform CA" or
 * "... Processor CA" signed it, and that one Intel's root.
 *
 * The root is a key, not a certificate: Intel has renewed the certificate of
 * the same key, and the copy in the quote is not looked at but to say whether
 * it is a root that the policy names.
 */
#ifndef HALLMARK_VERIFIER_SGX_PCK_H
#define HALLMARK_VERIFIER_SGX_PCK_H

#include "verifier/cert.h"
#include "verifier/sgx/sgx_p256.h"
#include "verifier/sgx/sgx_quote.h"

#define SGX_FMSPC_LEN 6
#define SGX_PCEID_LEN 2

struct sgx_root {
	const char *name; /* borrowed */
	uint8_t point[SGX_POINT_LEN];
};

/* "intel-sgx": the key of "Intel SGX Root CA". */
extern const struct sgx_root sgx_intel_root;

/* A platform, as its PCK certificate describes it. */
struct sgx_platform {
	uint8_t fmspc[SGX_FMSPC_LEN]; /* family, model, stepping ... */
	uint8_t pceid[SGX_PCEID_LEN]; /* as written, big-endian */
	uint8_t components[SGX_SVN_COUNT];
	uint16_t pcesvn;
	bool by_platform_ca; /* else by the Processor CA */
};

struct sgx_pck {
	struct cert leaf, ca; /* owned */
	EVP_PKEY *root;       /* owned */
	size_t root_index;    /* which of the roots given */
	struct sgx_platform platform;
	int64_t not_before_ms, not_after_ms; /* of both */
};

/*
 * Reads the PEM text and verifies the path from one of the roots. Times and
 * revocation are the caller's to judge. HM_VALID, HM_CERTIFICATE_PROFILE (the
 * PEM, a certificate, the extension), HM_ROOT_UNTRUSTED, HM_CHAIN_BROKEN or
 * HM_NO_MEMORY; then nothing is owned. `why` gets a static text.
 */
HM_MUST_CHECK enum hm_verdict sgx_pck_open(struct sgx_pck *out,
    struct slice pem, const struct sgx_root *roots, size_t root_count,
    const char **why);
void sgx_pck_close(struct sgx_pck *pck);

/* One of the two CAs of PCK certificates, by its name and its rights. */
bool sgx_is_pck_ca(const struct cert *cert, bool *by_platform_ca);

#endif
