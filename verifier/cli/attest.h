/* attest: the arguments of `hallmark attest`. */
#ifndef HALLMARK_VERIFIER_CLI_ATTEST_H
#define HALLMARK_VERIFIER_CLI_ATTEST_H

#include "verifier/cli/verify_options.h"
#include "verifier/daemon/oracle_address.h"

struct attest_options {                /* texts are borrowed from argv */
	struct oracle_address address; /* gets the pin */
	struct verify_options verify;  /* policy, nonce, json, explain only */
};

/* 0, or -1 and what is wrong with which. */
HM_MUST_CHECK int attest_options_parse(struct attest_options *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX]);

#endif
