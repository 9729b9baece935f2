/*
 * libhallmark: checks attestation documents (AWS Nitro's, and the quotes of
 * Intel SGX and TDX) and the price items that stand on them. Pure: no I/O, no
 * clock, no globals; the time and every byte come in as arguments. Not
 * thread-safe for one policy or cache at once.
 *
 * There is no policy that accepts by default: a policy without a root and a
 * release is refused by hm_policy_check(), and every verify function answers
 * HM_POLICY_EMPTY for it.
 *
 * Sources of the rules: AWS nitro-enclaves-nsm-api docs/attestation_process.md
 * ("S1"), RFC 9052 (COSE), RFC 8949 (CBOR), RFC 5280 (X.509), RFC 8017 (RSA).
 */
#ifndef HALLMARK_H
#define HALLMARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HM_MUST_CHECK __attribute__((warn_unused_result))
#define HM_API        __attribute__((visibility("default")))

#define HM_SHA256_LEN   32
#define HM_PCR_LEN      48 /* SHA-384 */
#define HM_PCR_COUNT    32
#define HM_DOCUMENT_MAX 20480  /* bytes of a document; real ones: < 8 KiB */
#define HM_ENVELOPE_MAX 131072 /* bytes of an item with its document */
#define HM_NONCE_MAX    1024
#define HM_TEXT_MAX     160

/*
 * Every answer there is. class: what the command line's exit code is made of
 * (0 valid, 2 malformed, 3 signature, 4 chain, 5 policy, 6 time, 7 debug,
 * 8 sequence). The names are stable and the same in library, daemon, command
 * line, HTTP and metrics.
 */
#define HM_VERDICTS(X)                                             \
	X(VALID, "valid", 0)                                       \
	X(ENVELOPE_MALFORMED, "envelope_malformed", 2)             \
	X(CONTENT_MALFORMED, "content_malformed", 2)               \
	X(COSE_MALFORMED, "cose_malformed", 2)                     \
	X(DOCUMENT_MALFORMED, "document_malformed", 2)             \
	X(NOT_AN_ENCLAVE, "not_an_enclave", 2)                     \
	X(QUOTE_MALFORMED, "quote_malformed", 2)                   \
	X(NO_MEMORY, "no_memory", 2)                               \
	X(DOCUMENT_SIGNATURE, "document_signature", 3)             \
	X(ITEM_SIGNATURE, "item_signature", 3)                     \
	X(KEY_NOT_ATTESTED, "key_not_attested", 3)                 \
	X(CONTENT_NOT_ATTESTED, "content_not_attested", 3)         \
	X(QE_SIGNATURE, "qe_signature", 3)                         \
	X(ATTESTATION_MISSING, "attestation_missing", 3)           \
	X(ATTESTATION_MISMATCH, "attestation_mismatch", 3)         \
	X(ROOT_UNTRUSTED, "root_untrusted", 4)                     \
	X(CHAIN_BROKEN, "chain_broken", 4)                         \
	X(CERTIFICATE_PROFILE, "certificate_profile", 4)           \
	X(CERTIFICATE_REVOKED, "certificate_revoked", 4)           \
	X(COLLATERAL_SIGNATURE, "collateral_signature", 4)         \
	X(POLICY_EMPTY, "policy_empty", 5)                         \
	X(PCR_MISMATCH, "pcr_mismatch", 5)                         \
	X(RELEASE_WINDOW, "release_window", 5)                     \
	X(PLATFORM_MISMATCH, "platform_mismatch", 5)               \
	X(NONCE_MISMATCH, "nonce_mismatch", 5)                     \
	X(USER_DATA_MISMATCH, "user_data_mismatch", 5)             \
	X(REQUEST_MISMATCH, "request_mismatch", 5)                 \
	X(HELD_DATA_MISMATCH, "held_data_mismatch", 5)             \
	X(MEASUREMENT_MISMATCH, "measurement_mismatch", 5)         \
	X(COLLATERAL_MISSING, "collateral_missing", 5)             \
	X(QE_IDENTITY, "qe_identity", 5)                           \
	X(TDX_MODULE, "tdx_module", 5)                             \
	X(TCB_STATUS, "tcb_status", 5)                             \
	X(QUORUM_MISSING, "quorum_missing", 5)                     \
	X(CHAIN_EXPIRED, "chain_expired", 6)                       \
	X(CHAIN_NOT_YET_VALID, "chain_not_yet_valid", 6)           \
	X(COLLATERAL_EXPIRED, "collateral_expired", 6)             \
	X(COLLATERAL_NOT_YET_VALID, "collateral_not_yet_valid", 6) \
	X(DOCUMENT_TOO_OLD, "document_too_old", 6)                 \
	X(DOCUMENT_IN_FUTURE, "document_in_future", 6)             \
	X(ENCLAVE_TOO_OLD, "enclave_too_old", 6)                   \
	X(ITEM_EXPIRED, "item_expired", 6)                         \
	X(ITEM_TOO_OLD, "item_too_old", 6)                         \
	X(ITEM_IN_FUTURE, "item_in_future", 6)                     \
	X(ITEM_BEFORE_DOCUMENT, "item_before_document", 6)         \
	X(ITEM_AFTER_CHAIN, "item_after_chain", 6)                 \
	X(DEBUG_ENCLAVE, "debug_enclave", 7)                       \
	X(SEQUENCE_GAP, "sequence_gap", 8)                         \
	X(SEQUENCE_REPLAY, "sequence_replay", 8)                   \
	X(SEQUENCE_FORK, "sequence_fork", 8)                       \
	X(TIME_REGRESSION, "time_regression", 8)                   \
	X(LOG_GAP, "log_gap", 8)                                   \
	X(LOG_FORK, "log_fork", 8)                                 \
	X(LOG_PROOF, "log_proof", 8)

