"""Exchanges with markets in dollars: Coinbase Exchange, Kraken, Bitstamp,
Gemini, Bitfinex, Crypto.com; and CoinGecko, which is none but has prices.

Sources: their public API documentation (docs.cdp.coinbase.com/exchange,
docs.kraken.com/api, www.bitstamp.net/api, developer.gemini.com,
docs.bitfinex.com, exchange-docs.crypto.com, docs.coingecko.com) and answers
recorded from them.
"""

import json
import time

from exchange import (EVERY_ASSET, JSON_TYPE, Answer, Ask, Exchange, OneOrAll,
                      Symbol, change, compact, listed, printer, split,
                      symbol_of, text)

# Kraken's own names of some pairs: in a request and in the answer.
KRAKEN_PAIRS = {"BTC": ("XBTUSD", "XXBTZUSD"), "ETH": ("ETHUSD", "XETHZUSD"),
                "XRP": ("XRPUSD", "XXRPZUSD"), "LTC": ("LTCUSD", "XLTCZUSD"),
                "DOGE": ("XDGUSD", "XDGUSD"), "EUR": ("EURUSD", "ZEURZUSD"),
                "USDT": ("USDTUSD", "USDTZUSD")}
BITFINEX_NAMES = {"USDT": "UST", "USDC": "UDC"}
COINGECKO_IDS = {
    "BTC": "bitcoin", "ETH": "ethereum", "SOL": "solana", "XRP": "ripple",
    "ADA": "cardano", "DOGE": "dogecoin", "AVAX": "avalanche-2",
    "LINK": "chainlink", "LTC": "litecoin", "DOT": "polkadot",
    "USDT": "tether", "USDC": "usd-coin", "DAI": "dai",
    "PYUSD": "paypal-usd", "BAT": "basic-attention-token", "ZRX": "0x",
    "COMP": "compound-governance-token", "YFI": "yearn-finance",
    "KNC": "kyber-network-crystal"}


def in_path(target, before, after=""):
    """What stands between these two, or None."""
    name = target.removeprefix(before).removesuffix(after)
    return name if name and target == before + name + after else None


class CoinbaseExchange(Exchange):
    name, host = "coinbase_exchange", "api.exchange.coinbase.com"
    symbols = listed("{0}-USD")

    def asked(self, target):
        if target == "/products/stats":
            return self.every()
        name = in_path(target, "/products/", "/ticker")
        return Ask("one", (name,)) if name else None

    @staticmethod
    def _stats(row):
        price, volume = printer(row.symbol), f"{row.quote.volume:.8f}"
        return {"stats_30day": {"volume": volume, "rfq_volume": "2310.0972"},
                "stats_24hour": {
                    "open": price(row.quote.open),
                    "high": price(row.quote.high),
                    "low": price(row.quote.low), "volume": volume,
                    "last": price(row.quote.last),
                    "rfq_volume": "31.625279"}}

    def body(self, form, rows):
        if form == "all":
            return compact({row.name: self._stats(row) for row in rows})
        _, symbol, quote = rows[0]
        seconds, nanos = divmod(quote.time_ns, 10**9)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return compact({
            "ask": text(quote.ask, symbol), "bid": text(quote.bid, symbol),
            "volume": f"{quote.volume:.8f}", "trade_id": quote.trades,
            "price": text(quote.last, symbol), "size": "0.00782662",
            "time": f"{stamp}.{nanos:09d}Z", "rfq_volume": "31.625279"})

    def unknown(self, ask):
        return Answer(404, b'{"message":"NotFound"}', (JSON_TYPE,))


class Kraken(Exchange):
    name, host = "kraken", "api.kraken.com"
    chunked = True
    symbols = {}
    for asset in EVERY_ASSET:
        pair, echo = KRAKEN_PAIRS.get(asset, (f"{asset}USD",) * 2)
        listing = symbol_of(asset, echo)
        symbols[pair] = listing._replace(pad=max(5, listing.pad))

    def asked(self, target):
        path, query = split(target)
        if path != "/0/public/Ticker" or set(query) - {"pair"}:
            return None
        if not query:
            return self.every()
        return Ask("list", tuple(query["pair"].split(",")))

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        volume = f"{quote.volume:.8f}"
        return {
            "a": [price(quote.ask), "2", "2.000"],
            "b": [price(quote.bid), "1", "1.000"],
            "c": [price(quote.last), "0.00112355"],
            "v": [volume, volume],
            "p": [price(quote.open), price(quote.open)],
            "t": [33153, 135029],
            "l": [price(quote.low), price(quote.low)],
            "h": [price(quote.high), price(quote.high)],
            "o": price(quote.open)}

    def body(self, form, rows):
        return compact({"error": [], "result": {
            row.symbol.echo: self._row(row) for row in rows}})

    def unknown(self, ask):
        return Answer(200, b'{"error":["EQuery:Unknown asset pair"]}',
                      (JSON_TYPE,), True)


