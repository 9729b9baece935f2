/* judge: see judge.h. */
#include "verifier/judge.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/moment.h"
#include "verifier/report.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

#define NONCE_SHOWN    32 /* bytes of a nonce that a report shows */
#define SHOWN_TEXT_MAX (2 * NONCE_SHOWN + 4)
#define EPOCH_TEXT_MAX 48

static enum hm_verdict check_revoked(
    const struct question *q, const struct established *e)
{
	char found[HM_TEXT_MAX] = "none";
	size_t which = 0;
	bool revoked = REFUSE(
	    judge_revoked, policy_revokes(q->policy, &e->facts, &which));

	if (revoked)
		snprintf(found, sizeof(found), "certificate %zu of the chain",
		    which + 1);
	return report_check(q->report, "revoked",
	    revoked ? HM_CERTIFICATE_REVOKED : HM_VALID,
	    "no certificate on the policy's list", found);
}

/*
 * The bounds are those of all certificates together. A verifier whose clock is
 * a little slow sees a leaf that is a tenth of a second old as not yet valid,
 * so live questions give notBefore (only) the policy's max_future_s.
 */
static enum hm_verdict check_chain_at(const struct question *q,
    const struct established *e, int64_t at_ms, int64_t leeway_ms)
{
	int64_t not_before = e->facts.not_before_ms;
	int64_t not_after = e->facts.not_after_ms;
	char wanted[HM_TEXT_MAX] = "", found[MOMENT_TEXT_MAX] = "";
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX];
	enum hm_verdict verdict = HM_VALID;

	if (REFUSE(chain_expired, at_ms > not_after))
		verdict = HM_CHAIN_EXPIRED;
	else if (REFUSE(chain_not_yet, at_ms < not_before - leeway_ms))
		verdict = HM_CHAIN_NOT_YET_VALID;
	if (report_wanted(q->report)) {
		moment_format(not_before, from);
		moment_format(not_after, until);
		moment_format(at_ms, found);
		snprintf(wanted, sizeof(wanted), "%s to %s", from, until);
	}
	return report_check(q->report, "chain_time", verdict, wanted, found);
}

/* A hypervisor does not sign outside its own certificate's life. */
static enum hm_verdict check_chain_time(
    const struct question *q, const struct established *e)
{
	enum hm_verdict verdict = HM_VALID;

	if (q->live)
		verdict = check_chain_at(
		    q, e, q->at_ms, q->policy->max_future_ms);
	if (REFUSE(chain_now, verdict != HM_VALID))
		return verdict;
	verdict = check_chain_at(q, e, e->document.timestamp_ms, 0);
	if (REFUSE(chain_at_timestamp, verdict != HM_VALID))
		return verdict;
	return HM_VALID;
}

static enum hm_verdict check_document_time(
    const struct question *q, const struct established *e)
{
	int64_t age_ms = q->at_ms - e->document.timestamp_ms;
	char wanted[HM_TEXT_MAX] = "", found[HM_TEXT_MAX] = "";
	enum hm_verdict verdict = HM_VALID;

	if (!q->live)
		return HM_VALID;
	if (REFUSE(document_future, -age_ms > q->policy->max_future_ms))
		verdict = HM_DOCUMENT_IN_FUTURE;
	else if (REFUSE(document_age,
		     q->limit_age && age_ms > q->policy->max_age_ms))
		verdict = HM_DOCUMENT_TOO_OLD;
	if (report_wanted(q->report)) {
		int n = snprintf(wanted, sizeof(wanted),
		    "age from %" PRId64 " ms", -q->policy->max_future_ms);

		if (q->limit_age)
			snprintf(wanted + n, sizeof(wanted) - (size_t)n,
			    " to %" PRId64 " ms", q->policy->max_age_ms);
		snprintf(found, sizeof(found), "%" PRId64 " ms", age_ms);
	}
	return report_check(q->report, "document_time", verdict, wanted, found);
}

static int64_t instant(const struct question *q, const struct established *e)
{
	return q->at_ms >= 0 ? q->at_ms : e->document.timestamp_ms;
}

/* A start that lies after the document was signed makes no sense: then we do
 * not know the age, and do not let it pass. */
static enum hm_verdict check_enclave_age(
    const struct question *q, const struct established *e)
{
	int64_t max_ms = q->policy->max_enclave_age_ms;
	int64_t latest_ms = e->document.timestamp_ms + q->policy->max_future_ms;
	int64_t start_ms = document_enclave_start_ms(&e->document);
	int64_t age_ms = instant(q, e) - start_ms;
	char wanted[HM_TEXT_MAX], found[HM_TEXT_MAX];
	bool ok;

	if (max_ms < 0)
		return HM_VALID;
	ok = REQUIRE(enclave_age, age_ms <= max_ms) &&
	     REQUIRE(enclave_start, start_ms <= latest_ms);
	snprintf(wanted, sizeof(wanted), "at most %" PRId64 " ms", max_ms);
	snprintf(found, sizeof(found), "%" PRId64 " ms", age_ms);
	return report_check(q->report, "enclave_age",
	    ok ? HM_VALID : HM_ENCLAVE_TOO_OLD, wanted, found);
}