enum hm_verdict {
#define HM_VERDICT_ENUM(c, name, exit_class) HM_##c,
	HM_VERDICTS(HM_VERDICT_ENUM)
#undef HM_VERDICT_ENUM
	HM_VERDICT_COUNT
};

/* "item_signature"; never NULL. */
HM_API const char *hm_verdict_name(enum hm_verdict verdict);
/* 0 or 2..8, see above. */
HM_API int hm_verdict_class(enum hm_verdict verdict);

/*
 * What was checked, one call for each check in order, the failed one last:
 * `check` is a stable name ("chain", "pcr0"); wanted and found are texts for
 * people, NULL where there is nothing to say. All borrowed for the call.
 *
 * The names in their order; an item has those of its document in between, and
 * what was not asked for is left out: envelope, content, attestation_hash
 * (attestation, if there is none) | cose, document, root, certificate_profile,
 * chain, document_signature, revoked, chain_time (live: twice, now and at the
 * document's timestamp), document_time, enclave_age, booted_after, debug,
 * pcr0 ... pcr31, release, nonce, policy_nonce, policy_user_data | platform,
 * public_key, item_signature (attested_content), user_data, published, expires,
 * quorum (if one is asked for, or co-signatures are there), or of a fetched
 * answer request. "policy" alone: the policy cannot be used.
 */
typedef void (*hm_report_cb)(void *data, const char *check, bool passed,
    const char *wanted, const char *found);
struct hm_report {
	hm_report_cb cb; /* NULL: nobody listens */
	void *data;
};

/* ---- policy ---- */

struct hm_policy;

HM_API struct hm_policy *hm_policy_new(void); /* empty; NULL: no memory */
HM_API void hm_policy_free(struct hm_policy *policy);

/*
 * Reads a policy file's text (README, "The policy"). Unknown keys, duplicates
 * and wrong types are refused; `error` then says what and where. Root files
 * that it names are not read here: ask hm_policy_root_file(policy, 0, 1, ...)
 * until NULL and hand each file's bytes to hm_policy_add_root_pem().
 * Returns 0 or -1 and then *out is NULL.
 */
HM_API HM_MUST_CHECK int hm_policy_parse(struct hm_policy **out,
    const char *json, size_t len, char error[HM_TEXT_MAX]);
HM_API const char *hm_policy_root_file(
    const struct hm_policy *policy, size_t index);

/* One PEM certificate, self-signed. With a P-384 key it is a root of documents:
 * one whose subject common name starts with "simulated." speaks for platform
 * "simulated", any other for "aws-nitro". With a P-256 key it is a root of
 * quotes, in Intel's place. One that is called like a known root and is another
 * is refused. 0 or -1. */
HM_API HM_MUST_CHECK int hm_policy_add_root_pem(
    struct hm_policy *policy, const char *pem, size_t len);
/* A root that the library knows: "aws-nitro-g1"; "intel-sgx", for quotes. 0 or
 * -1. */
HM_API HM_MUST_CHECK int hm_policy_add_root_name(
    struct hm_policy *policy, const char *name);
