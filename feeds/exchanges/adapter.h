/*
 * adapter: what the adapters have in common. Only feeds/exchanges/ includes
 * this.
 */
#ifndef HALLMARK_FEEDS_EXCHANGES_ADAPTER_H
#define HALLMARK_FEEDS_EXCHANGES_ADAPTER_H

#include "feeds/exchanges/exchange.h"
#include "feeds/json_text.h"

extern const struct exchange binance_exchange;
extern const struct exchange binance_us_exchange;
extern const struct exchange bitfinex_exchange;
extern const struct exchange bitget_exchange;
extern const struct exchange bitstamp_exchange;
extern const struct exchange bybit_exchange;
extern const struct exchange coinbase_exchange_exchange;
extern const struct exchange coingecko_exchange;
extern const struct exchange coinmarketcap_exchange;
extern const struct exchange cryptocom_exchange;
extern const struct exchange gate_exchange;
extern const struct exchange gemini_exchange;
extern const struct exchange htx_exchange;
extern const struct exchange kraken_exchange;
extern const struct exchange kucoin_exchange;
extern const struct exchange mexc_exchange;
extern const struct exchange okx_exchange;

/*
 * Fills last, bid and ask, each NULL if the answer has no such member. Null
 * and "" count as missing. NO_PRICE if any is zero or less: that is how
 * exchanges show a market that is dead, halted or not open yet. BAD_BODY if
 * one is not a number, or if no member is there at all.
 */
enum quote_error adapter_prices(struct quote *out, const json_t *last,
    const json_t *bid, const json_t *ask);

/* The exchange's time as whole units of `unit_ms`; missing and null are no
 * time. BAD_BODY if it is not an integer of a year up to 9999. */
enum quote_error adapter_time(
    struct quote *out, const json_t *value, int64_t unit_ms);

/* The same where it is written out: iso_time.h. */
enum quote_error adapter_iso_time(struct quote *out, const json_t *value);

/*
 * What an exchange's words mean. The first phrase that is in the text, in any
 * case, decides: of its own table, then of one that holds for all ("rate
 * limit", "maintenance" ...). Failing both, or without a text, the status says
 * whose fault it is: 2xx, 400 and 422 BAD_REQUEST, 5xx SERVER_ERROR, any other
 * HTTP_ERROR.
 */
struct adapter_phrase {
	const char *phrase; /* NULL ends the table */
	enum quote_error error;
};
enum quote_error adapter_classify(
    const char *text, const struct adapter_phrase *own, int status);

/* The same for exchanges that number or name their errors: the first of
 * `codes` whose phrase, codes with blanks between them ("10006 10018"), holds
 * this one, be it a string or a number; failing that, the text. */
enum quote_error adapter_code(const json_t *code, const json_t *text,
    const struct adapter_phrase *codes, const struct adapter_phrase *own,
    int status);

/* The object whose member `key` equals the symbol (letter by letter if `equal`
 * is NULL): the answer itself, or the one such row of an array, which may stand
 * there twice if nothing in it differs. BAD_BODY if two differ or if there is
 * no body; if there is no such row UNKNOWN_SYMBOL, or BAD_BODY where one
 * without such a string might be it: it is no reason to lose the others. */
enum quote_error adapter_row(const json_t **out, const json_t *body,
    const char *key, const char *symbol,
    bool (*equal)(const char *symbol, const char *name));

/* prefix + the symbols with `between` between them + suffix, if each symbol is
 * letters, digits and `marks`, at least one and less than EXCHANGE_SYMBOL_MAX,
 * and there are 1 to EXCHANGE_NAMED_MAX. 0 or -1 and then out is "". */
int adapter_target(char out[static EXCHANGE_TARGET_MAX], const char *prefix,
    const char *const *symbols, size_t count, const char *between,
    const char *marks, const char *suffix);

/* For requests that name one symbol, prefix + symbol + suffix, or none, which
 * is `all`. 0 or -1 and then out is "". */
int adapter_target_one_or_all(char out[static EXCHANGE_TARGET_MAX],
    const char *all, const char *prefix, const char *const *symbols,
    size_t count, const char *marks, const char *suffix);

#endif