static enum hm_verdict check_booted_after(
    const struct question *q, const struct established *e)
{
	int64_t bound_ms = q->policy->booted_after_ms;
	int64_t latest_ms = e->document.timestamp_ms + q->policy->max_future_ms;
	int64_t start_ms = document_enclave_start_ms(&e->document);
	char wanted[MOMENT_TEXT_MAX], found[MOMENT_TEXT_MAX];
	bool ok;

	if (bound_ms == INT64_MIN)
		return HM_VALID;
	ok = REQUIRE(booted_after, start_ms >= bound_ms) &&
	     REQUIRE(booted_by_then, start_ms <= latest_ms);
	moment_format(bound_ms, wanted);
	moment_format(start_ms, found);
	return report_check(q->report, "booted_after",
	    ok ? HM_VALID : HM_ENCLAVE_TOO_OLD, wanted, found);
}

static enum hm_verdict check_debug(
    const struct question *q, const struct established *e)
{
	bool debug = e->document.debug;
	bool refused = REFUSE(judge_debug, debug && !q->policy->allow_debug);

	return report_check(q->report, "debug",
	    refused ? HM_DEBUG_ENCLAVE : HM_VALID,
	    q->policy->allow_debug ? "debug enclaves allowed"
				   : "PCR0, PCR1 and PCR2 not zero",
	    debug ? "a debug enclave" : "not a debug enclave");
}

/* What the release pins, the first of the alternatives. */
static void describe_pin(const struct policy_release *release, unsigned index,
    char out[2 * HM_PCR_LEN + 32])
{
	size_t others = 0;

	out[0] = '\0';
	for (size_t i = 0; i < release->pin_count; i++) {
		if (release->pins[i].index != index)
			continue;
		if (out[0] == '\0')
			hex_encode(release->pins[i].value, HM_PCR_LEN, out);
		else
			others++;
	}
	if (others > 0)
		snprintf(out + strlen(out), 32, " or %zu more", others);
}

static enum hm_verdict check_pcr(const struct question *q,
    const struct policy_release *release, const struct hm_document *document,
    unsigned index)
{
	char check[8], wanted[2 * HM_PCR_LEN + 32], found[2 * HM_PCR_LEN + 1];
	bool ok = REQUIRE(judge_pcr, policy_pcr_ok(release, document, index));

	if (report_wanted(q->report)) {
		snprintf(check, sizeof(check), "pcr%u", index);
		describe_pin(release, index, wanted);
		snprintf(found, sizeof(found), "absent");
		if ((document->pcr_mask & (1u << index)) != 0)
			hex_encode(document->pcrs[index], HM_PCR_LEN, found);
	}
	return report_check(
	    q->report, check, ok ? HM_VALID : HM_PCR_MISMATCH, wanted, found);
}

void judge_describe_release(
    const struct policy_release *release, char out[JUDGE_RELEASE_MAX])
{
	char from[MOMENT_TEXT_MAX] = "", until[MOMENT_TEXT_MAX] = "";

	if (release->not_before_ms != INT64_MIN)
		moment_format(release->not_before_ms, from);
	if (release->not_after_ms != INT64_MAX)
		moment_format(release->not_after_ms, until);
	snprintf(out, JUDGE_RELEASE_MAX, "%s%s%s%s%s", release->name,
	    from[0] ? " from " : "", from, until[0] ? " until " : "", until);
}

static enum hm_verdict check_release(
    const struct question *q, struct answer *answer)
{
	const struct hm_document *document = &answer->facts->document;
	int64_t at_ms = instant(q, answer->facts);
	const struct policy_release *release = policy_choose_release(
	    q->policy, document, at_ms);
	char wanted[JUDGE_RELEASE_MAX] = "", found[MOMENT_TEXT_MAX] = "";
	bool in_time;

	if (REFUSE(document_release, release == NULL))
		return report_check(q->report, "release", HM_PCR_MISMATCH,
		    "a release with PCRs", "the policy has none");
	for (unsigned i = 0; i < HM_PCR_COUNT; i++) {
		enum hm_verdict verdict = HM_VALID;

		if ((release->pin_mask & (1u << i)) != 0)
			verdict = check_pcr(q, release, document, i);
		if (verdict != HM_VALID)
			return verdict;
	}
	answer->release = release;
	if (report_wanted(q->report)) {
		judge_describe_release(release, wanted);
		moment_format(at_ms, found);
	}
	in_time = REQUIRE(judge_window, policy_window_holds(release, at_ms));
	return report_check(q->report, "release",
	    in_time ? HM_VALID : HM_RELEASE_WINDOW, wanted, found);
}

static void show_bytes(
    char out[SHOWN_TEXT_MAX], const uint8_t *bytes, size_t len)
{
	size_t shown = len < NONCE_SHOWN ? len : NONCE_SHOWN;

	hex_encode(bytes, shown, out);
	if (shown < len)
		memcpy(out + 2 * shown, "...", sizeof("..."));
}