/* A release, then its PCRs; the values of one index of one release are
 * alternatives. Windows in Unix ms, INT64_MIN and INT64_MAX for none. Returns
 * the release's number or -1. */
HM_API HM_MUST_CHECK int hm_policy_add_release(struct hm_policy *policy,
    const char *name, int64_t not_before_ms, int64_t not_after_ms);
HM_API HM_MUST_CHECK int hm_policy_add_pcr(struct hm_policy *policy,
    int release, unsigned index, const uint8_t value[HM_PCR_LEN]);
HM_API void hm_policy_set_ages(struct hm_policy *policy, int64_t max_age_s,
    int64_t max_future_s); /* -1 (and whatever is out of range) keeps;
			      defaults 300 and 5 */
HM_API void hm_policy_insecure_allow_debug(struct hm_policy *policy);
/* An item must carry good co-signatures of so many enclaves besides the one
 * that published it: 0 (default) to HM_COSIGNATURES_MAX. 0 or -1. */
HM_API HM_MUST_CHECK int hm_policy_set_quorum(
    struct hm_policy *policy, int64_t enclaves);

/*
 * For the quotes of SGX enclaves and TDX domains. A release is of one
 * platform: it has PCRs, or one or several MRENCLAVEs (alternatives), or one
 * MRSIGNER with a product and the least security version, or MRTDs with the
 * values of any of RTMR0 to RTMR3 (alternatives each; MRTD alone pins the
 * firmware, and any kernel will do). 0 or -1.
 */
#define HM_MRENCLAVE_LEN 32
#define HM_RTMR_COUNT    4
HM_API HM_MUST_CHECK int hm_policy_add_mrenclave(struct hm_policy *policy,
    int release, const uint8_t value[HM_MRENCLAVE_LEN]);
HM_API HM_MUST_CHECK int hm_policy_add_mrsigner(struct hm_policy *policy,
    int release, const uint8_t value[HM_MRENCLAVE_LEN], uint16_t product_id,
    uint16_t min_svn);
HM_API HM_MUST_CHECK int hm_policy_add_mrtd(
    struct hm_policy *policy, int release, const uint8_t value[HM_PCR_LEN]);
HM_API HM_MUST_CHECK int hm_policy_add_rtmr(struct hm_policy *policy,
    int release, unsigned index, const uint8_t value[HM_PCR_LEN]);

/* How well patched a platform must be: "UpToDate" (the default, until the first
 * call), "SWHardeningNeeded", "ConfigurationNeeded" ..., as Intel names it. 0,
 * or -1: no such status, or "Revoked". */
HM_API HM_MUST_CHECK int hm_policy_accept_tcb(
    struct hm_policy *policy, const char *status);

/* Collateral: what Intel says of platforms and revocations, as files (README,
 * "SGX and TDX"). A policy's are asked for and handed over as its root files
 * are. 0; or -1, nothing is added and `error` says why. */
#define HM_COLLATERAL_MAX 1048576 /* bytes of a file */
HM_API const char *hm_policy_collateral_file(
    const struct hm_policy *policy, size_t index);
HM_API HM_MUST_CHECK int hm_policy_add_collateral(struct hm_policy *policy,
    const uint8_t *bytes, size_t len, char error[HM_TEXT_MAX]);
/* Without a part of it that part is not judged. What is there counts. */
HM_API void hm_policy_insecure_without_collateral(struct hm_policy *policy);

/* 0 if it can be used; -1 and what is wrong: no root, no release, a release
 * that pins none of PCR0, PCR1, PCR2 and no MRENCLAVE, MRSIGNER or MRTD, or is
 * of two platforms, or a root that the policy revokes. */
HM_API HM_MUST_CHECK int hm_policy_check(
    const struct hm_policy *policy, char error[HM_TEXT_MAX]);

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
 * policy_nonce, policy_user_data, mrenclave, mrsigner, mrtd, rtmr0 ... rtmr3,
 * product_id, svn, release.
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

/* ---- items ---- */

#define HM_COSIGNATURES_MAX 4 /* of one item: each is up to 13 KiB */

/* The outer JSON of an item (envelope.h of this project writes it). All
 * pointers are owned by the envelope. */
struct hm_envelope {
	char *content; /* the signed bytes */
	size_t content_len;
	uint8_t *signature;
	size_t signature_len;
	char *public_key; /* PEM text as sent */
	char platform[16];
	uint8_t attestation_sha256[HM_SHA256_LEN];
	uint8_t *document; /* NULL in the reference form */
	size_t document_len;
	/* Other enclaves' word on this item: envelopes themselves, without
	 * any in them. Only a policy with a quorum looks at them. */
	struct hm_envelope *cosignatures;
	size_t cosignature_count;
};

