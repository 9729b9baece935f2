/* log_fetch: one answer of a verifier's log, for the command line: it blocks.
 */
#ifndef HALLMARK_VERIFIER_CLI_LOG_FETCH_H
#define HALLMARK_VERIFIER_CLI_LOG_FETCH_H

#include "verifier/daemon/oracle_address.h"

#include <stddef.h>

#define LOG_FETCH_MAX       (1u << 20) /* bytes: two heads and a path: 100 KB */
#define LOG_FETCH_MS        10000      /* from start to last byte */
#define LOG_FETCH_ERROR_MAX 512

/* The text of a JSON answer with status 200, which the caller frees. NULL and
 * why: a problem's own code and detail are told. */
char *log_fetch(const struct oracle_address *address, const char *target,
    size_t *len, char error[static LOG_FETCH_ERROR_MAX]);

#endif
