/* one_question_wrong: as one_thing_wrong, asked live: the clock, the nonce
 * asked for and the policy may be what is wrong. */
#ifndef HALLMARK_TESTS_VERIFIER_ONE_QUESTION_WRONG_H
#define HALLMARK_TESTS_VERIFIER_ONE_QUESTION_WRONG_H

#include "tests/unit/verifier/one_thing_wrong.h"

struct asked {
	const char *name;
	int64_t after_ms; /* the verifier's clock, from the builder's now */
	void (*spoil)(struct builder *x);      /* NULL: nothing */
	void (*policy)(struct hm_policy *own); /* NULL: as it is */
	const char *nonce;                     /* NULL: not asked for */
	enum hm_verdict verdict;
};

static inline bool asked_try(struct builder *b, const struct asked *a)
{
	struct wrong_report report = {0};
	const struct hm_report listen = {wrong_note, &report};
	static struct hm_document out, zero;
	struct hm_policy *policy;
	enum hm_verdict found;

	builder_reset(b);
	if (a->spoil != NULL)
		a->spoil(b);
	builder_make(b);
	policy = builder_policy(b);
	if (a->policy != NULL)
		a->policy(policy);
	memset(&out, 0xaa, sizeof(out));
	found = hm_document_verify_live(policy, NULL, b->document.at,
	    b->document.len, BUILDER_NOW_MS + a->after_ms,
	    (const uint8_t *)a->nonce, a->nonce != NULL ? strlen(a->nonce) : 0,
	    &out, &listen);
	hm_policy_free(policy);
	if (found != HM_VALID)
		assert_memory_equal(&out, &zero, sizeof(out));
	return wrong_ok(
	    a->name, a->verdict, wrong_check(a->verdict), found, &report);
}

static inline void asked_run(
    struct builder *b, const struct asked *cases, size_t count)
{
	size_t bad = 0;

	for (size_t i = 0; i < count; i++)
		bad += !asked_try(b, &cases[i]);
	wrong_summary(count, bad);
}

#define ASKED_RUN(b, cases) \
	asked_run(b, cases, sizeof(cases) / sizeof(cases[0]))

#endif