/* Strict JSON: the seven keys of README "The item", each once, no other,
 * canonical base64. HM_VALID or HM_ENVELOPE_MALFORMED, then *out is zeroed. */
HM_API HM_MUST_CHECK enum hm_verdict hm_envelope_parse(
    struct hm_envelope *out, const char *json, size_t len);
HM_API void hm_envelope_fini(struct hm_envelope *envelope);

/* Gives a document (copied, judged when the item is) to the envelope and to
 * those of its co-signatures that name its SHA-256 and have none: for what
 * came in the reference form. How many took it; -1: no memory, no document. */
HM_API int hm_envelope_supply(
    struct hm_envelope *envelope, const uint8_t *document, size_t len);

/* What the verified content says, for users who do not parse it. */
struct hm_item {
	char feed[32];
	uint8_t boot_id[16];
	uint64_t sequence;
	bool ok;                        /* false: signed "unavailable" */
	char price[64], confidence[64]; /* decimal texts, "" if not ok */
	char reason[32];                /* "" if ok */
	int64_t published_ms, expires_ms;
	unsigned sources_used, sources_total;
	/* Other enclaves whose co-signatures were found good; counted if the
	 * policy has a quorum or somebody listens to the report. */
	unsigned cosigners;
	uint8_t content_sha256[HM_SHA256_LEN];
	uint8_t previous_sha256[HM_SHA256_LEN];
	uint8_t config_sha256[HM_SHA256_LEN];
	struct hm_document document;
};

/*
 * Live: may a relayer use this price at now_ms? Document good for live use
 * (its chain valid at now_ms), key attested, boot_id and config_sha256 equal
 * to the attested user_data, published within the document's life, not older
 * than max_age_s, not past expires_ms, not further ahead than max_future_s.
 * The document itself may be older than max_age_s. Two clocks meet here, the
 * enclave's (published_ms) and the hypervisor's (the document's timestamp):
 * an item may be published up to max_future_s before its document.
 *
 * If the envelope is in the reference form, `document` (may be NULL) supplies
 * the bytes; its SHA-256 must be the envelope's. A document in the cache by
 * that hash serves as well. In the full form `document` is not looked at.
 *
 * If the policy has a quorum, so many other enclaves must have co-signed this
 * very item: each with a document that is good under the same policy (in the
 * co-signature, or in the cache), a key and a boot_id of its own, within
 * max_future_s of the item's time. HM_QUORUM_MISSING if they are too few; one
 * that does not hold does not count, and does no other harm.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_item_verify_live(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, int64_t now_ms, struct hm_item *out,
    const struct hm_report *report);

/* Replay: was it right when it was published? Everything is judged at its own
 * published_ms, which the document's timestamp and its chain's expiry bound. */
HM_API HM_MUST_CHECK enum hm_verdict hm_item_verify_replay(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, struct hm_item *out, const struct hm_report *report);

/* ---- order: one state for each feed ---- */

struct hm_sequence { /* zero before the first item */
	bool started;
	uint8_t boot_id[16];
	uint64_t sequence;
	int64_t published_ms;
	uint8_t content_sha256[HM_SHA256_LEN];
};

/*
 * Judges a verified item against the last one of its feed: HM_VALID (the next
 * one, the first one, or the first one seen of another boot), or
 * HM_SEQUENCE_REPLAY (this number or an earlier one again, same bytes where we
 * know them), HM_SEQUENCE_FORK (a number we have with other bytes, or a
 * previous_sha256 that is not the hash we hold), HM_SEQUENCE_GAP,
 * HM_TIME_REGRESSION (published before its predecessor). On VALID and GAP the
 * state moves on: a gap is reported, not refused.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_sequence_next(
    struct hm_sequence *state, const struct hm_item *item);

/* ---- the log: all items of a boot in a Merkle tree (RFC 6962, 2.1) ---- */

/*
 * A leaf's hash is SHA-256(0x00 || the content_sha256 of an item). Its leaves
 * are the items of all feeds of one boot: those that are new since the head
 * before, sorted by feed, then sequence. From time to time the oracle signs a
 * head: the root over all so far, and how many there are of each feed. So
 * whoever holds the items and the heads can rebuild the tree, nothing can be
 * left out, and two heads that contradict each other convict who signed them.
 */
