/* fetch_metrics: what GET /metrics says of fetch. */
#ifndef HALLMARK_ORACLE_FETCH_METRICS_H
#define HALLMARK_ORACLE_FETCH_METRICS_H

#include "base/metrics_text.h"
#include "oracle/fetch.h"

/* Nothing for NULL: it is off. */
void fetch_metrics(const struct fetch *fetch, struct metrics_text *text);

#endif
