/* judge_quote: see judge_quote.h. */
#include "verifier/judge_quote.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/judge.h"
#include "verifier/moment.h"
#include "verifier/quote_document.h"
#include "verifier/quote_memo.h"
#include "verifier/report.h"
#include "verifier/sgx/sgx_pem.h"
#include "verifier/spki.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MEASURE_TEXT_MAX (2 * HM_PCR_LEN + 32)

/* One judgement under way. */
struct trial {
	const struct question *q;
	struct answer *answer;
	struct slice held; /* what the quote must be for; at NULL: anything */
	uint8_t *der;      /* owned: the held bytes, out of a PEM */
	uint8_t held_sha256[HM_SHA256_LEN];
};

/* ---- what it must hold ---- */

/* An item's key stands in its envelope as PEM, in the quote as a hash. */
static enum hm_verdict hold_key(struct trial *t, const char *pem)
{
	struct slice text = {(const uint8_t *)pem, strlen(pem)};
	size_t len = 0;
	int status = sgx_pem_next(&text, "PUBLIC KEY", &t->der, &len);

	t->held = (struct slice){t->der, len};
	t->answer->key = &t->answer->own_key;
	if (status == 0 && text.len == 0 &&
	    item_key_open(&t->answer->own_key, t->held) == 0)
		return HM_VALID;
	/* unnamed: no quote is for such a key, and no item of it is taken */
	return report_check(t->q->report, "public_key", HM_KEY_NOT_ATTESTED,
	    "an RSA key", "no such key in the item");
}

static enum hm_verdict hold(struct trial *t)
{
	enum hm_verdict verdict = HM_VALID;

	t->held = t->q->held;
	if (t->q->held_pem != NULL)
		verdict = hold_key(t, t->q->held_pem);
	if (verdict != HM_VALID || t->held.at == NULL)
		return verdict;
	return EVP_Digest(t->held.at, t->held.len, t->held_sha256, NULL,
		   EVP_sha256(), NULL) == 1
		   ? HM_VALID
		   : HM_NO_MEMORY;
}

/* ---- the quote and its collateral ---- */

static void keep_found(struct trial *t, const struct sgx_result *r)
{
	struct quote_found *found = &t->answer->found;

	found->root_index = r->root_index;
	found->not_before_ms = r->not_before_ms;
	found->not_after_ms = r->not_after_ms;
	found->collateral_until_ms = r->collateral_until_ms;
	snprintf(found->tcb_status, sizeof(found->tcb_status), "%s",
	    sgx_status_name(r->status));
	snprintf(found->advisories, sizeof(found->advisories), "%.*s",
	    (int)sizeof(found->advisories) - 1, r->tcb.advisories);
}

static enum hm_verdict verify(struct trial *t)
{
	const struct hm_policy *policy = t->q->policy;
	const struct policy_quotes *quotes = &policy->quotes;
	const struct sgx_policy asked = {
	    .roots = quotes->roots,
	    .root_count = quotes->root_count,
	    .statuses = policy_quote_statuses(quotes),
	    .insecure_without_collateral = quotes->insecure_without_collateral,
	    .allow_debug = policy->allow_debug,
	    .held = t->held.at,
	    .held_len = t->held.len,
	};
	const struct established *e = t->answer->facts;
	const uint8_t *sha256 = e->document.sha256;
	const uint8_t *held = t->held.at != NULL ? t->held_sha256 : NULL;
	struct quote_memo *memo = quotes->memo;
	const struct quote_found *known = NULL;
	struct sgx_result result;
	enum hm_verdict verdict;

	if (memo != NULL && !report_wanted(t->q->report))
		known = quote_memo_find(memo, sha256, held, t->q->at_ms);
	if (known != NULL) {
		t->answer->found = *known;
		return HM_VALID;
	}
	verdict = sgx_verify(e->quote.at, e->quote.len, quotes->collateral,
	    &asked, t->q->at_ms, &result, t->q->report);
	/* The word for it where an item is judged. */
	if (verdict == HM_HELD_DATA_MISMATCH && t->q->held_pem != NULL)
		verdict = HM_KEY_NOT_ATTESTED; /* unnamed: refused anyway */
	if (verdict != HM_VALID)
		return verdict;
	keep_found(t, &result);
	if (memo != NULL)
		quote_memo_keep(
		    memo, sha256, held, t->q->at_ms, &t->answer->found);
	return HM_VALID;
}

