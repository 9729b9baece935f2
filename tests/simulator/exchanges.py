"""What each exchange answers, in its own form: member order, strings or
numbers, blanks, extra members and errors as the exchanges send them.

Sources: the exchanges' public API documentation (binance-spot-api-docs,
docs.cdp.coinbase.com/exchange, docs.kraken.com/api, www.bitstamp.net/api) and
answers recorded from them.
"""

import collections
import decimal
import json
import time
import urllib.parse

D = decimal.Decimal

# What is sent back: bytes as they are, or cut into HTTP chunks.
Answer = collections.namedtuple("Answer", "status body headers chunked",
                                defaults=((), False))
# asset: as the market calls it. echo: how the answer names the symbol.
# step: the exchange's price step. pad: decimals it always prints.
Symbol = collections.namedtuple("Symbol", "asset echo step pad")

JSON_TYPE = ("Content-Type", "application/json")


def compact(value):
    return json.dumps(value, separators=(",", ":")).encode()


def text(number, symbol):
    """Rounded to the exchange's step, then padded with zeros."""
    stepped = number.quantize(D(symbol.step), decimal.ROUND_HALF_UP)
    return str(stepped.quantize(D(1).scaleb(-symbol.pad)))


class Exchange:
    """One exchange: `symbols` by the name that a request uses."""
    name = host = ""
    symbols = {}
    in_usdt = False     # its quotes are in USDT
    chunked = False

    def symbol_of(self, target):
        """The symbol that this request target asks for, or None if the
        target is not the ticker's."""
        raise NotImplementedError

    def body(self, symbol, quote):
        raise NotImplementedError

    def unknown(self):
        """What it says about a symbol that it does not have."""
        raise NotImplementedError

    def other(self, name):
        """Another symbol than this one: what a mixed-up cache would send."""
        return next(n for n in sorted(self.symbols) if n != name)

    def ok(self, name, quote):
        symbol = self.symbols[name]
        return Answer(200, self.body(symbol, quote), (JSON_TYPE,),
                      self.chunked)


class Binance(Exchange):
    name, host = "binance", "data-api.binance.vision"
    in_usdt = chunked = True
    symbols = {"BTCUSDT": Symbol("BTC", "BTCUSDT", "0.01", 8),
               "ETHUSDT": Symbol("ETH", "ETHUSDT", "0.01", 8)}

    def symbol_of(self, target):
        url = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(url.query)
        if url.path != "/api/v3/ticker/24hr" or set(query) != {"symbols"}:
            return None
        return json.loads(query["symbols"][0])[0]

    def body(self, symbol, quote):
        price = lambda number: text(number, symbol)
        now_ms = quote.time_ns // 10**6
        change = quote.last - quote.open
        return compact({
            "symbol": symbol.echo, "priceChange": price(change),
            "priceChangePercent": f"{change / quote.open * 100:.3f}",
            "weightedAvgPrice": price(quote.open),
            "prevClosePrice": price(quote.open),
            "lastPrice": price(quote.last), "lastQty": "0.00112000",
            "bidPrice": price(quote.bid), "bidQty": "1.20000000",
            "askPrice": price(quote.ask), "askQty": "0.81000000",
            "openPrice": price(quote.open), "highPrice": price(quote.high),
            "lowPrice": price(quote.low), "volume": f"{quote.volume:.8f}",
            "quoteVolume": f"{quote.volume * quote.last:.8f}",
            "openTime": now_ms - 86_400_000, "closeTime": now_ms,
            "firstId": quote.trades - 900_000, "lastId": quote.trades,
            "count": 900_001})

    def unknown(self):
        return Answer(400, b'{"code":-1121,"msg":"Invalid symbol."}',
                      (JSON_TYPE,), True)


