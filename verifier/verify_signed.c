/*
 * verify_signed: see verify_signed.h.
 *
 * The way: the content is read (strictly, it has one reading); the document is
 * the one whose hash the envelope names; the document is good; the envelope
 * names its platform; the key in the envelope is the attested one; it signed
 * these very bytes; the content's boot and configuration are the attested
 * ones; and the times agree. Nothing of the content is believed before the
 * signature was found good, but its published_ms says at what instant a replay
 * asks about release windows: a lie there fails with the signature.
 *
 * Two clocks meet here, the enclave's (published_ms) and the hypervisor's (the
 * document's timestamp). They may differ by the policy's max_future_s.
 */
#include "verifier/verify_signed.h"

#include "feeds/check.h"
#include "feeds/hex.h"
#include "verifier/attested_data.h"
#include "verifier/moment.h"
#include "verifier/report.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

enum hm_verdict signed_tell(const struct signed_trial *t, const char *check,
    enum hm_verdict verdict, const char *wanted, const char *found)
{
	return report_check(t->question.report, check, verdict, wanted, found);
}

static enum hm_verdict check_envelope(struct signed_trial *t)
{
	const struct hm_envelope *e = t->envelope;
	bool ok = REQUIRE(envelope_null, e != NULL) &&
		  REQUIRE(envelope_content, e->content != NULL) &&
		  REQUIRE(envelope_signature,
		      t->attested != NULL || e->signature != NULL) &&
		  REQUIRE(envelope_key, e->public_key != NULL) &&
		  REQUIRE(envelope_platform,
		      memchr(e->platform, '\0', sizeof(e->platform)) != NULL) &&
		  REQUIRE(envelope_document_max,
		      t->document.len <= HM_DOCUMENT_MAX);

	return signed_tell(
	    t, "envelope", ok ? HM_VALID : HM_ENVELOPE_MALFORMED, NULL, NULL);
}

static enum hm_verdict check_hash(struct signed_trial *t)
{
	const uint8_t *named = t->envelope->attestation_sha256;
	char wanted[2 * HM_SHA256_LEN + 1] = "";
	char found[2 * HM_SHA256_LEN + 1] = "";
	uint8_t sha256[HM_SHA256_LEN];
	bool same;

	if (report_wanted(t->question.report))
		hex_encode(named, HM_SHA256_LEN, wanted);
	if (t->document.at == NULL)
		return signed_tell(
		    t, "attestation_hash", HM_VALID, wanted, "by reference");
	if (EVP_Digest(t->document.at, t->document.len, sha256, NULL,
		EVP_sha256(), NULL) != 1)
		return HM_NO_MEMORY;
	if (report_wanted(t->question.report))
		hex_encode(sha256, HM_SHA256_LEN, found);
	same = REQUIRE(
	    attestation_hash, memcmp(sha256, named, HM_SHA256_LEN) == 0);
	return signed_tell(t, "attestation_hash",
	    same ? HM_VALID : HM_ATTESTATION_MISMATCH, wanted, found);
}

/* Of a result inside an attestation: the document was made for the asker. */
static enum hm_verdict check_nonce(const struct signed_trial *t)
{
	const struct hm_bytes *found = &t->answer.facts->document.nonce;
	const struct signed_attested *a = t->attested;
	bool same = REQUIRE(attested_nonce,
	    hm_nonce_verify(found->bytes, found->len, a->nonce, a->nonce_len,
		a->index, a->size, a->path, a->path_len) == HM_VALID);

	return signed_tell(t, "nonce", same ? HM_VALID : HM_NONCE_MISMATCH,
	    "the nonce that was asked with",
	    !same          ? "a document for another one"
	    : a->size == 0 ? "that"
			   : "that, one of a batch");
}

static enum hm_verdict check_document(struct signed_trial *t)
{
	enum hm_verdict verdict;

	t->question.held_pem = t->envelope->public_key;
	verdict = question_ask(&t->question, t->document,
	    t->envelope->attestation_sha256, &t->answer);

	if (verdict == HM_ATTESTATION_MISSING)
		return signed_tell(t, "attestation", verdict,
		    "the document that the item refers to", "none");
	if (verdict == HM_VALID && t->attested != NULL)
		verdict = check_nonce(t);
	return verdict;
}

static enum hm_verdict check_platform(struct signed_trial *t)
{
	const char *wanted = t->answer.platform;
	const char *found = t->envelope->platform;
	bool same = REQUIRE(item_platform, strcmp(wanted, found) == 0);

