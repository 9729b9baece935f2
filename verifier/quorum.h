/*
 * quorum: how many other enclaves stand by an item. Each co-signature is judged
 * alone (cosign.h); a boot_id and a key count once, and those of the publisher
 * never: one enclave is one voice, however often it signs.
 */
#ifndef HALLMARK_VERIFIER_QUORUM_H
#define HALLMARK_VERIFIER_QUORUM_H

#include "verifier/hallmark.h"

/* The item was found good; its cosigners are set. now_ms NULL: replay. Reports
 * "quorum" if the policy has one or co-signatures are there. */
HM_MUST_CHECK enum hm_verdict quorum_judge(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const int64_t *now_ms, struct hm_item *item,
    const struct hm_report *report);

#endif