#define HM_LOG_HASHES_MAX 64 /* of a proof, of a frontier: 2^53 leaves */
#define HM_HEAD_FEEDS_MAX 256

struct hm_head_feed {
	char feed[32];
	uint64_t next_sequence; /* how many items, from 0 on; at least 1 */
};

/* What a verified head says. */
struct hm_head {
	uint8_t boot_id[16];
	uint64_t number;    /* of this head: 0, 1, 2 ... */
	uint64_t tree_size; /* at least 1; the sum of all next_sequence; each
			       head's is larger than that of the one before */
	uint8_t root_sha256[HM_SHA256_LEN];
	int64_t published_ms;
	struct hm_head_feed feeds[HM_HEAD_FEEDS_MAX]; /* ascending by strcmp */
	size_t feed_count;
	/* The roots of the full subtrees, from left to right: one for each 1
	 * in the binary tree_size, the largest first. Their fold is the root,
	 * and whoever came late goes on from here. */
	uint8_t frontier[HM_LOG_HASHES_MAX][HM_SHA256_LEN];
	size_t frontier_count;
	uint8_t config_sha256[HM_SHA256_LEN];
	uint8_t previous_sha256[HM_SHA256_LEN]; /* of head number - 1's
						   content; zeros at 0 */
	uint8_t content_sha256[HM_SHA256_LEN];
	struct hm_document document;
};

/* Whether an envelope's content calls itself a head; judges nothing. */
HM_API bool hm_envelope_is_head(const struct hm_envelope *envelope);

/* The two questions about a head: as for an item in all that both have, and
 * in the same words (ITEM_SIGNATURE, ITEM_TOO_OLD ...); a head does not
 * expire. An item is never taken for a head, nor a head for an item. */
HM_API HM_MUST_CHECK enum hm_verdict hm_head_verify_live(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, int64_t now_ms, struct hm_head *out,
    const struct hm_report *report);
HM_API HM_MUST_CHECK enum hm_verdict hm_head_verify_replay(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, struct hm_head *out, const struct hm_report *report);

/*
 * What two verified heads say of each other without any proof, in whatever
 * order they are given: HM_VALID, or HM_LOG_FORK: one boot signed both, and
 * they cannot both be true (one number with two contents, a size that does not
 * grow with the number, a feed's count that shrinks, another hash for
 * a full subtree that both frontiers have, another configuration, a
 * successor that names another predecessor). Heads of two boots say nothing of
 * each other: HM_VALID. Whether the smaller tree is the beginning of the larger
 * takes hm_log_consistency_verify().
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_head_compare(
    const struct hm_head *a, const struct hm_head *b);

/* The place of an item among the leaves, if `head` is the first head that
 * counts it and `previous` (NULL at head 0) the head before: 0, or -1 if it is
 * not new in that head or these are not two heads in a row. */
HM_API HM_MUST_CHECK int hm_head_leaf_index(const struct hm_head *previous,
    const struct hm_head *head, const char *feed, uint64_t sequence,
    uint64_t *index);

struct hm_log_proof { /* in the order of RFC 6962, 2.1.1 and 2.1.2 */
	size_t count;
	uint8_t hashes[HM_LOG_HASHES_MAX][HM_SHA256_LEN];
};

/* Is the item with this content_sha256 leaf `index` of the tree of this size
 * and root? HM_VALID or HM_LOG_PROOF (RFC 9162, 2.1.3.2). */
HM_API HM_MUST_CHECK enum hm_verdict hm_log_inclusion_verify(
    const uint8_t content_sha256[HM_SHA256_LEN], uint64_t index,
    uint64_t tree_size, const uint8_t root[HM_SHA256_LEN],
    const struct hm_log_proof *proof);

/* Is the first tree the beginning of the second? Sizes from 1 on; equal ones
 * have an empty proof and equal roots. HM_VALID or HM_LOG_PROOF (RFC 9162,
 * 2.1.4.2). */
HM_API HM_MUST_CHECK enum hm_verdict hm_log_consistency_verify(
    uint64_t first_size, const uint8_t first_root[HM_SHA256_LEN],
    uint64_t second_size, const uint8_t second_root[HM_SHA256_LEN],
    const struct hm_log_proof *proof);

/* ---- a result inside an attestation (README, "The attested channel") ---- */

