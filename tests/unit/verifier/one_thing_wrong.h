/* one_thing_wrong: a table of named cases: a document that is good but for
 * what `spoil` does, and the verdict that it must get. Prints each name (as a
 * TAP comment). */
#ifndef HALLMARK_TESTS_VERIFIER_ONE_THING_WRONG_H
#define HALLMARK_TESTS_VERIFIER_ONE_THING_WRONG_H

#include "tests/unit/verifier/document_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

struct wrong {
	const char *name;
	void (*spoil)(struct builder *b); /* sets a hook or a value */
	enum hm_verdict verdict;
};

static inline enum hm_verdict wrong_verdict(
    struct builder *b, const struct wrong *w)
{
	struct hm_document document;
	struct hm_policy *policy;
	enum hm_verdict verdict;

	builder_reset(b);
	w->spoil(b);
	builder_make(b);
	policy = builder_policy(b);
	verdict = hm_document_verify_replay(policy, NULL, b->document.at,
	    b->document.len, NULL, 0, &document, NULL);
	hm_policy_free(policy);
	if (verdict != HM_VALID)
		assert_int_equal(document.timestamp_ms, 0);
	return verdict;
}

static inline void wrong_run(
    struct builder *b, const struct wrong *cases, size_t count)
{
	size_t bad = 0;

	for (size_t i = 0; i < count; i++) {
		enum hm_verdict found = wrong_verdict(b, &cases[i]);
		bool ok = found == cases[i].verdict;

		fflush(stdout);
		printf("# %-4s %-22s %s\n", ok ? "ok" : "BAD",
		    hm_verdict_name(found), cases[i].name);
		bad += !ok;
	}
	printf("# %zu cases, %zu with another verdict\n", count, bad);
	assert_int_equal(bad, 0);
}

#endif
