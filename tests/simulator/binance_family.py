"""Binance, Binance US and MEXC, which copied their API.

Sources: binance-spot-api-docs, docs.binance.us, www.mexc.com/api-docs, and
answers recorded from them.
"""

import json

from exchange import (DAY_MS, IN_USDT, JSON_TYPE, Answer, Ask, Exchange, OneOrAll,
                      compact, change, listed, printer, split)

BAD_SYMBOL = Answer(400, b'{"code":-1121,"msg":"Invalid symbol."}',
                    (JSON_TYPE,), True)


class Binance(Exchange):
    name, host = "binance", "data-api.binance.vision"
    in_usdt = chunked = True
    symbols = listed("{0}USDT", IN_USDT, pad=8)

    def asked(self, target):
        path, query = split(target)
        if path != "/api/v3/ticker/24hr" or set(query) != {"symbols"}:
            return None
        return Ask("list", tuple(json.loads(query["symbols"])))

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        time_ms = quote.time_ns // 10**6
        return {
            "symbol": row.symbol.echo,
            "priceChange": price(quote.last - quote.open),
            "priceChangePercent": f"{change(quote) * 100:.3f}",
            "weightedAvgPrice": price(quote.open),
            "prevClosePrice": price(quote.open),
            "lastPrice": price(quote.last), "lastQty": "0.00112000",
            "bidPrice": price(quote.bid), "bidQty": "1.20000000",
            "askPrice": price(quote.ask), "askQty": "0.81000000",
            "openPrice": price(quote.open), "highPrice": price(quote.high),
            "lowPrice": price(quote.low), "volume": f"{quote.volume:.8f}",
            "quoteVolume": f"{quote.volume * quote.last:.8f}",
            "openTime": time_ms - DAY_MS, "closeTime": time_ms,
            "firstId": quote.trades - 900_000, "lastId": quote.trades,
            "count": 900_001}

    def body(self, form, rows):
        return compact([self._row(row) for row in rows])

    def unknown(self, ask):
        return BAD_SYMBOL


class BinanceUs(Binance):
    name, host = "binance_us", "api.binance.us"
    in_usdt = False
    symbols = listed("{0}USD", pad=8)


class Mexc(OneOrAll):
    name, host = "mexc", "api.mexc.com"
    in_usdt = True
    symbols = listed("{0}USDT", IN_USDT)
    parameter = "symbol"
    one = ("/api/v3/ticker/24hr", {})
    whole = ("/api/v3/ticker/bookTicker", {})

    @staticmethod
    def _day(row):
        quote, price = row.quote, printer(row.symbol)
        time_ms = quote.time_ns // 10**6
        return {
            "symbol": row.symbol.echo,
            "priceChange": price(quote.last - quote.open),
            "priceChangePercent": f"{change(quote):.8f}",
            "prevClosePrice": price(quote.open),
            "lastPrice": price(quote.last),
            "bidPrice": price(quote.bid), "bidQty": "",
            "askPrice": price(quote.ask), "askQty": "",
            "openPrice": price(quote.open), "highPrice": price(quote.high),
            "lowPrice": price(quote.low), "volume": f"{quote.volume:.6f}",
            "quoteVolume": None, "openTime": time_ms - DAY_MS,
            "closeTime": time_ms, "count": None}

    @staticmethod
    def _book(row):
        price = printer(row.symbol)
        return {"symbol": row.symbol.echo,
                "bidPrice": price(row.quote.bid), "bidQty": "115.59",
                "askPrice": price(row.quote.ask), "askQty": "215.48"}

    def body(self, form, rows):
        if form == "one":
            return compact(self._day(rows[0]))
        # Rows are sent twice, as was seen.
        return compact([self._book(row) for row in rows for _ in range(2)])

    def unknown(self, ask):
        return BAD_SYMBOL