	if (t->without_platform)
		return HM_VALID;
	return signed_tell(t, "platform",
	    same ? HM_VALID : HM_PLATFORM_MISMATCH, wanted, found);
}

static enum hm_verdict check_public_key(struct signed_trial *t)
{
	uint64_t epoch = t->answer.facts->document.key_epoch;
	const struct item_key *key = t->answer.key;
	char found[HM_TEXT_MAX] = "the attested RSA key";
	bool ok = REQUIRE(item_key_attested, key->pkey != NULL) &&
		  REQUIRE(item_key_same,
		      strcmp(key->pem, t->envelope->public_key) == 0);

	if (epoch > 0 && report_wanted(t->question.report))
		snprintf(found, sizeof(found),
		    "the attested RSA key, of key_epoch %" PRIu64, epoch);
	return signed_tell(t, "public_key", ok ? HM_VALID : HM_KEY_NOT_ATTESTED,
	    "the attested RSA key",
	    key->pkey == NULL ? "no such key in the document"
	    : ok              ? found
			      : "another key");
}

/* The hash of these very bytes in the document itself. */
static enum hm_verdict check_attested_content(struct signed_trial *t)
{
	const struct hm_bytes *bytes = &t->answer.facts->document.user_data;
	char wanted[2 * HM_SHA256_LEN + 1] = "none";
	char found[2 * HM_SHA256_LEN + 1];
	struct attested_data data;
	int status = attested_data_parse(
	    &data, (struct slice){bytes->bytes, bytes->len});
	bool same;

	if (EVP_Digest(t->envelope->content, t->envelope->content_len,
		t->sha256, NULL, EVP_sha256(), NULL) != 1)
		return HM_NO_MEMORY;
	hex_encode(t->sha256, HM_SHA256_LEN, found);
	if (status == 0 && data.has_content)
		hex_encode(data.content_sha256, HM_SHA256_LEN, wanted);
	same = REQUIRE(attested_content, strcmp(wanted, found) == 0);
	return signed_tell(t, "attested_content",
	    same ? HM_VALID : HM_CONTENT_NOT_ATTESTED, wanted, found);
}

static enum hm_verdict check_signature(struct signed_trial *t)
{
	const struct hm_envelope *e = t->envelope;
	bool ok;

	if (t->attested != NULL)
		return check_attested_content(t);
	ok = item_key_verifies(t->answer.key,
	    (struct slice){(const uint8_t *)e->content, e->content_len},
	    (struct slice){e->signature, e->signature_len}, t->sha256);
	return signed_tell(t, "item_signature",
	    REQUIRE(item_signature, ok) ? HM_VALID : HM_ITEM_SIGNATURE, NULL,
	    NULL);
}

/* A quote has room for one hash, and that is the key's: who holds the key says
 * which boot it is, and the configuration is a file that the enclave measures
 * with its code. */
static enum hm_verdict tell_unbound(struct signed_trial *t)
{
	return signed_tell(t, "user_data", HM_VALID, NULL,
	    "in no quote: the key vouches for boot_id, the measured code for "
	    "the configuration");
}

static enum hm_verdict check_user_data(struct signed_trial *t)
{
	const struct hm_document *document = &t->answer.facts->document;
	const struct hm_bytes *bytes = &document->user_data;
	struct attested_data attested;
	const char *found = NULL;
	int status = attested_data_parse(
	    &attested, (struct slice){bytes->bytes, bytes->len});
	int boot = memcmp(
	    attested.boot_id, t->boot_id, sizeof(attested.boot_id));
	int config = memcmp(
	    attested.config_sha256, t->config_sha256, HM_SHA256_LEN);

	if (document->quote.present)
		return tell_unbound(t);
	if (REFUSE(user_data_form, status != 0))
		found = "no boot_id and config_sha256 in the document";
	else if (REFUSE(user_data_boot, boot != 0))
		found = "another boot_id";
	else if (REFUSE(user_data_config, config != 0))
		found = "another config_sha256";
	/* unnamed: by the three above */
	return signed_tell(t, "user_data",
	    found == NULL ? HM_VALID : HM_USER_DATA_MISMATCH,
	    "the attested boot_id and config_sha256", found);
}

/* Until when the document's certificates are good. */
static int64_t until_of(const struct signed_trial *t)
{
	const struct hm_document *document = &t->answer.facts->document;

	return document->quote.present ? t->answer.found.not_after_ms
				       : document->not_after_ms;
}

