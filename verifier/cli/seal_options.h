/* seal_options: what `hallmark seal` is told: where, whom to accept, the token
 * and the secret. */
#ifndef HALLMARK_VERIFIER_CLI_SEAL_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_SEAL_OPTIONS_H

#include "verifier/cli/verify_options.h"
#include "verifier/daemon/oracle_address.h"
#include "verifier/secret_message.h"

struct seal_options {                 /* large; seal_options_wipe() it */
	struct verify_options verify; /* whom to accept */
	struct oracle_address address;
	const char *token_file;
	/* name, token and secret; the rest is for when the oracle is known */
	struct secret_message message;
};

/* Reads the token's file, and the secret from `in` ("-": standard input). One
 * line end behind either is not part of it. 0, or -1 and why. */
HM_MUST_CHECK int seal_options_parse(struct seal_options *out, int argc,
    char **argv, const char *in, char error[static POLICY_FILE_ERROR_MAX]);
void seal_options_wipe(struct seal_options *options);

#endif
