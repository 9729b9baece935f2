/*
 * Part of hallmark.h: what an oracle made for one who asked: a price inside an
 * attestation, and the answer of another server, fetched.
 */
#ifndef HALLMARK_ANSWER_H
#define HALLMARK_ANSWER_H

#include "hallmark_item.h"
#include "hallmark_log.h"

#ifdef __cplusplus
extern "C" {
#endif

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

/* ---- what an oracle says of its peers (README, "Enclave to enclave") ---- */

/* Whether an envelope's content calls itself that; judges nothing. */
HM_API bool hm_envelope_is_peers(const struct hm_envelope *envelope);

/* What a verified status says of itself. The list of peers, who is there and
 * who disagrees in what, is in the content, JSON of its own. */
struct hm_peers {
	uint8_t boot_id[16];
	int64_t published_ms;
	uint8_t config_sha256[HM_SHA256_LEN];
	uint8_t content_sha256[HM_SHA256_LEN];
	struct hm_document document;
};

/* The two questions about the answer of GET /peers, read by
 * hm_envelope_parse(): as for an item in all that both have, and in the same
 * words; it does not expire, live it is at most max_age_s old. An item is never
 * taken for it, nor it for an item. out may be NULL. */
HM_API HM_MUST_CHECK enum hm_verdict hm_peers_verify_live(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, int64_t now_ms, struct hm_peers *out,
    const struct hm_report *report);
HM_API HM_MUST_CHECK enum hm_verdict hm_peers_verify_replay(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, struct hm_peers *out,
    const struct hm_report *report);

#ifdef __cplusplus
}
#endif

#endif
