/*
 * Binance spot, from the host that serves market data only and is not closed
 * to cloud regions. Source: binance-spot-api-docs, rest-api.md, faqs/market_
 * data_only.md; answers and errors: see binance_form.c.
 *
 * Asked for: /api/v3/ticker/24hr?symbols=["BTCUSDT",...], weight 2 for up to
 * 20 symbols. All of them at once weigh 80, as much as eight hundred symbols
 * by name, in an answer of over a megabyte: never asked for.
 *
 * exchange_ms: closeTime, the end of the 24 h window, which is the moment of
 * the newest trade or of the answer.
 */
#include "feeds/exchanges/binance_form.h"

const struct exchange binance_exchange = {
    .name = "binance",
    .host = "data-api.binance.vision",
    .time = EXCHANGE_TIME_REPLY,
    .limit = "6000 weight a minute; 2 for up to 20 symbols",
    .limit_per_min = 3000,
    .spacing_ms = 40,
    .named_max = 20,
    .format_target = binance_form_target,
    .read = binance_form_read,
};