class CoinbaseExchange(Exchange):
    name, host = "coinbase_exchange", "api.exchange.coinbase.com"
    symbols = {"BTC-USD": Symbol("BTC", "", "0.01", 2),
               "ETH-USD": Symbol("ETH", "", "0.01", 2),
               "USDT-USD": Symbol("USDT", "", "0.00001", 5)}

    def symbol_of(self, target):
        parts = target.split("/")
        if len(parts) != 4 or parts[1] != "products" or parts[3] != "ticker":
            return None
        return parts[2]

    def body(self, symbol, quote):
        seconds, nanos = divmod(quote.time_ns, 10**9)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
        return compact({
            "ask": text(quote.ask, symbol), "bid": text(quote.bid, symbol),
            "volume": f"{quote.volume:.8f}", "trade_id": quote.trades,
            "price": text(quote.last, symbol), "size": "0.00782662",
            "time": f"{stamp}.{nanos:09d}Z", "rfq_volume": "31.625279"})

    def unknown(self):
        return Answer(404, b'{"message":"NotFound"}', (JSON_TYPE,))


class Kraken(Exchange):
    name, host = "kraken", "api.kraken.com"
    chunked = True
    symbols = {"XBTUSD": Symbol("BTC", "XXBTZUSD", "0.1", 5),
               "ETHUSD": Symbol("ETH", "XETHZUSD", "0.01", 5),
               "USDTUSD": Symbol("USDT", "USDTZUSD", "0.00001", 8)}

    def symbol_of(self, target):
        url = urllib.parse.urlsplit(target)
        query = urllib.parse.parse_qs(url.query)
        if url.path != "/0/public/Ticker" or set(query) != {"pair"}:
            return None
        return query["pair"][0]

    def body(self, symbol, quote):
        price = lambda number: text(number, symbol)
        volume = f"{quote.volume:.8f}"
        return compact({"error": [], "result": {symbol.echo: {
            "a": [price(quote.ask), "2", "2.000"],
            "b": [price(quote.bid), "1", "1.000"],
            "c": [price(quote.last), "0.00112355"],
            "v": [volume, volume],
            "p": [price(quote.open), price(quote.open)],
            "t": [33153, 135029],
            "l": [price(quote.low), price(quote.low)],
            "h": [price(quote.high), price(quote.high)],
            "o": price(quote.open)}}})

    def unknown(self):
        return Answer(200, b'{"error":["EQuery:Unknown asset pair"]}',
                      (JSON_TYPE,), True)


class Bitstamp(Exchange):
    name, host = "bitstamp", "www.bitstamp.net"
    symbols = {"btcusd": Symbol("BTC", "BTC/USD", "0.01", 2),
               "ethusd": Symbol("ETH", "ETH/USD", "0.1", 1),
               "usdtusd": Symbol("USDT", "USDT/USD", "0.00001", 5)}

    def symbol_of(self, target):
        parts = target.split("/")
        if parts[:4] != ["", "api", "v2", "ticker"] or parts[5:] != [""]:
            return None
        return parts[4]

    def _row(self, symbol, quote):
        price = lambda number: text(number, symbol)
        return {
            "timestamp": str(quote.time_ns // 10**9),
            "open": price(quote.open), "high": price(quote.high),
            "low": price(quote.low), "last": price(quote.last),
            "volume": f"{quote.volume:.8f}", "vwap": price(quote.open),
            "bid": price(quote.bid), "ask": price(quote.ask), "side": "1",
            "open_24": price(quote.open), "percent_change_24": "-0.56",
            "market_type": "SPOT", "pair": symbol.echo, "market": symbol.echo}

    def body(self, symbol, quote):
        return json.dumps(self._row(symbol, quote)).encode()

    def unknown(self):
        """Every market there is, with status 200."""
        row = {"timestamp": "1686600672", "last": "25846", "bid": "25841",
               "ask": "25842", "pair": "BTC/USD"}
        return Answer(200, json.dumps([row, dict(row, pair="ETH/USD")])
                      .encode(), (JSON_TYPE,))


ALL = (Binance(), CoinbaseExchange(), Kraken(), Bitstamp())
