/* one_thing_wrong: a table of named cases: a document that is good but for
 * what `spoil` does, and the verdict that it must get. Prints each name (as a
 * TAP comment), with the verdict and the check that reported it: that one must
 * be the only one that failed. */
#ifndef HALLMARK_TESTS_VERIFIER_ONE_THING_WRONG_H
#define HALLMARK_TESTS_VERIFIER_ONE_THING_WRONG_H

#include "tests/unit/verifier/document_builder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct wrong {
	const char *name;
	void (*spoil)(struct builder *b); /* sets a hook or a value */
	enum hm_verdict verdict;
};

/* What a report said: the checks that failed. */
struct wrong_report {
	size_t failed;
	char check[32]; /* the last of them */
};

static inline void wrong_note(void *data, const char *check, bool passed,
    const char *wanted, const char *found)
{
	struct wrong_report *out = data;

	(void)wanted;
	(void)found;
	if (passed)
		return;
	out->failed++;
	snprintf(out->check, sizeof(out->check), "%s", check);
}

/* Which check gives this verdict on a document; "" for HM_VALID. */
static inline const char *wrong_check(enum hm_verdict verdict)
{
	switch (verdict) {
	case HM_VALID:
		return "";
	case HM_COSE_MALFORMED:
		return "cose";
	case HM_DOCUMENT_MALFORMED:
	case HM_NOT_AN_ENCLAVE:
		return "document";
	case HM_ROOT_UNTRUSTED:
		return "root";
	case HM_CHAIN_BROKEN:
		return "chain";
	case HM_CHAIN_EXPIRED:
	case HM_CHAIN_NOT_YET_VALID:
		return "chain_time";
	case HM_DOCUMENT_TOO_OLD:
	case HM_DOCUMENT_IN_FUTURE:
		return "document_time";
	case HM_CERTIFICATE_REVOKED:
		return "revoked";
	case HM_DEBUG_ENCLAVE:
		return "debug";
	case HM_RELEASE_WINDOW:
		return "release";
	case HM_POLICY_EMPTY:
		return "policy";
	case HM_NONCE_MISMATCH:
		return "nonce";
	case HM_PCR_MISMATCH:
		return "pcr"; /* and the number */
	default:              /* the two have one name */
		return hm_verdict_name(verdict);
	}
}

/* Prints the case; whether its verdict is the expected one, and that of one
 * check alone, whose name begins so. */
static inline bool wrong_ok(const char *name, enum hm_verdict expected,
    const char *check, enum hm_verdict found, const struct wrong_report *report)
{
	bool ok = found == expected && report->failed == (found != HM_VALID) &&
		  strncmp(report->check, check, strlen(check)) == 0;

	fflush(stdout);
	printf("# %-4s %-22s %-20s %s\n", ok ? "ok" : "BAD",
	    hm_verdict_name(found), report->check, name);
	return ok;
}

/* `cache` may be NULL; the last policy's roots are the document's own. */
static inline bool wrong_try(
    struct builder *b, const struct wrong *w, struct hm_cache *cache)
{
	struct wrong_report report = {0};
	const struct hm_report listen = {wrong_note, &report};
	struct hm_document document;
	struct hm_policy *policy;
	enum hm_verdict found;

	builder_reset(b);
	w->spoil(b);
	builder_make(b);
	policy = builder_policy(b);
	found = hm_document_verify_replay(policy, cache, b->document.at,
	    b->document.len, NULL, 0, &document, &listen);
	hm_policy_free(policy);
	if (found != HM_VALID)
		assert_int_equal(document.timestamp_ms, 0);
	return wrong_ok(
	    w->name, w->verdict, wrong_check(w->verdict), found, &report);
}

static inline void wrong_summary(size_t count, size_t bad)
{
	printf("# %zu cases, %zu with another verdict\n", count, bad);
	assert_int_equal(bad, 0);
}

static inline void wrong_run(
    struct builder *b, const struct wrong *cases, size_t count)
{
	size_t bad = 0;

	for (size_t i = 0; i < count; i++)
		bad += !wrong_try(b, &cases[i], NULL);
	wrong_summary(count, bad);
}

#endif
