/* verify_item: the two questions about an item; verify_signed.c has the way. An
 * item alone expires. */
#include "verifier/verify_item.h"

#include "feeds/check.h"
#include "verifier/moment.h"
#include "verifier/quorum.h"
#include "verifier/report.h"
#include "verifier/verify_signed.h"

#include <stdio.h>
#include <string.h>

/* One item under judgement. */
struct trial {
	struct signed_trial s;
	struct item item;    /* set by read_content */
	struct hm_item *out; /* may be NULL */
};

static enum hm_verdict read_content(struct signed_trial *s, void *data)
{
	const struct hm_envelope *e = s->envelope;
	struct item *item = &((struct trial *)data)->item;
	int status = item_decode(item, e->content, e->content_len);
	bool ok = REQUIRE(content_form, status == 0) &&
		  REQUIRE(
		      content_published, item->published_ms <= MOMENT_MAX_MS);

	s->boot_id = item->boot_id;
	s->config_sha256 = item->config_sha256;
	s->published_ms = item->published_ms;
	return signed_tell(s, "content", ok ? HM_VALID : HM_CONTENT_MALFORMED,
	    ITEM_FORMAT, ok ? item->feed : NULL);
}

static enum hm_verdict check_expires(
    const struct signed_trial *s, const struct item *item)
{
	char wanted[MOMENT_TEXT_MAX] = "", found[MOMENT_TEXT_MAX] = "";
	bool expired;

	if (!s->question.live)
		return HM_VALID;
	if (report_wanted(s->question.report)) {
		moment_format(item->expires_ms, wanted);
		moment_format(s->question.at_ms, found);
	}
	expired = REFUSE(item_expired, s->question.at_ms > item->expires_ms);
	return signed_tell(
	    s, "expires", expired ? HM_ITEM_EXPIRED : HM_VALID, wanted, found);
}

static unsigned used_sources(const struct item *item)
{
	unsigned used = 0;

	for (size_t i = 0; i < item->source_count; i++)
		used += item->sources[i].state == SOURCE_USED;
	return used;
}

static void copy_price(struct hm_item *out, const struct item *item)
{
	out->ok = item->status == ITEM_OK;
	if (!out->ok) {
		snprintf(out->reason, sizeof(out->reason), "%s",
		    item_reason_name(item->reason));
		return;
	}
	decimal_format(item->price, out->price);
	decimal_format(item->confidence, out->confidence);
}

static void fill(
    const struct signed_trial *s, const struct item *item, struct hm_item *out)
{
	memcpy(out->content_sha256, s->sha256, HM_SHA256_LEN);
	snprintf(out->feed, sizeof(out->feed), "%s", item->feed);
	memcpy(out->boot_id, item->boot_id, sizeof(out->boot_id));
	out->sequence = item->sequence;
	copy_price(out, item);
	out->published_ms = item->published_ms;
	out->expires_ms = item->expires_ms;
	out->sources_used = used_sources(item);
	out->sources_total = (unsigned)item->source_count;
	memcpy(out->previous_sha256, item->previous_sha256, HM_SHA256_LEN);
	memcpy(out->config_sha256, item->config_sha256, HM_SHA256_LEN);
	answer_document(&s->answer, &out->document);
}

static enum hm_verdict accept(const struct signed_trial *s, void *data)
{
	struct trial *t = data;
	enum hm_verdict verdict = check_expires(s, &t->item);

	if (verdict == HM_VALID && t->out != NULL)
		fill(s, &t->item, t->out);
	return verdict;
}

/* What the quorum has to know of the item, if the caller wants no more. */
static void identify(const struct trial *t, struct hm_item *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->content_sha256, t->s.sha256, HM_SHA256_LEN);
	memcpy(out->boot_id, t->item.boot_id, sizeof(out->boot_id));
	snprintf(out->feed, sizeof(out->feed), "%s", t->item.feed);
	out->sequence = t->item.sequence;
	out->published_ms = t->item.published_ms;
	out->ok = t->item.status == ITEM_OK;
}

