/*
 * quote_document: a quote of SGX or TDX in the place of a document. Its form,
 * which is all of it that stays the same whatever the time and the policy;
 * judge_quote.h has the rest.
 */
#ifndef HALLMARK_VERIFIER_QUOTE_DOCUMENT_H
#define HALLMARK_VERIFIER_QUOTE_DOCUMENT_H

#include "verifier/established.h"

/* "sgx-dcap", "tdx" */
const char *quote_document_platform(const struct hm_quote *quote);

/* Whether these bytes begin as a quote does, which no COSE_Sign1 can. */
bool quote_document_is(struct slice bytes);

/* What it says: everything but sha256 and what is judged. HM_VALID, or
 * HM_QUOTE_MALFORMED, *out is zeroed and `why` (may be NULL) gets a text. */
HM_MUST_CHECK enum hm_verdict quote_document_read(
    struct hm_document *out, struct slice bytes, const char **why);

/* The times in which its PCK certificate and the CA above it are good, by their
 * own word, into not_before_ms and not_after_ms; 0 and 0 if they cannot be
 * read. For bytes that quote_document_read() has taken. */
void quote_document_bounds(struct hm_document *out, struct slice bytes);

/* As established_new(), with a copy of the bytes in it. Reports "quote" only
 * if it fails: judging reports it. */
HM_MUST_CHECK enum hm_verdict quote_document_establish(struct established **out,
    struct slice bytes, const uint8_t sha256[HM_SHA256_LEN],
    const struct hm_report *report);

#endif
