/* metrics_peers: what GET /metrics says of the other enclaves. */
#ifndef HALLMARK_ORACLE_METRICS_PEERS_H
#define HALLMARK_ORACLE_METRICS_PEERS_H

#include "base/metrics_text.h"
#include "oracle/api.h"

/* Nothing without "peers" in the configuration. */
void metrics_peers(const struct api *api, struct metrics_text *text);

#endif
