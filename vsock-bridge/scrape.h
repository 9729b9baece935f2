/*
 * scrape: the counters of sight.h for Prometheus, GET /metrics at an endpoint
 * of their own, so that whoever may look needs no way to the relayed ports.
 */
#ifndef HALLMARK_BRIDGE_SCRAPE_H
#define HALLMARK_BRIDGE_SCRAPE_H

#include "base/http_server.h"
#include "vsock-bridge/service.h"

/* Serves `service` (borrowed until the server has stopped). Returns 0 or a
 * negative uv error, *out NULL; http_server_stop() ends it. */
__attribute__((warn_unused_result)) int scrape_start(struct http_server **out,
    struct service *service, const struct endpoint *endpoint);

#endif
