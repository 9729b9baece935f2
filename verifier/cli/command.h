/*
 * command: one subcommand of `hallmark`, one file each, one line in the table
 * of main.c. `run` gets the arguments from the subcommand's name on and
 * returns the exit code.
 */
#ifndef HALLMARK_VERIFIER_CLI_COMMAND_H
#define HALLMARK_VERIFIER_CLI_COMMAND_H

#include <stdio.h>

enum command_exit { /* others: the class of a verdict, hm_verdict_class() */
	COMMAND_OK = 0,
	COMMAND_USAGE = 1, /* also: a file that cannot be read */
	COMMAND_MALFORMED = 2,
	COMMAND_POLICY = 5,
};

struct command {
	const char *name;    /* "verify", "policy check" */
	const char *summary; /* one line */
	const char *help;    /* usage, what it does, an example */
	int (*run)(int argc, char **argv);
};

extern const struct command command_verify;
extern const struct command command_attest;
extern const struct command command_fetch;
extern const struct command command_watch;
extern const struct command command_replay;
extern const struct command command_inspect;
extern const struct command command_log_verify;
extern const struct command command_bundle;
extern const struct command command_export;
extern const struct command command_seal;
extern const struct command command_policy_check;
extern const struct command command_collateral_check;
extern const struct command command_config_pcr;
extern const struct command command_pcrs;
extern const struct command command_eif_build;

/* For texts that somebody else wrote: whatever is not printable ASCII is a "?",
 * so that nothing in them moves the terminal's cursor. */
void command_put_plain(FILE *out, const char *text);

/* Says what is wrong on standard error (plainly) and where help is;
 * COMMAND_USAGE. */
int command_usage_error(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* For a command with exactly one FILE: it, or NULL after a usage error. */
const char *command_only_file(
    const struct command *command, int argc, char **argv);

#endif
