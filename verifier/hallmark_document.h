/*
 * Part of hallmark.h: attestation documents, those of AWS Nitro and the quotes
 * of Intel SGX and TDX, and the cache of those that were verified.
 */
#ifndef HALLMARK_DOCUMENT_H
#define HALLMARK_DOCUMENT_H

#include "hallmark_policy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- attestation cache ---- */

/* Verified documents by SHA-256 of their bytes, the least recently used goes
 * first. Only what does not depend on the policy's releases or on the time
 * asked about is cached (form, chain, signatures); all else is judged anew each
 * time, so an entry is of use until its chain expires, and longer for replay.
 * An entry serves only a policy that names its root. Only documents that were
 * found valid enter; beside them there is one place for the last one that was
 * not, so that a thousand items on it (of a release that the policy does not
 * name yet) cost its signatures once.
 *
 * So do their certificates, each known by its bytes and those of all above it
 * up to the root, at most 1024: of the next document under the same ones only
 * what is new has its signature verified. */
struct hm_cache;
HM_API struct hm_cache *hm_cache_new(
    size_t max_documents); /* NULL: no memory */
HM_API void hm_cache_free(struct hm_cache *cache);
struct hm_cache_stats {
	uint64_t hits, misses; /* of documents */
	size_t documents;      /* that were found valid */
	/* of the certificates of documents that were not there */
	uint64_t certificate_hits, certificate_misses;
	size_t certificates;
	/* P-384 verifications that succeeded: each link of a chain, and each
	 * document's own. A cold document of AWS's costs five. */
	uint64_t signatures;
};
HM_API void hm_cache_stats(
    const struct hm_cache *cache, struct hm_cache_stats *out);

/* ---- documents ---- */

struct hm_bytes { /* present distinguishes null from empty */
	bool present;
	size_t len;
	uint8_t bytes[HM_NONCE_MAX];
};

/* What a quote says, and what its collateral says of it. */
struct hm_quote {
	bool present;     /* else all is zero: it is another document */
	unsigned version; /* 3, 4, 5 */
	bool is_td;       /* TDX; else SGX */
	uint8_t mrenclave[HM_MRENCLAVE_LEN],
	    mrsigner[HM_MRENCLAVE_LEN];           /* SGX */
	uint16_t product_id, svn;                 /* SGX */
	uint8_t mrtd[HM_PCR_LEN];                 /* TDX */
	uint8_t rtmrs[HM_RTMR_COUNT][HM_PCR_LEN]; /* TDX */
	uint8_t report_data[64]; /* SHA-256 of what it was made for, zeros */
	/* Judged: Intel's word for the platform, "Unknown" if some of the
	 * collateral was missing; advisories: "INTEL-SA-00615 ..." */
	char tcb_status[40];
	char advisories[HM_TEXT_MAX];
	int64_t collateral_until_ms; /* INT64_MAX: there was none */
};

struct hm_document {
	uint8_t sha256[HM_SHA256_LEN];
	char
	    module_id[HM_TEXT_MAX]; /* of a quote "mrenclave-HEX", "mrtd-HEX" */
	char platform[16]; /* "aws-nitro", "simulated", "sgx-dcap", "tdx" */
	char root[HM_TEXT_MAX];    /* which root of the policy */
	char release[HM_TEXT_MAX]; /* which release matched */
	int64_t timestamp_ms;      /* signed by the hypervisor; a quote: 0 */
	int64_t not_before_ms;     /* latest notBefore of the chain */
	int64_t not_after_ms;      /* earliest notAfter of the chain */
	uint32_t pcr_mask;         /* which are in the document */
	uint8_t pcrs[HM_PCR_COUNT][HM_PCR_LEN];
	bool debug; /* PCR0, PCR1 or PCR2 is all zero */
	struct hm_bytes public_key, user_data, nonce; /* of a quote: none */
	/* Which of its oracle's keys in turn public_key is, from 1; as bound in
	 * user_data. 0: it does not say; each start has a key of its own. */
	uint64_t key_epoch;
	struct hm_quote quote;
};

/*
 * Live: is this document good at now_ms? The chain must be valid then and the
 * document at most max_age_s old. nonce: NULL or the bytes that it must hold;
 * an empty one never matches. Release windows are judged at now_ms.
 *
 * What is said first if several things are wrong: the form, the root, the
 * certificates and signatures, revocation, the times, debug, PCRs and window,
 * the nonce, the policy's nonce and user_data.
 *
 * `cache` may be NULL. On HM_VALID *out (may be NULL) is filled, else zeroed.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_document_verify_live(
    const struct hm_policy *policy, struct hm_cache *cache,
    const uint8_t *document, size_t len, int64_t now_ms, const uint8_t *nonce,
    size_t nonce_len, struct hm_document *out, const struct hm_report *report);

/*
 * A quote for `held` (NULL: whatever it was made for), at at_ms: report_data
 * must be SHA-256(held) and 32 zeros. A quote says neither when it was made nor
 * a nonce nor when its enclave started: how fresh it is only `held` can show,
 * and a policy that bounds the enclave's age or wants a nonce or user_data
 * refuses it. hm_document_verify_live() takes quotes as well, whatever they
 * were made for; hm_document_verify_replay() refuses them (DOCUMENT_TOO_OLD).
 *
 * The names of the report: document_time, quote, certificate_profile, root,
 * chain, chain_time, qe_signature, attestation_key, quote_signature, held_data,
 * debug, root_crl, pck_crl, revoked, tcb_info, qe_identity, quoting_enclave,
 * tdx_module, tcb_status, policy_revoked, enclave_age, booted_after, nonce,
 * policy_nonce, policy_user_data, policy_key_epoch, mrenclave, mrsigner, mrtd,
 * rtmr0 ... rtmr3, product_id, svn, release.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_quote_verify(
    const struct hm_policy *policy, struct hm_cache *cache,
    const uint8_t *quote, size_t len, int64_t at_ms, const uint8_t *held,
    size_t held_len, struct hm_document *out, const struct hm_report *report);

/* Replay: was it good at its own signed timestamp? Proves no freshness. Release
 * windows are judged at that timestamp too. */
HM_API HM_MUST_CHECK enum hm_verdict hm_document_verify_replay(
    const struct hm_policy *policy, struct hm_cache *cache,
    const uint8_t *document, size_t len, const uint8_t *nonce, size_t nonce_len,
    struct hm_document *out, const struct hm_report *report);

/*
 * Does a document with this nonce answer `nonce`? Either it is that nonce
 * (size 0, no path), or the root of a tree (RFC 6962, 2.1, with SHA-256) of
 * which the nonce is leaf `index` of `size`, by `path` (2.1.1): an oracle that
 * is asked by many at once has one document made for all of them. HM_VALID or
 * HM_NONCE_MISMATCH; any numbers and bytes are safe. The document itself is
 * judged as above, with nonce NULL, and its nonce is in *out.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_nonce_verify(
    const uint8_t *document_nonce, size_t document_nonce_len,
    const uint8_t *nonce, size_t nonce_len, uint64_t index, uint64_t size,
    const uint8_t (*path)[HM_SHA256_LEN], size_t path_len);

/* What a document says, judging nothing but its form (inspect): platform, root
 * and release are empty, and the chain's bounds are 0 if its certificates
 * break the profile. */
HM_API HM_MUST_CHECK enum hm_verdict hm_document_read(
    const uint8_t *document, size_t len, struct hm_document *out);

#ifdef __cplusplus
}
#endif

#endif
