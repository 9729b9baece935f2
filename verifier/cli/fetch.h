/* fetch: the arguments of `hallmark fetch`. */
#ifndef HALLMARK_VERIFIER_CLI_FETCH_H
#define HALLMARK_VERIFIER_CLI_FETCH_H

#include "verifier/cli/verify_options.h"
#include "verifier/daemon/oracle_address.h"

#define FETCH_MAX_AGE_S     30 /* unless the policy wants it newer */
#define FETCH_MAX_AGE_MAX_S 86400

struct fetch_options {                 /* texts are borrowed from argv */
	struct oracle_address address; /* gets the pin */
	struct verify_options verify;  /* policy, json only */
	char hostname[254];
	struct hm_fetch_request asked; /* into hostname, and of argv */
	int64_t max_age_s;             /* -1: not given */
	const char *save;              /* or NULL */
};

/* 0, or -1 and what is wrong with which. */
HM_MUST_CHECK int fetch_options_parse(struct fetch_options *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX]);

#endif