/* Once the item's own document is done with: others' come now. */
static enum hm_verdict check_quorum(struct trial *t, struct hm_item *out)
{
	const struct question *q = &t->s.question;
	struct hm_item *item = out, own;

	/* unnamed: nothing to ask, or nobody to be told */
	if (q->policy->quorum == 0 && out == NULL && !report_wanted(q->report))
		return HM_VALID;
	if (item == NULL) {
		item = &own;
		identify(t, item);
	}
	return quorum_judge(q->policy, q->cache, t->s.envelope,
	    q->live ? &q->at_ms : NULL, item, q->report);
}

static enum hm_verdict judge_alone(struct trial *t, struct hm_item *out)
{
	const struct signed_content content = {read_content, accept, t};

	t->out = out;
	if (out != NULL)
		memset(out, 0, sizeof(*out));
	return signed_judge(&t->s, &content);
}

static enum hm_verdict judge(struct trial *t, struct hm_item *out)
{
	enum hm_verdict verdict = judge_alone(t, out);

	if (verdict == HM_VALID)
		verdict = check_quorum(t, out);
	if (verdict != HM_VALID && out != NULL)
		memset(out, 0, sizeof(*out));
	return verdict;
}

enum hm_verdict hm_item_verify_live(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, int64_t now_ms,
    struct hm_item *out, const struct hm_report *report)
{
	struct trial t;

	signed_init(
	    &t.s, policy, cache, envelope, document, document_len, report);
	signed_ask_live(&t.s, now_ms);
	return judge(&t, out);
}

/* As an envelope, but for the signature. */
static void attested_envelope(
    const struct hm_attested *attested, struct hm_envelope *out)
{
	memset(out, 0, sizeof(*out));
	out->content = attested->content;
	out->content_len = attested->content_len;
	out->public_key = attested->public_key;
	memcpy(out->platform, attested->platform, sizeof(out->platform));
	memcpy(out->attestation_sha256, attested->attestation_sha256,
	    HM_SHA256_LEN);
	out->document = attested->document;
	out->document_len = attested->document_len;
}

enum hm_verdict hm_item_verify_attested(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_attested *attested,
    const uint8_t *nonce, size_t nonce_len, int64_t now_ms, struct hm_item *out,
    const struct hm_report *report)
{
	const struct signed_attested by = {
	    .nonce = nonce,
	    .nonce_len = nonce_len,
	    .index = attested->nonce_index,
	    .size = attested->nonce_size,
	    .path = attested->nonce_path,
	    .path_len = attested->nonce_path_len,
	};
	struct hm_envelope envelope;
	struct trial t;

	attested_envelope(attested, &envelope);
	signed_init(&t.s, policy, cache, &envelope, NULL, 0, report);
	signed_ask_live(&t.s, now_ms);
	t.s.question.limit_age = true;
	t.s.attested = &by;
	return judge(&t, out);
}

enum hm_verdict hm_item_verify_replay(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, struct hm_item *out,
    const struct hm_report *report)
{
	struct trial t;

	signed_init(
	    &t.s, policy, cache, envelope, document, document_len, report);
	return judge(&t, out);
}

enum hm_verdict verify_item_alone(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, struct hm_item *out)
{
	struct trial t;
	enum hm_verdict verdict;

	signed_init(
	    &t.s, policy, cache, envelope, document, document_len, NULL);
	verdict = judge_alone(&t, out);
	if (verdict != HM_VALID)
		memset(out, 0, sizeof(*out));
	return verdict;
}

enum hm_verdict verify_item_and_content(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, const int64_t *now_ms,
    struct hm_item *out, struct item *content)
{
	struct trial t;
	enum hm_verdict verdict;

	signed_init(
	    &t.s, policy, cache, envelope, document, document_len, NULL);
	if (now_ms != NULL)
		signed_ask_live(&t.s, *now_ms);
	verdict = judge(&t, out);
	if (verdict == HM_VALID)
		item_copy(content, &t.item);
	else
		memset(content, 0, sizeof(*content));
	return verdict;
}
