/* verify_item: hm_item_verify_live() and _replay() of hallmark.h for those who
 * go on with what stands in the content: to read it twice would take a fifth of
 * the time. */
#ifndef HALLMARK_VERIFIER_VERIFY_ITEM_H
#define HALLMARK_VERIFIER_VERIFY_ITEM_H

#include "feeds/item.h"
#include "verifier/hallmark.h"

/* now_ms NULL: replay. *content is what the item says if it is HM_VALID, else
 * zeroed. */
HM_MUST_CHECK enum hm_verdict verify_item_and_content(
    const struct hm_policy *policy, struct hm_cache *cache,
    const struct hm_envelope *envelope, const uint8_t *document,
    size_t document_len, const int64_t *now_ms, struct hm_item *out,
    struct item *content);

/* hm_item_verify_replay(), but whatever quorum the policy has: of what the
 * publisher signed, nobody else need have signed it too. */
HM_MUST_CHECK enum hm_verdict verify_item_alone(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, struct hm_item *out);

#endif
