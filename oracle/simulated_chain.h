/*
 * simulated_chain: the certificates of a simulated enclave, five P-384 levels
 * with the profile of AWS's own (measured on public documents, which AWS
 * nitro-enclaves-nsm-api, attestation_process.md 3.2.3, describes in words):
 *
 *   root -> regional -> zonal -> instance -> leaf
 *   30 y    20 d 1 h    6 d      24 h        3 h 0 m 3 s
 *
 * The root is the caller's (simulated_root.h) and stays. The others are made
 * by simulated_chain_renew(), from the leaf upwards as far as is needed for
 * nothing to outlive what signed it. notBefore is a minute back, for clocks
 * that are a little behind ours. No clock here: the time comes in.
 */
#ifndef HALLMARK_ORACLE_SIMULATED_CHAIN_H
#define HALLMARK_ORACLE_SIMULATED_CHAIN_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stddef.h>
#include <stdint.h>

#define SIMULATED_CHAIN_REGION     "simulated-1"
#define SIMULATED_CHAIN_CERT_MAX   1024 /* attestation_process.md: cert */
#define SIMULATED_CHAIN_MODULE_MAX 48   /* i-<17 hex>-enc<16 hex> and a NUL */
#define SIMULATED_CHAIN_BACKDATE_S 60
#define SIMULATED_CHAIN_MARGIN_S   600 /* a leaf is not used to its end */

enum simulated_chain_level {
	SIMULATED_CHAIN_ROOT,
	SIMULATED_CHAIN_REGIONAL,
	SIMULATED_CHAIN_ZONAL,
	SIMULATED_CHAIN_INSTANCE,
	SIMULATED_CHAIN_LEAF,
	SIMULATED_CHAIN_LEVELS
};

struct simulated_chain_link {
	X509 *cert;    /* owned */
	EVP_PKEY *key; /* owned */
	int64_t not_before_s, not_after_s;
	uint8_t der[SIMULATED_CHAIN_CERT_MAX];
	size_t der_len;
};

struct simulated_chain {
	char module_id[SIMULATED_CHAIN_MODULE_MAX];
	struct simulated_chain_link links[SIMULATED_CHAIN_LEVELS];
};

/* A new self-signed root and its key. 0 or -1, then *out is empty. */
__attribute__((warn_unused_result)) int simulated_chain_make_root(
    struct simulated_chain_link *out, int64_t now_s);

/* Takes the root's cert and key over (and empties *root). The module_id holds
 * started_ms, as a real one does. 0 or -1 (no random bytes, no memory). */
__attribute__((warn_unused_result)) int simulated_chain_init(
    struct simulated_chain *chain, struct simulated_chain_link *root,
    int64_t started_ms);
void simulated_chain_fini(struct simulated_chain *chain);

/* Sees to it that the leaf is good for SIMULATED_CHAIN_MARGIN_S from now on.
 * 0; -1: the root does not last long enough, or no memory; the chain is then
 * as it was. */
__attribute__((warn_unused_result)) int simulated_chain_renew(
    struct simulated_chain *chain, int64_t now_s);

/* Fills der and the times of a link whose cert is set. 0, or -1 if it is over
 * SIMULATED_CHAIN_CERT_MAX or its times cannot be read. */
__attribute__((warn_unused_result)) int simulated_chain_describe(
    struct simulated_chain_link *link);
void simulated_chain_link_fini(struct simulated_chain_link *link);

#endif
