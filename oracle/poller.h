/*
 * poller: keeps the newest answer of each configured source. One https_client
 * and one queue for each exchange; each source is asked every interval, spaced
 * by the exchange's budget, with jitter; after a failure it backs off
 * (doubling, with jitter, at most POLLER_BACKOFF_MAX_MS) and honours
 * Retry-After for the whole exchange. Requests from outside never reach it.
 */
#ifndef HALLMARK_ORACLE_POLLER_H
#define HALLMARK_ORACLE_POLLER_H

#include "feeds/item.h"
#include "oracle/config.h"

#include <openssl/ssl.h>
#include <uv.h>

#define POLLER_BACKOFF_MIN_MS 500
#define POLLER_BACKOFF_MAX_MS 60000
/* As long as the longest ban that an exchange announces: three days. */
#define POLLER_RETRY_AFTER_MAX_MS (3 * 24 * 3600 * 1000LL)

struct poller;

struct poller *poller_start(
    uv_loop_t *loop, const struct config *config, SSL_CTX *tls);
/* Cancels all requests; the handles close on the loop. */
void poller_stop(struct poller *poller);
/* After the loop has ended. */
void poller_free(struct poller *poller);

/*
 * Fills sources[0 .. feed->source_count) for one tick at now_ms: exchange,
 * symbol, via, the newest quote with its times and hashes, state FROZEN, or
 * FAILED with the error of the newest attempt, or USED. Rates are the
 * caller's. A failed attempt does not hide an answer that is younger than
 * max_age_ms.
 */
void poller_read(const struct poller *poller, const struct feed_config *feed,
    int64_t now_ms, struct item_source *sources);

#endif
