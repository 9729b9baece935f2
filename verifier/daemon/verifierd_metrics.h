/*
 * verifierd_metrics: GET /metrics for Prometheus, names hallmark_verifierd_...
 * There are as many samples as the configuration has oracles and the daemon
 * serves feeds, which are BOARD_NAMES_MAX at most, whatever oracles say.
 */
#ifndef HALLMARK_VERIFIER_DAEMON_VERIFIERD_METRICS_H
#define HALLMARK_VERIFIER_DAEMON_VERIFIERD_METRICS_H

#include "base/http_server.h"
#include "verifier/daemon/verifierd.h"

/* Answers the request, from memory. */
void verifierd_metrics_serve(
    const struct verifierd *daemon, struct http_request *req);

#endif
