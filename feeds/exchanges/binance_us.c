/*
 * Binance US: Binance's API on a market of its own, with prices in dollars.
 * Source: docs.binance.us, "Rest API", "Market Data"; answers and errors: see
 * binance_form.c. Closed to addresses outside the United States: 403 from its
 * gateway.
 *
 * exchange_ms: closeTime, as with Binance. Seen before markets opened: a last
 * and a time with a book of zeros, and test symbols ("123456") among the rows.
 */
#include "feeds/exchanges/binance_form.h"

const struct exchange binance_us_exchange = {
    .name = "binance_us",
    .host = "api.binance.us",
    .time = EXCHANGE_TIME_REPLY,
    .limit = "1200 weight a minute; 2 for up to 20 symbols",
    .limit_per_min = 600,
    .spacing_ms = 200,
    .named_max = 20,
    .format_target = binance_form_target,
    .read = binance_form_read,
};
