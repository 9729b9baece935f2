/* verify_head: the two questions about a head of the log; verify_signed.c has
 * the way. Besides, what an envelope holds. */
#include "feeds/check.h"
#include "verifier/envelope.h"
#include "verifier/moment.h"
#include "verifier/tree_head.h"
#include "verifier/verify_signed.h"

#include <stdlib.h>
#include <string.h>

bool hm_envelope_is_head(const struct hm_envelope *envelope)
{
	return envelope_has_format(envelope, TREE_HEAD_FORMAT);
}

static enum hm_verdict read_content(struct signed_trial *s, void *data)
{
	const struct hm_envelope *e = s->envelope;
	struct hm_head *head = data;
	int status = tree_head_decode(head, e->content, e->content_len);
	bool ok = REQUIRE(head_content_form, status == 0) &&
		  REQUIRE(head_content_published,
		      head->published_ms <= MOMENT_MAX_MS);

	s->boot_id = head->boot_id;
	s->config_sha256 = head->config_sha256;
	s->published_ms = head->published_ms;
	return signed_tell(s, "content", ok ? HM_VALID : HM_CONTENT_MALFORMED,
	    TREE_HEAD_FORMAT, NULL);
}

static enum hm_verdict accept(const struct signed_trial *s, void *data)
{
	struct hm_head *head = data;

	memcpy(head->content_sha256, s->sha256, HM_SHA256_LEN);
	answer_document(&s->answer, &head->document);
	return HM_VALID;
}

/* out may be NULL. */
static enum hm_verdict judge(struct signed_trial *s, struct hm_head *out)
{
	struct hm_head *head = out != NULL ? out : malloc(sizeof(*head));
	const struct signed_content content = {read_content, accept, head};
	enum hm_verdict verdict = HM_NO_MEMORY;

	if (head != NULL) {
		memset(head, 0, sizeof(*head));
		verdict = signed_judge(s, &content);
	}
	if (verdict != HM_VALID && head != NULL)
		memset(head, 0, sizeof(*head));
	if (out == NULL)
		free(head);
	return verdict;
}

enum hm_verdict hm_head_verify_live(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, int64_t now_ms,
    struct hm_head *out, const struct hm_report *report)
{
	struct signed_trial s;

	signed_init(
	    &s, policy, cache, envelope, document, document_len, report);
	signed_ask_live(&s, now_ms);
	return judge(&s, out);
}

enum hm_verdict hm_head_verify_replay(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const uint8_t *document, size_t document_len, struct hm_head *out,
    const struct hm_report *report)
{
	struct signed_trial s;

	signed_init(
	    &s, policy, cache, envelope, document, document_len, report);
	return judge(&s, out);
}
