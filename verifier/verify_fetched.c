/* verify_fetched: the two questions about a fetched answer;
 * verify_signed.c has the way. An answer does not expire, and it is one to a
 * certain request. */
#include "feeds/check.h"
#include "verifier/fetched.h"
#include "verifier/moment.h"
#include "verifier/verify_signed.h"

#include <stdio.h>
#include <string.h>

#define REQUEST_TEXT_MAX 1320 /* the longest as a URL, and a NUL */

/* One answer under judgement. */
struct trial {
	struct signed_trial s;
	const struct hm_fetch_request *asked; /* may be NULL */
	struct hm_fetched fetched;            /* set by read_content */
};

static enum hm_verdict read_content(struct signed_trial *s, void *data)
{
	const struct hm_envelope *e = s->envelope;
	struct hm_fetched *fetched = &((struct trial *)data)->fetched;
	int status = fetched_decode(fetched, e->content, e->content_len);
	bool ok = REQUIRE(fetched_content_form, status == 0) &&
		  REQUIRE(fetched_content_time,
		      fetched->fetched_ms <= MOMENT_MAX_MS);

	s->boot_id = fetched->boot_id;
	s->config_sha256 = fetched->config_sha256;
	s->published_ms = fetched->fetched_ms;
	return signed_tell(s, "content", ok ? HM_VALID : HM_CONTENT_MALFORMED,
	    FETCHED_FORMAT, ok ? fetched->hostname : NULL);
}

static void describe(const char *hostname, unsigned port, const char *path,
    char out[static REQUEST_TEXT_MAX])
{
	snprintf(
	    out, REQUEST_TEXT_MAX, "https://%s:%u%s", hostname, port, path);
}

static enum hm_verdict check_asked(const struct trial *t)
{
	const struct hm_fetched *f = &t->fetched;
	const struct hm_fetch_request *a = t->asked;
	char wanted[REQUEST_TEXT_MAX], found[REQUEST_TEXT_MAX];
	bool same;

	if (a == NULL)
		return HM_VALID;
	describe(a->hostname, a->port, a->path, wanted);
	describe(f->hostname, f->port, f->path, found);
	same = REQUIRE(
		   fetched_asked_host, strcmp(a->hostname, f->hostname) == 0) &&
	       REQUIRE(fetched_asked_port, a->port == f->port) &&
	       REQUIRE(fetched_asked_path, strcmp(a->path, f->path) == 0);
	return signed_tell(&t->s, "request",
	    same ? HM_VALID : HM_REQUEST_MISMATCH, wanted, found);
}

static enum hm_verdict accept(const struct signed_trial *s, void *data)
{
	struct trial *t = data;
	enum hm_verdict verdict = check_asked(t);

	memcpy(t->fetched.content_sha256, s->sha256, HM_SHA256_LEN);
	if (verdict == HM_VALID)
		answer_document(&s->answer, &t->fetched.document);
	return verdict;
}

/* out may be NULL. */
static enum hm_verdict judge(struct trial *t,
    const struct hm_fetch_request *asked, struct hm_fetched *out)
{
	const struct signed_content content = {read_content, accept, t};
	enum hm_verdict verdict;

	t->asked = asked;
	t->s.without_platform = true;
	memset(&t->fetched, 0, sizeof(t->fetched));
	verdict = signed_judge(&t->s, &content);
	if (verdict != HM_VALID || out == NULL)
		hm_fetched_fini(&t->fetched);
	if (out != NULL)
		*out = t->fetched;
	return verdict;
}

enum hm_verdict hm_fetch_verify_live(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const struct hm_fetch_request *asked, int64_t now_ms,
    struct hm_fetched *out, const struct hm_report *report)
{
	struct trial t;

	signed_init(&t.s, policy, cache, envelope, NULL, 0, report);
	signed_ask_live(&t.s, now_ms);
	return judge(&t, asked, out);
}

enum hm_verdict hm_fetch_verify_replay(const struct hm_policy *policy,
    struct hm_cache *cache, const struct hm_envelope *envelope,
    const struct hm_fetch_request *asked, struct hm_fetched *out,
    const struct hm_report *report)
{
	struct trial t;

	signed_init(&t.s, policy, cache, envelope, NULL, 0, report);
	return judge(&t, asked, out);
}
