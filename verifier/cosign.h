/*
 * cosign: a co-signature's signed content: one enclave's word that it holds
 * another's item and has, at this time, a price of its own that agrees. One
 * text for one value, as item.h is for items: cosign_decode accepts exactly
 * what cosign_encode writes.
 *
 *   {"format":"hallmark-cosign/1","boot_id":hex,"config_sha256":hex,
 *    "feed":"BTC-USD","item_boot_id":hex,"sequence":N,"content_sha256":hex,
 *    "published_ms":ms,"price":"84036.00","own_content_sha256":hex,
 *    "own_published_ms":ms}
 *
 * without blanks. boot_id and config_sha256 are of the one that co-signs, and
 * so are published_ms (when it did), price (null: it had none, which it may say
 * of an item that has none either) and the item that this price is from.
 * item_boot_id, sequence and content_sha256 say which item is meant. Pure.
 */
#ifndef HALLMARK_VERIFIER_COSIGN_H
#define HALLMARK_VERIFIER_COSIGN_H

#include "verifier/hallmark.h"

#define COSIGN_FORMAT      "hallmark-cosign/1"
#define COSIGN_CONTENT_MAX 1024

struct cosign {
	uint8_t boot_id[16];
	uint8_t config_sha256[HM_SHA256_LEN];
	char feed[32];
	uint8_t item_boot_id[16];
	uint64_t sequence;
	uint8_t content_sha256[HM_SHA256_LEN];
	int64_t published_ms;
	char price[64]; /* a decimal's text; "": null */
	uint8_t own_content_sha256[HM_SHA256_LEN];
	int64_t own_published_ms;
};

/* Writes the content, NUL-terminated, and its length without the NUL. 0, or -1
 * if it breaks the format or there is no memory: our bug. */
HM_MUST_CHECK int cosign_encode(const struct cosign *cosign,
    char out[static COSIGN_CONTENT_MAX], size_t *len);

/* 0, or -1 and *out zeroed. Any bytes are safe. */
HM_MUST_CHECK int cosign_decode(
    struct cosign *out, const char *text, size_t len);

/*
 * Whether one envelope is a co-signature of this item: signed by an attested
 * key under the policy (live at *now_ms, or, NULL, at its own time), for this
 * item's very content, by another enclave than the item's, within the policy's
 * max_future_ms of it. boot_id gets the one that signed.
 */
HM_MUST_CHECK enum hm_verdict cosign_verify(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const int64_t *now_ms, const struct hm_item *item, struct cosign *out);

#endif
