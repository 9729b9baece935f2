/*
 * verify_bundle: `hallmark verify BUNDLE`: every item, head and number in it,
 * as of its own time, like hallmark replay; and first, by whose policy.
 */
#ifndef HALLMARK_VERIFIER_CLI_VERIFY_BUNDLE_H
#define HALLMARK_VERIFIER_CLI_VERIFY_BUNDLE_H

#include "verifier/cli/verify_options.h"

/* What options->file, a bundle, is worth: prints it, and returns the exit
 * code. */
int verify_bundle(const struct verify_options *options);

#endif
