/* options: a subcommand's options, one after the other, by getopt_long(3). */
#ifndef HALLMARK_VERIFIER_CLI_OPTIONS_H
#define HALLMARK_VERIFIER_CLI_OPTIONS_H

#include <getopt.h>
#include <stddef.h>

#define OPTIONS_END (-1)
#define OPTIONS_BAD (-2)

/* Before the first of a command line. */
void options_begin(void);

/* The next one's `val`, its text in optarg; OPTIONS_END, and the rest begins
 * at optind; or OPTIONS_BAD and why, in one line: it is not in `known` (ends
 * with zeros), or lacks its value. */
__attribute__((warn_unused_result)) int options_next(int argc, char **argv,
    const struct option *known, char *error, size_t error_max);

/* One option, by its `val`: 0, or another number and why. */
typedef int (*options_take)(
    void *data, int option, const char *text, char *error);

/* Hands each option to `take` until that returns something else than 0, which
 * is the answer then; OPTIONS_BAD and why; or 0, and the rest begins at optind.
 */
__attribute__((warn_unused_result)) int options_each(int argc, char **argv,
    const struct option *known, options_take take, void *data, char *error,
    size_t error_max);

#endif
