/* bundle_policy: a policy file, and the root certificates and the collateral
 * that it names, as they stand in a bundle. */
#ifndef HALLMARK_VERIFIER_CLI_BUNDLE_POLICY_H
#define HALLMARK_VERIFIER_CLI_BUNDLE_POLICY_H

#include "verifier/archive/archive_bundle.h"
#include "verifier/daemon/policy_file.h"

/* Reads it; created_ms stays 0. archive_bundle_about_fini() after. 0, or -1 and
 * which file is wrong and why. */
HM_MUST_CHECK int bundle_policy_load(struct archive_bundle_about *out,
    const char *path, char error[static POLICY_FILE_ERROR_MAX]);

#endif
