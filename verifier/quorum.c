/* quorum: see quorum.h. */
#include "verifier/quorum.h"

#include "feeds/check.h"
#include "verifier/cosign.h"
#include "verifier/policy.h"
#include "verifier/report.h"

#include <stdio.h>
#include <string.h>

struct voices {                                    /* those that count */
	const char *keys[HM_COSIGNATURES_MAX + 1]; /* the publisher's first */
	uint8_t boot_ids[HM_COSIGNATURES_MAX + 1][16];
	size_t count;
	enum hm_verdict refused; /* of the first that does not; or HM_VALID */
	bool twice;              /* one enclave spoke more than once */
};

/* Its key is the attested one, so it can be compared as a text. */
static bool spoke_before(
    const struct voices *v, const char *key, const uint8_t boot_id[16])
{
	for (size_t i = 0; i < v->count; i++) {
		bool same_boot = memcmp(v->boot_ids[i], boot_id, 16) == 0;
		bool same_key = strcmp(v->keys[i], key) == 0;

		if (REFUSE(quorum_boot_twice, same_boot) ||
		    REFUSE(quorum_key_twice, same_key))
			return true;
	}
	return false; /* unnamed: it has not */
}

static void add(struct voices *v, const char *key, const uint8_t boot_id[16])
{
	if (v->count > HM_COSIGNATURES_MAX)
		return;
	v->keys[v->count] = key;
	memcpy(v->boot_ids[v->count], boot_id, 16);
	v->count++;
}

/* Does it count? */
static bool hear(struct voices *v, const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *cosignature,
    const int64_t *now_ms, const struct hm_item *item)
{
	struct cosign cosign;
	enum hm_verdict verdict = cosign_verify(
	    policy, cache, cosignature, now_ms, item, &cosign);

	if (REFUSE(quorum_cosignature, verdict != HM_VALID)) {
		if (v->refused == HM_VALID)
			v->refused = verdict;
		return false;
	}
	if (spoke_before(v, cosignature->public_key, cosign.boot_id)) {
		v->twice = true;
		return false; /* unnamed: it is not added, which counts */
	}
	add(v, cosignature->public_key, cosign.boot_id);
	return true;
}

static void describe(char out[HM_TEXT_MAX], const struct voices *v,
    const struct hm_envelope *envelope)
{
	snprintf(out, HM_TEXT_MAX, "%zu of %zu co-signatures hold%s%s%s",
	    v->count - 1, envelope->cosignature_count,
	    v->refused != HM_VALID ? ", one is " : "",
	    v->refused != HM_VALID ? hm_verdict_name(v->refused) : "",
	    v->twice ? ", one enclave speaks twice" : "");
}

enum hm_verdict quorum_judge(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const int64_t *now_ms, struct hm_item *item, const struct hm_report *report)
{
	struct voices v = {.refused = HM_VALID};
	char wanted[HM_TEXT_MAX], found[HM_TEXT_MAX];
	bool met;

	item->cosigners = 0;
	if (policy->quorum == 0 && envelope->cosignature_count == 0)
		return HM_VALID;
	add(&v, envelope->public_key, item->boot_id);
	memset(item->cosigned, 0, sizeof(item->cosigned));
	for (size_t i = 0;
	     i < envelope->cosignature_count && i < HM_COSIGNATURES_MAX; i++)
		item->cosigned[i] = hear(&v, policy, cache,
		    &envelope->cosignatures[i], now_ms, item);
	item->cosigners = (unsigned)v.count - 1;
	met = REQUIRE(quorum_met, item->cosigners >= policy->quorum);
	snprintf(wanted, sizeof(wanted), "%u other enclaves", policy->quorum);
	describe(found, &v, envelope);
	return report_check(report, "quorum",
	    met ? HM_VALID : HM_QUORUM_MISSING, wanted, found);
}
