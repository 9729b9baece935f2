/*
 * history_api: the routes of the past: GET /history, at_ms of the board's
 * /price/{feed}, and /attestations/{sha256} for documents that it no longer
 * has.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_HISTORY_API_H
#define HALLMARK_VERIFIER_DAEMON_HISTORY_API_H

#include "base/service.h"

/* Before the board's table, in place of one of whose routes one of these
 * stands; the server's data is a struct verifierd. */
extern const struct service_route history_api_routes[];

#endif
