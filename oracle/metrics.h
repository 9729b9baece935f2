/*
 * metrics: GET /metrics for Prometheus, names hallmark_oracle_... There are at
 * most as many samples as the configuration has sources, times the kinds of
 * errors: no label has a value that comes from outside.
 */
#ifndef HALLMARK_ORACLE_METRICS_H
#define HALLMARK_ORACLE_METRICS_H

#include "oracle/api.h"

/* Answers the request, from memory. */
void metrics_serve(const struct api *api, struct http_request *req);

#endif
