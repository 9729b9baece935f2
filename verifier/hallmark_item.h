/*
 * Part of hallmark.h: price items and their order.
 */
#ifndef HALLMARK_ITEM_H
#define HALLMARK_ITEM_H

#include "hallmark_document.h"

#ifdef __cplusplus
extern "C" {
#endif

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
	 * any in them. Only a policy with a quorum demands some. */
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
	/* Other enclaves whose co-signatures were found good, and which of the
	 * envelope's these are. */
	unsigned cosigners;
	bool cosigned[HM_COSIGNATURES_MAX];
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

#ifdef __cplusplus
}
#endif

#endif
