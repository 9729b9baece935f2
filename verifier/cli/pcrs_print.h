/* pcrs_print: a good image as text, as JSON and as a policy. */
#ifndef HALLMARK_VERIFIER_CLI_PCRS_PRINT_H
#define HALLMARK_VERIFIER_CLI_PCRS_PRINT_H

#include "verifier/cli/eif_image.h"

/* To standard output; 0, or -1 if that fails. */
HM_MUST_CHECK int pcrs_text(const struct eif_image *image);

/* New references; NULL: no memory. */
json_t *pcrs_json(const struct eif_image *image);

/* A policy that accepts this image alone, and that hm_policy_parse() accepts.
 * config_pcr: PCR16, or NULL. NULL: the name or the root cannot be used, and
 * why. */
json_t *pcrs_policy(const struct eif_image *image, const char *name,
    const char *root, const uint8_t *config_pcr, char error[HM_TEXT_MAX]);

#endif