/* Within the document's life, and, live, neither old nor from the future. */
static enum hm_verdict judge_published(const struct signed_trial *t)
{
	const struct hm_document *document = &t->answer.facts->document;
	const struct hm_policy *policy = t->question.policy;
	int64_t published = t->published_ms;
	int64_t ahead_ms = published - t->question.at_ms;

	if (REFUSE(item_before_document,
		t->attested == NULL &&
		    published < document->timestamp_ms - policy->max_future_ms))
		return HM_ITEM_BEFORE_DOCUMENT;
	if (REFUSE(item_after_chain, published > until_of(t)))
		return HM_ITEM_AFTER_CHAIN;
	if (!t->question.live)
		return HM_VALID;
	if (REFUSE(item_future, ahead_ms > policy->max_future_ms))
		return HM_ITEM_IN_FUTURE;
	if (REFUSE(item_age, -ahead_ms > policy->max_age_ms))
		return HM_ITEM_TOO_OLD;
	return HM_VALID;
}

/* The bounds of judge_published(), for people. */
static void describe_bounds(const struct signed_trial *t, char out[HM_TEXT_MAX])
{
	const struct hm_document *document = &t->answer.facts->document;
	const struct hm_policy *policy = t->question.policy;
	int64_t from_ms = document->timestamp_ms - policy->max_future_ms;
	int64_t until_ms = until_of(t);
	int64_t oldest_ms = t->question.at_ms - policy->max_age_ms;
	int64_t newest_ms = t->question.at_ms + policy->max_future_ms;
	char from[MOMENT_TEXT_MAX], until[MOMENT_TEXT_MAX];

	if (t->question.live && (oldest_ms > from_ms || t->attested != NULL))
		from_ms = oldest_ms;
	if (t->question.live && newest_ms < until_ms)
		until_ms = newest_ms;
	moment_format(from_ms, from);
	moment_format(until_ms, until);
	snprintf(out, HM_TEXT_MAX, "%s to %s", from, until);
}

static enum hm_verdict check_published(struct signed_trial *t)
{
	char wanted[HM_TEXT_MAX] = "", found[MOMENT_TEXT_MAX] = "";

	if (report_wanted(t->question.report)) {
		describe_bounds(t, wanted);
		moment_format(t->published_ms, found);
	}
	return signed_tell(t, "published", judge_published(t), wanted, found);
}

static enum hm_verdict (*const steps[])(struct signed_trial *t) = {
    check_hash,
    check_document,
    check_platform,
    check_public_key,
    check_signature,
    check_user_data,
    check_published,
};

static enum hm_verdict run(
    struct signed_trial *t, const struct signed_content *content)
{
	enum hm_verdict verdict;
	char error[HM_TEXT_MAX];
	int status = hm_policy_check(t->question.policy, error);

	if (REFUSE(item_policy, status != 0))
		return signed_tell(t, "policy", HM_POLICY_EMPTY, NULL, error);
	verdict = check_envelope(t);
	if (verdict == HM_VALID)
		verdict = content->read(t, content->data);
	if (verdict == HM_VALID && !t->question.live)
		t->question.at_ms = question_time(t->published_ms);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (verdict == HM_VALID)
			verdict = steps[i](t);
	}
	return verdict == HM_VALID ? content->accept(t, content->data)
				   : verdict;
}

enum hm_verdict signed_judge(
    struct signed_trial *t, const struct signed_content *content)
{
	enum hm_verdict verdict;

	ERR_set_mark();
	verdict = run(t, content);
	ERR_pop_to_mark();
	answer_fini(&t->answer);
	return verdict;
}

/* The document inside goes before one that is supplied. */
static struct slice choose_document(const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len)
{
	if (envelope != NULL && envelope->document != NULL)
		return (struct slice){
		    envelope->document, envelope->document_len};
	if (document != NULL)
		return (struct slice){document, document_len};
	return (struct slice){NULL, 0};
}

void signed_init(struct signed_trial *t, const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len,
    const struct hm_report *report)
{
	memset(t, 0, sizeof(*t));
	t->question.policy = policy;
	t->question.cache = cache;
	t->question.report = report;
	t->envelope = envelope;
	t->document = choose_document(envelope, document, document_len);
}

void signed_ask_live(struct signed_trial *t, int64_t now_ms)
{
	t->question.live = true;
	t->question.at_ms = question_time(now_ms);
}
