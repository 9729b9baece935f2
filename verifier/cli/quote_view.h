/* quote_view: what is in a quote, as JSON, for `hallmark inspect`. */
#ifndef HALLMARK_VERIFIER_CLI_QUOTE_VIEW_H
#define HALLMARK_VERIFIER_CLI_QUOTE_VIEW_H

#include "verifier/cli/quote_input.h"

#include <jansson.h>

/* Type, MrEnclaveHex, MrSignerHex, ProductIdHex, SecurityVersion, Attributes,
 * QuoteHex and EnclaveHeldDataHex as Microsoft's samples have them (null where
 * a trust domain has none), and then what else is in it. HM_VALID, or another
 * verdict and an object that names it. */
json_t *quote_view(const struct input *input, const struct quote_input *quote,
    enum hm_verdict *verdict);

#endif
