/* hear: runs a subcommand in this process and keeps what it says. */
#ifndef HALLMARK_TESTS_CLI_HEAR_H
#define HALLMARK_TESTS_CLI_HEAR_H

#include "verifier/cli/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAR_ARGS_MAX 40

static char said[65536]; /* by the last command, on the stream asked for */

/* args ends with NULL; what goes to `stream` goes to `said`. */
static inline int hear(
    const struct command *command, FILE *stream, const char *const *args)
{
	char name[32], *argv[HEAR_ARGS_MAX + 2] = {name};
	int argc = 1, kept, code;
	FILE *file = tmpfile();
	size_t len;

	snprintf(name, sizeof(name), "%s", command->name);
	for (; args[argc - 1]; argc++) {
		assert_true(argc <= HEAR_ARGS_MAX);
		argv[argc] = strdup(args[argc - 1]);
	}
	fflush(stream);
	kept = dup(fileno(stream));
	assert_true(dup2(fileno(file), fileno(stream)) >= 0);
	code = command->run(argc, argv);
	fflush(stream);
	dup2(kept, fileno(stream));
	close(kept);
	rewind(file);
	len = fread(said, 1, sizeof(said) - 1, file);
	said[len] = '\0';
	fclose(file);
	for (int i = 1; i < argc; i++)
		free(argv[i]);
	return code;
}

static inline void says(const char *text, bool wanted)
{
	if ((strstr(said, text) != NULL) != wanted)
		fail_msg("%s%s in: %s", wanted ? "no " : "", text, said);
}

#endif
