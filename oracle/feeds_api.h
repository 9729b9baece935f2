/*
 * feeds_api: GET /feeds, what is published and by which rule (aggregate.h).
 *
 * {"feeds": [{"feed", "decimals", "interval_ms", "max_age_ms",
 *     "exchange_max_age_ms", "frozen_after_ms", "min_sources",
 *     "min_share_percent", "max_deviation_bps", "outlier_mads",
 *     "outlier_floor_bps", "max_jump_bps", "jump_share_percent",
 *     "sources": [{"exchange", "symbol", "quote_feed", "role"}]}],
 *  "platform", "boot_id", "config_sha256"}
 *
 * min_sources is what the items say, the share counted in. The configuration
 * by itself: the items' config_sha256 is that of its file.
 */
#ifndef HALLMARK_ORACLE_FEEDS_API_H
#define HALLMARK_ORACLE_FEEDS_API_H

#include "oracle/api.h"

void feeds_api_serve(const struct api *api, struct http_request *req);

#endif
