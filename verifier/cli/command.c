/* command: what all subcommands say when they were called wrongly. */
#include "verifier/cli/command.h"

#include <stdarg.h>

#define ERROR_MAX 2048 /* bytes of what is wrong; the rest goes */

void command_put_plain(FILE *out, const char *text)
{
	for (; *text; text++)
		putc(*text < 0x20 || *text > 0x7e ? '?' : *text, out);
}

int command_usage_error(const struct command *command, const char *format, ...)
{
	char error[ERROR_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(error, sizeof(error), format, args);
	va_end(args);
	fprintf(stderr, "hallmark %s: ", command->name);
	command_put_plain(stderr, error);
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
