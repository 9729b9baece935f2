/* metrics_own: what GET /metrics says of the oracle itself: version, clock,
 * attestation, streams. */
#ifndef HALLMARK_ORACLE_METRICS_OWN_H
#define HALLMARK_ORACLE_METRICS_OWN_H

#include "base/metrics_text.h"
#include "oracle/api.h"

void metrics_own(
    const struct api *api, struct metrics_text *text, int64_t now_ms);

#endif
