/* log_verify_options: the arguments of `hallmark log verify`. */
#ifndef HALLMARK_VERIFIER_CLI_LOG_VERIFY_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_LOG_VERIFY_OPTIONS_H

#include "verifier/cli/verify_options.h"
#include "verifier/daemon/oracle_address.h"

struct log_verify_options {          /* texts are borrowed from argv */
	struct verify_options trust; /* its policy, roots, PCRs only */
	const char *file;            /* a proof or a head; or NULL: */
	bool has_url;
	struct oracle_address url; /* where to ask for it */
	const char *item, *head;   /* files, or NULL */
	bool misbehaviour;         /* the file must be one */
	bool json;
};

/* 0, or -1 and what is wrong with which. */
HM_MUST_CHECK int log_verify_options_parse(struct log_verify_options *out,
    int argc, char **argv, char error[static POLICY_FILE_ERROR_MAX]);

#endif
