/* verify_quote: `hallmark verify QUOTE`. */
#ifndef HALLMARK_VERIFIER_CLI_VERIFY_QUOTE_H
#define HALLMARK_VERIFIER_CLI_VERIFY_QUOTE_H

#include "verifier/cli/quote_input.h"

/* Judges the quote at at_ms, with what it came with: the key of GET
 * /attestation, claims of an evidence, the data of a JSON page or of --held. */
HM_MUST_CHECK enum hm_verdict verify_quote(const struct hm_policy *policy,
    const struct input *input, const struct quote_input *quote, int64_t at_ms,
    struct hm_document *out, const struct hm_report *report);

/* "VALID ..." of a quote that is. */
void verify_quote_print(
    const struct hm_document *document, const struct quote_input *quote);

#endif
