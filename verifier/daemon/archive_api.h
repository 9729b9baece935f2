/* archive_api: what /readyz and /metrics say of the archive. */
#ifndef HALLMARK_VERIFIER_DAEMON_ARCHIVE_API_H
#define HALLMARK_VERIFIER_DAEMON_ARCHIVE_API_H

#include "base/metrics_text.h"
#include "verifier/daemon/verifierd.h"

#include <jansson.h>

/* /readyz's check "archive": "ok", or what is wrong, since when, and how many
 * items wait; *ready is cleared then. A new reference. */
json_t *archive_api_check(const struct verifierd *daemon, bool *ready);

/* The same as an object for programs: /readyz's "archive". A new reference. */
json_t *archive_api_describe(const struct verifierd *daemon);

void archive_api_metrics(
    const struct verifierd *daemon, struct metrics_text *text);

#endif
