/*
 * options_fixture: arguments as a subcommand gets them, and what it must say
 * about them. Before it is included: COMMAND, its name, and
 * OPTIONS_PARSE(argc, argv), which reads them and says into `error` what is
 * wrong.
 */
#ifndef HALLMARK_TESTS_CLI_OPTIONS_FIXTURE_H
#define HALLMARK_TESTS_CLI_OPTIONS_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define P48                                                                \
	"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff" \
	"00112233445566778899AABBCCDDEEFF"

static char error[POLICY_FILE_ERROR_MAX];

/* Arguments up to NULL, after the subcommand's name. */
static int parse(const char *const *args)
{
	static char *argv[200]; /* what is parsed points into it */
	int argc = 1;

	argv[0] = (char *)(uintptr_t)COMMAND;
	while (*args)
		argv[argc++] = (char *)(uintptr_t)*args++;
	argv[argc] = NULL;
	error[0] = '\0';
	return OPTIONS_PARSE(argc, argv);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})
#define GOOD(...)  assert_int_equal(PARSE(__VA_ARGS__), 0)
#define BAD(why, ...)                                             \
	do {                                                      \
		assert_int_equal(PARSE(__VA_ARGS__), -1);         \
		if (!strstr(error, why))                          \
			fail_msg("wanted %s in: %s", why, error); \
	} while (0)

#endif
