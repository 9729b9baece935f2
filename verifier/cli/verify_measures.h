/* verify_measures: whose quotes of SGX and TDX `hallmark verify` accepts
 * without a policy file: --mrenclave, --mrtd and --collateral. */
#ifndef HALLMARK_VERIFIER_CLI_VERIFY_MEASURES_H
#define HALLMARK_VERIFIER_CLI_VERIFY_MEASURES_H

#include "verifier/daemon/policy_file.h"

#define VERIFY_MEASURES_MAX   16 /* alternatives */
#define VERIFY_COLLATERAL_MAX 8  /* files: there are five kinds of it */

struct verify_measures { /* texts are borrowed from argv */
	uint8_t mrenclaves[VERIFY_MEASURES_MAX][HM_MRENCLAVE_LEN];
	uint8_t mrtds[VERIFY_MEASURES_MAX][HM_PCR_LEN];
	const char *collateral[VERIFY_COLLATERAL_MAX];
	size_t mrenclave_count, mrtd_count, collateral_count;
};

/* 'm' --mrenclave, 't' --mrtd or 'k' --collateral. 0, or -1 and what is
 * wrong. */
HM_MUST_CHECK int verify_measures_read(struct verify_measures *out, int option,
    const char *text, char error[static POLICY_FILE_ERROR_MAX]);

/* Whether one of them was given. */
bool verify_measures_given(const struct verify_measures *measures);

/* Into a policy's release; reads the files. 0, or -1 and why. */
HM_MUST_CHECK int verify_measures_add(struct hm_policy *policy, int release,
    const struct verify_measures *measures,
    char error[static POLICY_FILE_ERROR_MAX]);

#endif