/*
 * The JSON of GET /price/{feed}?nonce=HEX&attested=true: the item's content,
 * and a document that was made for it: its user_data hold the content's hash,
 * and it answers the asker's nonce. The enclave's hardware vouches for these
 * very bytes; no key of the oracle's does. Owned by it.
 */
struct hm_attested {
	char *content;
	size_t content_len;
	char *public_key; /* PEM text as sent: of the key that signs items */
	char platform[16];
	uint8_t attestation_sha256[HM_SHA256_LEN];
	uint8_t *document;
	size_t document_len;
	uint8_t nonce[HM_NONCE_MAX]; /* as sent: what was asked with */
	size_t nonce_len;
	/* For hm_nonce_verify(); 0 and 0: it stands plain. */
	uint64_t nonce_index, nonce_size;
	uint8_t nonce_path[HM_LOG_HASHES_MAX][HM_SHA256_LEN];
	size_t nonce_path_len;
};

/* Strict JSON: content, platform, attestation_sha256, attestation_doc_b64,
 * public_key, nonce, and nonce_path where there is one, each once, no other.
 * HM_VALID or HM_ENVELOPE_MALFORMED, then *out is zeroed. */
HM_API HM_MUST_CHECK enum hm_verdict hm_attested_parse(
    struct hm_attested *out, const char *json, size_t len);
HM_API void hm_attested_fini(struct hm_attested *attested);

/*
 * May this price be used at now_ms? All that hm_item_verify_live() asks but the
 * RSA signature, which is not there and not looked at ("attested_content" is
 * reported in its place), and besides: the document answers `nonce`, the
 * caller's own, and is at most max_age_s old. It was made after the item, so
 * that the item may be published before it.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_item_verify_attested(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_attested *attested, const uint8_t *nonce, size_t nonce_len,
    int64_t now_ms, struct hm_item *out, const struct hm_report *report);

/* ---- answers that an oracle fetched for somebody (README, "Fetched") ---- */

#define HM_FETCHED_BODY_MAX 524288  /* bytes of an answer's body */
#define HM_FETCHED_MAX      2228224 /* bytes of the JSON around it */
#define HM_FETCHED_PATH_MAX 1024    /* path and query, and a NUL */

struct hm_fetch_request { /* borrowed */
	const char *hostname;
	unsigned port;
	const char *path; /* and query */
};

/* What a verified answer says. */
struct hm_fetched {
	uint8_t boot_id[16];
	char hostname[254];
	unsigned port;
	char path[HM_FETCHED_PATH_MAX];
	int status;    /* HTTP, 200 to 599; redirects are not followed */
	uint8_t *body; /* owned; a NUL stands behind it */
	size_t body_len;
	uint8_t body_sha256[HM_SHA256_LEN];
	uint8_t tls_spki_sha256[HM_SHA256_LEN]; /* of the certificate that
						   answered */
	int64_t date_ms;    /* the server's clock, from Date; -1: none */
	int64_t fetched_ms; /* the enclave's clock, when it was whole */
	uint8_t config_sha256[HM_SHA256_LEN];
	uint8_t content_sha256[HM_SHA256_LEN];
	struct hm_document document;
};

HM_API void hm_fetched_fini(struct hm_fetched *fetched);

/* The JSON of POST /fetch: the four keys attestation_doc_b64, content,
 * public_key, signature_b64, each once, no other. The envelope gets the
 * document's hash and no platform, so it never passes for an item's. HM_VALID
 * or HM_ENVELOPE_MALFORMED, then *out is zeroed. hm_envelope_fini() it. */
HM_API HM_MUST_CHECK enum hm_verdict hm_fetch_parse(
    struct hm_envelope *out, const char *json, size_t len);

/*
 * The two questions about a fetched answer: as for an item in all that both
 * have, and in the same words; it does not expire, live it is at most max_age_s
 * old. asked: NULL, or what this must be the answer to, byte for byte, or else
 * HM_REQUEST_MISMATCH: a server in between may have kept another one. *out (may
 * be NULL) is the caller's to hm_fetched_fini() on HM_VALID, else zeroed.
 */
HM_API HM_MUST_CHECK enum hm_verdict hm_fetch_verify_live(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const struct hm_fetch_request *asked,
    int64_t now_ms, struct hm_fetched *out, const struct hm_report *report);
HM_API HM_MUST_CHECK enum hm_verdict hm_fetch_verify_replay(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const struct hm_fetch_request *asked,
    struct hm_fetched *out, const struct hm_report *report);

#ifdef __cplusplus
}
#endif

#endif
