/* kraken_pair: Kraken writes one pair in several ways. Pure. */
#ifndef HALLMARK_FEEDS_EXCHANGES_KRAKEN_PAIR_H
#define HALLMARK_FEEDS_EXCHANGES_KRAKEN_PAIR_H

#include <jansson.h>
#include <stdbool.h>

/* Whether two names are the same pair: "XBTUSD", "BTCUSD", "BTC/USD" and
 * "XXBTZUSD" all are; "AIOUSD" and "AIOZUSD" are not. */
bool kraken_pair_equal(const char *a, const char *b);

/* The member of `result` whose key is this pair: that very key, else the only
 * one that is equal. NULL if there is none or, *twice, more than one. */
const json_t *kraken_pair_find(
    const json_t *result, const char *symbol, bool *twice);

#endif