static void add_link(struct chain_facts *facts, const struct cert *cert,
    const uint8_t issuer_spki_sha256[HM_SHA256_LEN])
{
	struct chain_link *link = &facts->links[facts->link_count++];

	memcpy(link->issuer_spki_sha256, issuer_spki_sha256, HM_SHA256_LEN);
	memcpy(link->serial, cert->serial, cert->serial_len);
	link->serial_len = cert->serial_len;
}

/* Read once more, which only a policy with such a list costs. */
static enum hm_verdict check_policy_revoked(struct trial *t)
{
	const struct hm_policy *policy = t->q->policy;
	const struct established *e = t->answer->facts;
	uint8_t root[HM_SHA256_LEN];
	struct chain_facts facts = {.link_count = 0};
	struct sgx_quote quote;
	struct sgx_pck pck;
	const char *why;
	size_t which;
	bool revoked = true;

	if (policy->revoked_count == 0)
		return HM_VALID;
	if (sgx_quote_parse(&quote, e->quote.at, e->quote.len, &why) !=
		HM_VALID ||
	    sgx_pck_open(&pck, quote.pem, policy->quotes.roots,
		policy->quotes.root_count, &why) != HM_VALID)
		return HM_NO_MEMORY; /* it was good a moment ago */
	if (spki_of_key(pck.root, root) == 0) {
		add_link(&facts, &pck.ca, root);
		add_link(&facts, &pck.leaf, pck.ca.spki_sha256);
		revoked = REFUSE(quote_policy_revoked,
		    policy_revokes(policy, &facts, &which));
	}
	sgx_pck_close(&pck);
	return report_check(t->q->report, "policy_revoked",
	    revoked ? HM_CERTIFICATE_REVOKED : HM_VALID,
	    "no certificate on the policy's list", revoked ? "one" : "none");
}

/* ---- what a quote does not say ---- */

static enum hm_verdict check_time(struct trial *t)
{
	bool timeless = REFUSE(quote_replay, t->q->at_ms < 0);

	return report_check(t->q->report, "document_time",
	    timeless ? HM_DOCUMENT_TOO_OLD : HM_VALID,
	    timeless ? "a time to judge it at" : NULL,
	    "a quote carries no time: what it holds may show one");
}

static enum hm_verdict check_unsaid(struct trial *t)
{
	const struct hm_policy *p = t->q->policy;
	static const char silent[] = "a quote does not say";

	if (REFUSE(quote_enclave_age, p->max_enclave_age_ms >= 0))
		return report_check(t->q->report, "enclave_age",
		    HM_ENCLAVE_TOO_OLD, "the enclave's age", silent);
	if (REFUSE(quote_booted_after, p->booted_after_ms != INT64_MIN))
		return report_check(t->q->report, "booted_after",
		    HM_ENCLAVE_TOO_OLD, "the enclave's start", silent);
	if (REFUSE(quote_nonce, t->q->nonce != NULL || t->q->nonce_len > 0))
		return report_check(t->q->report, "nonce", HM_NONCE_MISMATCH,
		    "the nonce", "a quote has none but in what it holds");
	if (REFUSE(quote_policy_nonce, p->nonce.present))
		return report_check(t->q->report, "policy_nonce",
		    HM_NONCE_MISMATCH, "the policy's nonce", "none");
	if (REFUSE(quote_policy_user_data, p->user_data.present))
		return report_check(t->q->report, "policy_user_data",
		    HM_USER_DATA_MISMATCH, "the policy's user_data", "none");
	if (REFUSE(quote_policy_key_epoch, p->min_key_epoch > 0))
		return report_check(t->q->report, "policy_key_epoch",
		    HM_KEY_EPOCH, "the number of the key", silent);
	return HM_VALID;
}

/* ---- the release ---- */

/* What the release pins, the first of the alternatives. */
static void describe_measure(const struct policy_measures *m,
    enum policy_measure_kind kind, char out[MEASURE_TEXT_MAX])
{
	size_t others = 0;