/* A null or empty nonce answers nobody's question. */
static enum hm_verdict check_nonce(
    const struct question *q, const struct established *e)
{
	const struct hm_bytes *nonce = &e->document.nonce;
	char wanted[SHOWN_TEXT_MAX], found[SHOWN_TEXT_MAX];
	bool ok;

	if (q->nonce == NULL && q->nonce_len == 0)
		return HM_VALID;
	ok = REQUIRE(nonce_asked, q->nonce != NULL && q->nonce_len > 0) &&
	     REQUIRE(nonce_len, nonce->len == q->nonce_len) &&
	     REQUIRE(nonce_bytes,
		 CRYPTO_memcmp(nonce->bytes, q->nonce, q->nonce_len) == 0);
	show_bytes(wanted, q->nonce, q->nonce == NULL ? 0 : q->nonce_len);
	show_bytes(found, nonce->bytes, nonce->len);
	return report_check(q->report, "nonce",
	    ok ? HM_VALID : HM_NONCE_MISMATCH, wanted,
	    nonce->present ? found : "none");
}

static enum hm_verdict tell_same(const struct question *q, const char *check,
    enum hm_verdict verdict, const struct hm_bytes *wanted,
    const struct hm_bytes *found)
{
	char wanted_text[SHOWN_TEXT_MAX], found_text[SHOWN_TEXT_MAX];

	show_bytes(wanted_text, wanted->bytes, wanted->len);
	show_bytes(found_text, found->bytes, found->len);
	return report_check(q->report, check, verdict, wanted_text,
	    found->present ? found_text : "none");
}

static bool same_bytes(const struct hm_bytes *a, const struct hm_bytes *b)
{
	return a->len == b->len &&
	       CRYPTO_memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* What the policy itself wants of the nonce, whoever asks. */
static enum hm_verdict check_policy_nonce(
    const struct question *q, const struct established *e)
{
	const struct hm_bytes *wanted = &q->policy->nonce;
	const struct hm_bytes *found = &e->document.nonce;
	bool ok;

	if (!wanted->present)
		return HM_VALID;
	ok = REQUIRE(policy_nonce, same_bytes(wanted, found));
	return tell_same(q, "policy_nonce", ok ? HM_VALID : HM_NONCE_MISMATCH,
	    wanted, found);
}

static enum hm_verdict check_policy_user_data(
    const struct question *q, const struct established *e)
{
	const struct hm_bytes *wanted = &q->policy->user_data;
	const struct hm_bytes *found = &e->document.user_data;
	bool ok;

	if (!wanted->present)
		return HM_VALID;
	ok = REQUIRE(policy_user_data, same_bytes(wanted, found));
	return tell_same(q, "policy_user_data",
	    ok ? HM_VALID : HM_USER_DATA_MISMATCH, wanted, found);
}

/* So that a key that leaked, or an older one that somebody brought back, stays
 * of no use. A document that counts no keys has one of its start alone. */
static enum hm_verdict check_policy_key_epoch(
    const struct question *q, const struct established *e)
{
	uint64_t least = q->policy->min_key_epoch;
	uint64_t epoch = e->document.key_epoch;
	char wanted[EPOCH_TEXT_MAX], found[EPOCH_TEXT_MAX] = "none";
	bool ok;

	if (least == 0)
		return HM_VALID;
	ok = REQUIRE(policy_key_epoch, epoch >= least);
	snprintf(wanted, sizeof(wanted), "key %" PRIu64 " or later", least);
	if (epoch > 0)
		snprintf(found, sizeof(found), "key %" PRIu64, epoch);
	return report_check(q->report, "policy_key_epoch",
	    ok ? HM_VALID : HM_KEY_EPOCH, wanted, found);
}

enum hm_verdict judge_document(const struct question *q, struct answer *answer)
{
	const struct established *e = answer->facts;
	enum hm_verdict verdict;

	answer->root = policy_find_root(q->policy, e->root_sha256);
	/* Both the cache and established_new() looked it up. */
	assert(answer->root != NULL);
	answer->platform = answer->root->platform;
	answer->root_name = answer->root->name;
	answer->key = &e->key;
	verdict = check_revoked(q, e);
	if (verdict == HM_VALID)
		verdict = check_chain_time(q, e);
	if (verdict == HM_VALID)
		verdict = check_document_time(q, e);
	if (verdict == HM_VALID)
		verdict = check_enclave_age(q, e);
	if (verdict == HM_VALID)
		verdict = check_booted_after(q, e);
	if (verdict == HM_VALID)
		verdict = check_debug(q, e);
	if (verdict == HM_VALID)
		verdict = check_release(q, answer);
	if (verdict == HM_VALID)
		verdict = check_nonce(q, e);
	if (verdict == HM_VALID)
		verdict = check_policy_nonce(q, e);
	if (verdict == HM_VALID)
		verdict = check_policy_user_data(q, e);
	if (verdict == HM_VALID)
		verdict = check_policy_key_epoch(q, e);
	return verdict;
}
