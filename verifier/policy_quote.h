/*
 * policy_quote: what a policy says of the quotes of Intel SGX and TDX: the
 * roots, the collateral, how well patched a platform must be, and the
 * measurements of its releases. hallmark.h tells what each function does.
 */
#ifndef HALLMARK_VERIFIER_POLICY_QUOTE_H
#define HALLMARK_VERIFIER_POLICY_QUOTE_H

#include "verifier/cursor.h"
#include "verifier/hallmark.h"
#include "verifier/quote_memo.h"
#include "verifier/sgx/sgx_verify.h"

#define POLICY_QUOTE_ROOTS_MAX      4
#define POLICY_COLLATERAL_FILES_MAX 64 /* platforms times parts */
#define POLICY_MEASURES_MAX         64 /* of one release */

/* Which measurement; the names are those of reports and of the policy file. */
enum policy_measure_kind {
	POLICY_MRENCLAVE,
	POLICY_MRSIGNER,
	POLICY_MRTD,
	POLICY_RTMR0, /* and three more */
	POLICY_MEASURE_KINDS = POLICY_RTMR0 + HM_RTMR_COUNT
};

struct policy_measure {
	enum policy_measure_kind kind;
	uint8_t value[HM_PCR_LEN]; /* as long as its kind is */
};

struct policy_measures { /* of a release; kinds 0: it is one with PCRs */
	struct policy_measure *list; /* owned */
	size_t count;
	unsigned kinds;               /* 1u << kind, of those pinned */
	uint16_t product_id, min_svn; /* with an MRSIGNER */
};

struct policy_quotes {
	struct sgx_root roots[POLICY_QUOTE_ROOTS_MAX];
	char names[POLICY_QUOTE_ROOTS_MAX][HM_TEXT_MAX]; /* of them */
	size_t root_count;
	struct sgx_collateral *collateral;        /* owned; NULL: none */
	char *files[POLICY_COLLATERAL_FILES_MAX]; /* owned */
	size_t file_count;
	struct quote_memo *memo; /* owned; NULL: no root, no memory */
	unsigned statuses;       /* 0: UpToDate only */
	bool insecure_without_collateral;
};

void policy_quotes_fini(struct policy_quotes *quotes);
void policy_measures_fini(struct policy_measures *measures);

/* "mrenclave", "rtmr0" ... */
const char *policy_measure_name(enum policy_measure_kind kind);
size_t policy_measure_len(enum policy_measure_kind kind);
/* What the quote has of this kind; at NULL: it is of another platform. */
struct slice policy_measure_of(
    const struct hm_quote *quote, enum policy_measure_kind kind);

/* Whether the quote has it and it is one of the release's values for it; true
 * if the release does not pin it. */
bool policy_measure_ok(const struct policy_measures *measures,
    const struct hm_quote *quote, enum policy_measure_kind kind);
/* All kinds, and the product and version that go with an MRSIGNER. False for a
 * release that pins no measurement. */
bool policy_measures_ok(
    const struct policy_measures *measures, const struct hm_quote *quote);

/* Those that are accepted, for struct sgx_policy. */
unsigned policy_quote_statuses(const struct policy_quotes *quotes);

/* A root by the DER of its certificate; 0, or -1: it is no such root, or one
 * too many. `name_taken`: nobody else's root is called like a known one. */
HM_MUST_CHECK int policy_quote_add_root(struct hm_policy *policy,
    struct slice der, bool (*name_taken)(const char *name));
/* Intel's. */
HM_MUST_CHECK int policy_quote_add_intel(struct hm_policy *policy);

/* For policy_quote_json.c; 0 or -1. */
HM_MUST_CHECK int policy_add_collateral_file(
    struct hm_policy *policy, const char *path);

#endif
