/* replay_options: the arguments of `hallmark replay`. */
#ifndef HALLMARK_VERIFIER_CLI_REPLAY_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_REPLAY_OPTIONS_H

#include "feeds/feed_config.h"
#include "verifier/cli/verify_options.h"

#define REPLAY_CONFIG_MAX (1u << 20) /* bytes; an oracle takes no more */

struct replay_command { /* texts are borrowed from argv */
	char *const *archives;
	size_t archive_count;
	struct verify_options trust; /* none: of the one bundle */
	bool has_trust;
	const char *config; /* or NULL */
	unsigned jobs;      /* 0: as many as there are cores */
	bool live, json, no_prices;
};

/* 0, or -1 and what is wrong with which. */
HM_MUST_CHECK int replay_options_parse(struct replay_command *out, int argc,
    char **argv, char error[static POLICY_FILE_ERROR_MAX]);

/* The feeds of an oracle's configuration file, and its hash. 0, or -1 and
 * why. */
HM_MUST_CHECK int replay_options_config(struct feed_set *out,
    uint8_t sha256[HM_SHA256_LEN], const char *path,
    char error[static POLICY_FILE_ERROR_MAX]);

#endif
