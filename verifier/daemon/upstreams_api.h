/* upstreams_api: GET /upstreams, their metrics, and what /readyz says of them:
 * who brings the items, who lags, who disagrees. */
#ifndef HALLMARK_VERIFIER_DAEMON_UPSTREAMS_API_H
#define HALLMARK_VERIFIER_DAEMON_UPSTREAMS_API_H

#include "base/metrics_text.h"
#include "verifier/daemon/verifierd.h"

/* data: the struct verifierd. */
void upstreams_api_serve(struct http_request *req, void *data);

void upstreams_api_metrics(
    const struct verifierd *daemon, struct metrics_text *text);

/* /readyz's check "upstreams": "ok", or who lags or disagrees; a warning only,
 * prices may be good all the same. A new reference. */
json_t *upstreams_api_check(const struct verifierd *daemon);

#endif
