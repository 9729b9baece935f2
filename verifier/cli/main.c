/* hallmark: the command line. A table of subcommands, no more. */
#include "verifier/cli/command.h"

#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
    &command_verify,
    &command_attest,
    &command_watch,
    &command_fetch,
    &command_replay,
    &command_inspect,
    &command_log_verify,
    &command_bundle,
    &command_export,
    &command_seal,
    &command_policy_check,
    &command_collateral_check,
    &command_pcrs,
    &command_config_pcr,
    &command_eif_build,
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(FILE *out)
{
	fputs("usage: hallmark COMMAND ...\n\n"
	      "Checks prices that carry their own proof: who computed them, "
	      "from what,\ninside which enclave.\n\n",
	    out);
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(out, "  %-16s %s\n", commands[i]->name,
		    commands[i]->summary);
	fputs("\n  hallmark COMMAND --help tells more, with an example.\n\n"
	      "Example:\n"
	      "  curl http://127.0.0.1:8090/price/BTC-USD > item.json\n"
	      "  hallmark verify item.json --policy policy.json\n",
	    out);
	return ferror(out) ? COMMAND_USAGE : COMMAND_OK;
}

/* How many words of argv are this command's name; 0: it is another. */
static int matches(const struct command *command, int argc, char **argv)
{
	const char *rest = command->name;
	int words = 0;

	while (*rest) {
		size_t len = strcspn(rest, " ");

		if (words == argc || strlen(argv[words]) != len ||
		    strncmp(argv[words], rest, len) != 0)
			return 0;
		words++;
		rest += len + strspn(rest + len, " ");
	}
	return words;
}

static int wants_help(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (strcmp(argv[i], "--help") == 0)
			return 1;
	return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
	if (wants_help(argc, argv))
		return fputs(command->help, stdout) < 0 ? COMMAND_USAGE
							: COMMAND_OK;
	return command->run(argc, argv);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return print_help(stdout);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return puts("hallmark " HALLMARK_VERSION) < 0;
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		int words = matches(commands[i], argc - 1, argv + 1);

		if (words)
			return run(commands[i], argc - words, argv + words);
	}
	if (argc > 1)
		fprintf(
		    stderr, "hallmark: there is no command %s\n\n", argv[1]);
	print_help(stderr);
	return COMMAND_USAGE;
}
