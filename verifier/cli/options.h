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

#endif
