/* verify_document: the two questions about a bare document, and what they
 * share with items. */
#include "verifier/verify_document.h"

#include "feeds/check.h"
#include "verifier/cose.h"
#include "verifier/judge.h"
#include "verifier/judge_quote.h"
#include "verifier/moment.h"
#include "verifier/quote_document.h"
#include "verifier/report.h"

#include <openssl/err.h>
#include <string.h>

int64_t question_time(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms > MOMENT_MAX_MS ? MOMENT_MAX_MS : ms;
}

/* What a cached document went through before. */
static void report_cached(const struct question *q, const struct established *e)
{
	static const char *const checks[] = {"cose", "document", "root",
	    "certificate_profile", "chain", "document_signature"};

	if (!report_wanted(q->report) || e->quote.at != NULL)
		return;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		q->report->cb(q->report->data, checks[i], true, NULL,
		    i == 1 ? e->document.module_id : "verified before");
}

static enum hm_verdict find_or_establish(const struct question *q,
    struct slice bytes, const uint8_t sha256[HM_SHA256_LEN],
    struct answer *answer)
{
	enum hm_verdict verdict;

	answer->facts = cache_find(q->cache, q->policy, sha256);
	if (answer->facts != NULL) {
		report_cached(q, answer->facts);
		return HM_VALID;
	}
	if (REFUSE(attestation_missing, bytes.at == NULL))
		return HM_ATTESTATION_MISSING;
	if (q->quote_only || quote_document_is(bytes))
		verdict = quote_document_establish(
		    &answer->own, bytes, sha256, q->report);
	else
		verdict = established_new(&answer->own, q->policy,
		    cache_certs(q->cache), bytes, sha256, q->report);
	answer->facts = answer->own;
	return verdict;
}

enum hm_verdict question_ask(const struct question *q, struct slice bytes,
    const uint8_t sha256[HM_SHA256_LEN], struct answer *answer)
{
	enum hm_verdict verdict;

	memset(answer, 0, sizeof(*answer));
	verdict = find_or_establish(q, bytes, sha256, answer);
	if (verdict == HM_VALID)
		verdict = answer->facts->quote.at != NULL
			      ? judge_quote(q, answer)
			      : judge_document(q, answer);
	if (answer->own == NULL || q->cache == NULL)
		return verdict;
	/* Only what was good for somebody is worth a place: nobody can push
	 * others' documents out with documents of his own enclaves. */
	if (verdict == HM_VALID)
		cache_put(q->cache, answer->own);
	else
		cache_put_refused(q->cache, answer->own);
	answer->own = NULL;
	return verdict;
}

void answer_fini(struct answer *answer)
{
	established_free(answer->own);
	item_key_close(&answer->own_key);
	memset(answer, 0, sizeof(*answer));
}

static void copy_text(char *out, size_t cap, const char *text)
{
	size_t len = strlen(text);

	if (len >= cap)
		len = cap - 1;
	memcpy(out, text, len);
	out[len] = '\0';
}

/* What a judgement adds to the quote itself. */
static void add_found(const struct answer *answer, struct hm_document *out)
{
	const struct quote_found *found = &answer->found;
	struct hm_quote *quote = &out->quote;

	out->not_before_ms = found->not_before_ms;
	out->not_after_ms = found->not_after_ms;
	quote->collateral_until_ms = found->collateral_until_ms;
	copy_text(
	    quote->tcb_status, sizeof(quote->tcb_status), found->tcb_status);
	copy_text(
	    quote->advisories, sizeof(quote->advisories), found->advisories);
}

void answer_document(const struct answer *answer, struct hm_document *out)
{
	*out = answer->facts->document;
	copy_text(out->platform, sizeof(out->platform), answer->platform);
	copy_text(out->root, sizeof(out->root), answer->root_name);
	copy_text(out->release, sizeof(out->release), answer->release->name);
	if (out->quote.present)
		add_found(answer, out);
}

