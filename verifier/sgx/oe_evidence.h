/*
 * oe_evidence: what Open Enclave puts around a quote (openenclave/internal/
 * report.h, common/attest_plugin.h, docs of oe_serialize_custom_claims):
 *
 *   report    u32 1 | u32 2 (remote) | u64 size | quote [| claims]
 *   evidence  u32 2 or 3 | format UUID 16 | u64 size | report or quote [|
 * claims] claims    u64 1 | u64 count | count x (u64 name, u64 value, name NUL,
 * value)
 *
 * and everything behind a quote is what the enclave held when it was made:
 * report_data is its SHA-256 and zeros. Every size in here was written by
 * whoever made the file. The evidence's own u64 is where a compiler puts it on
 * x86-64, at 24, and is taken at 20 as well, where a packed struct has it: the
 * one that is exactly what follows.
 */
#ifndef HALLMARK_VERIFIER_OE_EVIDENCE_H
#define HALLMARK_VERIFIER_OE_EVIDENCE_H

#include "verifier/cursor.h"

#define OE_CLAIMS_MAX     64  /* custom claims of one evidence */
#define OE_CLAIM_NAME_MAX 128 /* bytes, without the NUL */
#define OE_UUID_LEN       16

enum oe_form {
	OE_BARE, /* a quote and no more, or none of all this */
	OE_REPORT,
	OE_EVIDENCE
};

struct oe_evidence { /* slices of the caller's bytes */
	enum oe_form form;
	uint8_t format_id[OE_UUID_LEN]; /* of an evidence */
	const char *format;             /* its name, or NULL */
	struct slice quote;
	struct slice held; /* behind the quote; at NULL: nothing */
};

/*
 * 0; or -1 and why (a static text): it begins like one of the two and is not,
 * or is one of another kind (a local report). Bytes that begin like neither
 * are OE_BARE, and all of them the quote: judge that with sgx_quote_parse().
 */
CURSOR_MUST_CHECK int oe_evidence_open(
    struct oe_evidence *out, struct slice bytes, const char **why);

struct oe_claim {
	struct slice name; /* without its NUL, printable ASCII */
	struct slice value;
};

/* What is held, if it has the form of custom claims: 0, or -1 and *count 0.
 * (It may be any other bytes.) */
CURSOR_MUST_CHECK int oe_claims_read(
    struct slice held, struct oe_claim out[OE_CLAIMS_MAX], size_t *count);

#endif
