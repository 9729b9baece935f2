/* watch_options: the arguments of `hallmark watch`. */
#ifndef HALLMARK_VERIFIER_CLI_WATCH_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_WATCH_OPTIONS_H

#include "base/sse.h"
#include "verifier/cli/condition.h"
#include "verifier/cli/verify_options.h"
#include "verifier/daemon/oracle_feeds.h"

#define WATCH_SECONDS_MAX 31622400 /* --for: a year */

struct watch_options { /* texts are borrowed from argv */
	struct oracle_address address;
	struct verify_options trust; /* its policy, roots, PCRs only */
	struct oracle_feeds feeds;   /* none: all */
	struct condition until;
	const char *until_text; /* as given, or NULL */
	unsigned for_s;         /* 0: for ever */
	bool json;
};

/* 0, or -1 and what is wrong with which. */
HM_MUST_CHECK int watch_options_parse(struct watch_options *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX]);

#endif