static enum hm_verdict ask_bare(const struct question *q,
    const uint8_t *document, size_t len, struct hm_document *out)
{
	char error[HM_TEXT_MAX];
	uint8_t sha256[HM_SHA256_LEN];
	struct answer answer = {0};
	enum hm_verdict verdict;

	if (REFUSE(document_policy, hm_policy_check(q->policy, error) != 0))
		return report_check(
		    q->report, "policy", HM_POLICY_EMPTY, NULL, error);
	/* One that is too long is no COSE either; this spares hashing it. */
	if (REFUSE(document_size, document == NULL || len > HM_DOCUMENT_MAX))
		return report_check(
		    q->report, "cose", HM_COSE_MALFORMED, NULL, NULL);
	if (EVP_Digest(document, len, sha256, NULL, EVP_sha256(), NULL) != 1)
		return HM_NO_MEMORY;
	verdict = question_ask(
	    q, (struct slice){document, len}, sha256, &answer);
	if (verdict == HM_VALID && out != NULL)
		answer_document(&answer, out);
	answer_fini(&answer);
	return verdict;
}

static enum hm_verdict verify_bare(const struct question *q,
    const uint8_t *document, size_t len, struct hm_document *out)
{
	enum hm_verdict verdict;

	if (out != NULL)
		memset(out, 0, sizeof(*out));
	/* What OpenSSL notes on refusals is not the caller's concern. */
	ERR_set_mark();
	verdict = ask_bare(q, document, len, out);
	ERR_pop_to_mark();
	return verdict;
}

enum hm_verdict hm_document_verify_live(const struct hm_policy *policy,
    struct hm_cache *cache, const uint8_t *document, size_t len, int64_t now_ms,
    const uint8_t *nonce, size_t nonce_len, struct hm_document *out,
    const struct hm_report *report)
{
	const struct question q = {
	    .policy = policy,
	    .cache = cache,
	    .report = report,
	    .live = true,
	    .limit_age = true,
	    .at_ms = question_time(now_ms),
	    .nonce = nonce,
	    .nonce_len = nonce_len,
	};

	return verify_bare(&q, document, len, out);
}

enum hm_verdict hm_quote_verify(const struct hm_policy *policy,
    struct hm_cache *cache, const uint8_t *quote, size_t len, int64_t at_ms,
    const uint8_t *held, size_t held_len, struct hm_document *out,
    const struct hm_report *report)
{
	const struct question q = {
	    .policy = policy,
	    .cache = cache,
	    .report = report,
	    .live = true,
	    .limit_age = true,
	    .at_ms = question_time(at_ms),
	    .held = {held, held_len},
	    .quote_only = true,
	};

	return verify_bare(&q, quote, len, out);
}

enum hm_verdict hm_document_verify_replay(const struct hm_policy *policy,
    struct hm_cache *cache, const uint8_t *document, size_t len,
    const uint8_t *nonce, size_t nonce_len, struct hm_document *out,
    const struct hm_report *report)
{
	const struct question q = {
	    .policy = policy,
	    .cache = cache,
	    .report = report,
	    .at_ms = -1,
	    .nonce = nonce,
	    .nonce_len = nonce_len,
	};

	return verify_bare(&q, document, len, out);
}

/* The chain's bounds if its certificates can be read; 0 and 0 if not. */
static void read_bounds(
    struct hm_document *out, const struct document_certs *certs)
{
	struct chain_facts facts;
	struct chain chain;

	ERR_set_mark();
	if (chain_open(&chain, certs, out->module_id, NULL, NULL) == HM_VALID) {
		chain_read_facts(&chain, &facts);
		out->not_before_ms = facts.not_before_ms;
		out->not_after_ms = facts.not_after_ms;
		chain_close(&chain);
	}
	ERR_pop_to_mark();
}

enum hm_verdict hm_document_read(
    const uint8_t *document, size_t len, struct hm_document *out)
{
	struct document_certs certs;
	enum hm_verdict verdict;
	struct cose cose;
	bool is_quote = quote_document_is((struct slice){document, len});

	memset(out, 0, sizeof(*out));
	verdict = is_quote ? quote_document_read(
				 out, (struct slice){document, len}, NULL)
			   : cose_parse(&cose, document, len);
	if (verdict == HM_VALID && !is_quote)
		verdict = document_parse(out, &certs, cose.payload);
	if (verdict != HM_VALID)
		return verdict;
	if (EVP_Digest(document, len, out->sha256, NULL, EVP_sha256(), NULL) !=
	    1) {
		memset(out, 0, sizeof(*out));
		return HM_NO_MEMORY;
	}
	if (is_quote)
		quote_document_bounds(out, (struct slice){document, len});
	else
		read_bounds(out, &certs);
	return HM_VALID;
}