	out[0] = '\0';
	for (size_t i = 0; i < m->count; i++) {
		if (m->list[i].kind != kind)
			continue;
		if (out[0] == '\0')
			hex_encode(
			    m->list[i].value, policy_measure_len(kind), out);
		else
			others++;
	}
	if (others > 0)
		snprintf(out + strlen(out), 32, " or %zu more", others);
}

static enum hm_verdict check_measure(struct trial *t,
    const struct policy_measures *m, enum policy_measure_kind kind)
{
	const struct hm_quote *quote = &t->answer->facts->document.quote;
	char wanted[MEASURE_TEXT_MAX], found[MEASURE_TEXT_MAX] = "absent";
	struct slice value = policy_measure_of(quote, kind);
	bool ok = REQUIRE(judge_measure, policy_measure_ok(m, quote, kind));

	if ((m->kinds & 1u << kind) == 0)
		return HM_VALID;
	describe_measure(m, kind, wanted);
	if (value.at != NULL)
		hex_encode(value.at, value.len, found);
	return report_check(t->q->report, policy_measure_name(kind),
	    ok ? HM_VALID : HM_MEASUREMENT_MISMATCH, wanted, found);
}

/* An MRSIGNER vouches for a product of one signer, from a version on. */
static enum hm_verdict check_product(
    struct trial *t, const struct policy_measures *m)
{
	const struct hm_quote *quote = &t->answer->facts->document.quote;
	bool product = REQUIRE(
	    judge_product, quote->product_id == m->product_id);
	bool svn = REQUIRE(judge_svn, quote->svn >= m->min_svn);
	char wanted[32], found[32];
	enum hm_verdict verdict;

	if ((m->kinds & 1u << POLICY_MRSIGNER) == 0)
		return HM_VALID;
	snprintf(wanted, sizeof(wanted), "%u", m->product_id);
	snprintf(found, sizeof(found), "%u", quote->product_id);
	verdict = report_check(t->q->report, "product_id",
	    product ? HM_VALID : HM_MEASUREMENT_MISMATCH, wanted, found);
	if (verdict != HM_VALID)
		return verdict;
	snprintf(wanted, sizeof(wanted), "at least %u", m->min_svn);
	snprintf(found, sizeof(found), "%u", quote->svn);
	return report_check(t->q->report, "svn",
	    svn ? HM_VALID : HM_MEASUREMENT_MISMATCH, wanted, found);
}

static enum hm_verdict check_release(struct trial *t)
{
	const struct hm_document *document = &t->answer->facts->document;
	const struct policy_release *release = policy_choose_quote_release(
	    t->q->policy, &document->quote, t->q->at_ms);
	char wanted[JUDGE_RELEASE_MAX], found[MOMENT_TEXT_MAX];
	enum hm_verdict verdict = HM_VALID;
	bool in_time;

	if (REFUSE(quote_release, release == NULL))
		return report_check(t->q->report, "release",
		    HM_MEASUREMENT_MISMATCH, "a release of this platform",
		    "the policy has none");
	for (unsigned i = 0; i < POLICY_MEASURE_KINDS; i++)
		if (verdict == HM_VALID)
			verdict = check_measure(t, &release->measures, i);
	if (verdict == HM_VALID)
		verdict = check_product(t, &release->measures);
	if (verdict != HM_VALID)
		return verdict;
	t->answer->release = release;
	judge_describe_release(release, wanted);
	moment_format(t->q->at_ms, found);
	in_time = REQUIRE(
	    quote_window, policy_window_holds(release, t->q->at_ms));
	return report_check(t->q->report, "release",
	    in_time ? HM_VALID : HM_RELEASE_WINDOW, wanted, found);
}

/* ---- all of it ---- */

static enum hm_verdict (*const steps[])(struct trial *t) = {
    hold,
    verify,
    check_policy_revoked,
    check_unsaid,
    check_release,
};

enum hm_verdict judge_quote(const struct question *q, struct answer *answer)
{
	const struct policy_quotes *quotes = &q->policy->quotes;
	struct trial t = {.q = q, .answer = answer};
	enum hm_verdict verdict = check_time(&t);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (verdict == HM_VALID)
			verdict = steps[i](&t);
	}
	free(t.der);
	answer->platform = quote_document_platform(
	    &answer->facts->document.quote);
	answer->root_name = quotes->roots[answer->found.root_index].name;
	return verdict;
}
