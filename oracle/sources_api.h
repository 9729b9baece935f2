/*
 * sources_api: GET /sources, the causes. For each exchange what it costs and
 * what is left of its budget; for each symbol whether the newest attempt was
 * good, and if not why and with which HTTP status; for each feed what became
 * of each source in its newest item.
 *
 * {"now_ms",
 *  "clock": {"offset_ms", "limit_ms", "agrees"},
 *  "exchanges": [{"exchange", "host", "up", "requests", "failures",
 *     "requests_planned", "requests_last_minute", "budget_per_min",
 *     "budget_left", "limit", "paused_ms", "clock_offset_ms",
 *     "symbols": [{"symbol", "up", "error", "status", "latency_ms",
 *        "answer_age_ms", "failures_in_a_row", "attempts",
 *        "errors": {NAME: COUNT}}]}],
 *  "feeds": [{"feed", "sequence", "status", "reason", "published_ms", "used",
 *     "min_sources", "sources": [{"exchange", "symbol", "state", "error",
 *        "price", "via", "rate", "received_ms", "exchange_ms"}]}]}
 *
 * In this order, the exchanges in that of exchange_table, the feeds in the
 * configuration's; what is not known is null. An exchange is up when one of
 * its symbols is. The size is bounded by the configuration's.
 */
#ifndef HALLMARK_ORACLE_SOURCES_API_H
#define HALLMARK_ORACLE_SOURCES_API_H

#include "oracle/api.h"

/* Answers the request, from memory. Parameters exchange, feed: what does not
 * belong to it is left out. */
void sources_api_serve(const struct api *api, struct http_request *req);

#endif