class Bitstamp(Exchange):
    name, host = "bitstamp", "www.bitstamp.net"
    symbols = {**listed("{1}usd", echo="{0}/USD"),
               "ethusd": Symbol("ETH", "ETH/USD", "0.1", 1)}

    def asked(self, target):
        if target == "/api/v2/ticker/":
            return self.every()
        name = in_path(target, "/api/v2/ticker/", "/")
        return Ask("one", (name,)) if name else None

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        return {
            "timestamp": str(quote.time_ns // 10**9),
            "open": price(quote.open), "high": price(quote.high),
            "low": price(quote.low), "last": price(quote.last),
            "volume": f"{quote.volume:.8f}", "vwap": price(quote.open),
            "bid": price(quote.bid), "ask": price(quote.ask), "side": "1",
            "open_24": price(quote.open), "percent_change_24": "-0.56",
            "market_type": "SPOT", "pair": row.symbol.echo,
            "market": row.symbol.echo}

    def body(self, form, rows):
        made = [self._row(row) for row in rows]
        return json.dumps(made if form == "all" else made[0]).encode()

    def unknown(self, ask):
        """Every market there is, with status 200."""
        row = {"timestamp": "1686600672", "last": "25846", "bid": "25841",
               "ask": "25842", "pair": "BTC/USD"}
        return Answer(200, json.dumps([row, dict(row, pair="ETH/USD")])
                      .encode(), (JSON_TYPE,))


class Gemini(Exchange):
    name, host = "gemini", "api.gemini.com"
    symbols = listed("{1}usd", echo="{0}USD")

    def asked(self, target):
        if target == "/v1/pricefeed":
            return self.every()
        name = in_path(target, "/v1/pubticker/")
        return Ask("one", (name,)) if name else None

    def body(self, form, rows):
        if form == "all":
            return compact([{
                "pair": row.symbol.echo,
                "price": text(row.quote.last, row.symbol),
                "percentChange24h": f"{change(row.quote):.4f}"}
                for row in rows])
        _, symbol, quote = rows[0]
        bucket_ms = quote.time_ns // 10**6 // 300_000 * 300_000
        return compact({
            "bid": text(quote.bid, symbol), "ask": text(quote.ask, symbol),
            "last": text(quote.last, symbol),
            "volume": {symbol.asset: f"{quote.volume:.7f}",
                       "USD": str(quote.volume * quote.last),
                       "timestamp": bucket_ms}})

    def unknown(self, ask):
        return Answer(400, compact({
            "result": "error", "reason": "Bad Request", "message":
            f"Supplied value '{ask.names[0]}' is not a valid symbol"}),
            (JSON_TYPE,))


class Bitfinex(Exchange):
    name, host = "bitfinex", "api-pub.bitfinex.com"
    skips_unknown = True
    symbols = {}
    for asset in EVERY_ASSET:
        coin = BITFINEX_NAMES.get(asset, asset)
        pair = f"t{coin}USD" if len(coin) == 3 else f"t{coin}:USD"
        symbols[pair] = symbol_of(asset, pair)

    def asked(self, target):
        path, query = split(target)
        if path != "/v2/tickers" or set(query) != {"symbols"}:
            return None
        if query["symbols"] == "ALL":
            return self.every()
        return Ask("list", tuple(query["symbols"].split(",")))

    @staticmethod
    def _row(row):
        quote = row.quote
        price = lambda value: float(text(value, row.symbol))
        return [row.symbol.echo, price(quote.bid), 29.3136601,
                price(quote.ask), 37.930307309999996,
                price(quote.last - quote.open), float(f"{change(quote):.8f}"),
                price(quote.last), float(quote.volume), price(quote.high),
                price(quote.low)]

    def body(self, form, rows):
        return compact([self._row(row) for row in rows])

    def unknown(self, ask):
        return Answer(200, b"[]", (JSON_TYPE,))


class Cryptocom(OneOrAll):
    name, host = "cryptocom", "api.crypto.com"
    symbols = listed("{0}_USD")
    parameter = "instrument_name"
    one = whole = ("/exchange/v1/public/get-tickers", {})

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        return {"i": row.symbol.echo, "h": price(quote.high),
                "l": price(quote.low), "a": price(quote.last),
                "v": f"{quote.volume:.4f}",
                "vv": f"{quote.volume * quote.last:.2f}",
                "c": f"{change(quote):.4f}", "b": price(quote.bid),
                "k": price(quote.ask), "oi": "0",
                "t": quote.time_ns // 10**6}

    def body(self, form, rows):
        return compact({"id": -1, "method": "public/get-tickers", "code": 0,
                        "result": {"data": [self._row(r) for r in rows]}})

    def unknown(self, ask):
        return Answer(400, compact({
            "id": -1, "method": "public/get-tickers", "code": 40004,
            "message": "Missing or invalid argument"}), (JSON_TYPE,))


class CoinGecko(Exchange):
    """In dollars only: other currencies are left out, as unknown ones are."""
    name, host = "coingecko", "api.coingecko.com"
    skips_unknown = True
    symbols = {coin: symbol_of(asset, coin)
               for asset, coin in COINGECKO_IDS.items()}

    def asked(self, target):
        path, query = split(target)
        dated = query.pop("include_last_updated_at", "") == "true"
        if (path != "/api/v3/simple/price"
                or set(query) != {"ids", "vs_currencies"}):
            return None
        usd = "usd" in query["vs_currencies"].split(",")
        return Ask((usd, dated), tuple(query["ids"].split(",")))

    def body(self, form, rows):
        usd, dated = form
        coins = {row.name: {} for row in rows}
        for name, symbol, quote in rows:
            if usd:
                coins[name]["usd"] = float(text(quote.last, symbol))
            if dated:
                coins[name]["last_updated_at"] = quote.time_ns // 10**9
        return compact(coins)

    def unknown(self, ask):
        return Answer(200, b"{}", (JSON_TYPE,))
