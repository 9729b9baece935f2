/* command: what all subcommands say when they were called wrongly. */
#include "verifier/cli/command.h"

#include <stdarg.h>
#include <stdio.h>

int command_usage_error(const struct command *command, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "hallmark %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nTry: hallmark %s --help\n", command->name);
	return COMMAND_USAGE;
}

const char *command_only_file(
    const struct command *command, int argc, char **argv)
{
	if (argc == 2 && (argv[1][0] != '-' || argv[1][1] == '\0'))
		return argv[1];
	command_usage_error(command, "exactly one FILE is needed");
	return NULL;
}
