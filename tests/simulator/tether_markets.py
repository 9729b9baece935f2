"""Exchanges with markets in USDT: OKX, Bybit, KuCoin, Gate, Bitget, HTX.

Sources: their public API documentation (www.okx.com/docs-v5,
bybit-exchange.github.io/docs, www.kucoin.com/docs-new,
www.gate.com/docs/developers/apiv4, www.bitget.com/api-doc,
huobiapi.github.io/docs/spot/v1/en) and answers recorded from them.
"""

from exchange import (IN_USDT, JSON_TYPE, Answer, OneOrAll, change, compact,
                      listed, now_ms, printer, symbol_of, text)


class Okx(OneOrAll):
    name, host = "okx", "www.okx.com"
    in_usdt = chunked = True
    symbols = listed("{0}-USDT", IN_USDT)
    parameter = "instId"
    one = ("/api/v5/market/ticker", {})
    whole = ("/api/v5/market/tickers", {"instType": "SPOT"})

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        return {
            "instType": "SPOT", "instId": row.symbol.echo,
            "last": price(quote.last), "lastSz": "0.03765138",
            "askPx": price(quote.ask), "askSz": "0.13437612",
            "bidPx": price(quote.bid), "bidSz": "2.46761283",
            "open24h": price(quote.open), "high24h": price(quote.high),
            "low24h": price(quote.low),
            "volCcy24h": f"{quote.volume * quote.last:.8f}",
            "vol24h": f"{quote.volume:.8f}",
            "ts": str(quote.time_ns // 10**6),
            "sodUtc0": price(quote.open), "sodUtc8": price(quote.open)}

    def body(self, form, rows):
        return compact({"code": "0", "msg": "",
                        "data": [self._row(row) for row in rows]})

    def unknown(self, ask):
        return Answer(200, compact({
            "code": "51001", "msg": "Instrument ID, Instrument ID code, or "
            "Spread ID doesn't exist.", "data": []}), (JSON_TYPE,), True)


class Bybit(OneOrAll):
    name, host = "bybit", "api.bybit.com"
    in_usdt = chunked = True
    symbols = {**listed("{0}USDT", IN_USDT), **{
        f"{asset}USDC": symbol_of(asset, f"{asset}USDC", currency="USDC")
        for asset in ("BTC", "ETH", "SOL")}}
    parameter = "symbol"
    one = whole = ("/v5/market/tickers", {"category": "spot"})

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        return {
            "symbol": row.symbol.echo,
            "bid1Price": price(quote.bid), "bid1Size": "2",
            "ask1Price": price(quote.ask), "ask1Size": "1.862172",
            "lastPrice": price(quote.last), "prevPrice24h": price(quote.open),
            "price24hPcnt": f"{change(quote):.4f}",
            "highPrice24h": price(quote.high),
            "lowPrice24h": price(quote.low),
            "turnover24h": f"{quote.volume * quote.last:.8f}",
            "volume24h": f"{quote.volume:.6f}",
            "usdIndexPrice": price(quote.last)}

    def body(self, form, rows):
        return compact({
            "retCode": 0, "retMsg": "OK",
            "result": {"category": "spot",
                       "list": [self._row(row) for row in rows]},
            "retExtInfo": {}, "time": now_ms()})

    def unknown(self, ask):
        return Answer(200, compact({
            "retCode": 10001, "retMsg": "Not supported symbols", "result": {},
            "retExtInfo": {}, "time": now_ms()}), (JSON_TYPE,), True)


class KuCoin(OneOrAll):
    name, host = "kucoin", "api.kucoin.com"
    in_usdt = True
    symbols = listed("{0}-USDT", IN_USDT)
    parameter = "symbol"
    one = ("/api/v1/market/orderbook/level1", {})
    whole = ("/api/v1/market/allTickers", {})

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        return {"symbol": row.symbol.echo, "symbolName": row.symbol.echo,
                "buy": price(quote.bid), "bestBidSize": "5.8034879",
                "sell": price(quote.ask), "bestAskSize": "4.8345166",
                "last": price(quote.last), "averagePrice": price(quote.open)}

    @staticmethod
    def _level1(row):
        quote, price = row.quote, printer(row.symbol)
        return {"sequence": str(quote.trades), "price": price(quote.last),
                "size": "0.17", "bestAsk": price(quote.ask),
                "bestAskSize": "1.788", "bestBid": price(quote.bid),
                "bestBidSize": "3.803", "time": quote.time_ns // 10**6}

    def body(self, form, rows):
        if form == "one":
            data = self._level1(rows[0])
        else:
            data = {"time": now_ms(), "ticker": [self._row(r) for r in rows]}
        return compact({"code": "200000", "data": data})

    def unknown(self, ask):
        return Answer(200, b'{"code":"200000","data":null}', (JSON_TYPE,))


class Gate(OneOrAll):
    name, host = "gate", "api.gateio.ws"
    in_usdt = True
    symbols = listed("{0}_USDT", IN_USDT)
    parameter = "currency_pair"
    one = whole = ("/api/v4/spot/tickers", {})

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        return {
            "currency_pair": row.symbol.echo, "last": price(quote.last),
            "lowest_ask": price(quote.ask), "lowest_size": "2.192231",
            "highest_bid": price(quote.bid), "highest_size": "2.306681",
            "change_percentage": f"{change(quote) * 100:.2f}",
            "base_volume": f"{quote.volume:.6f}",
            "quote_volume": f"{quote.volume * quote.last:.7f}",
            "high_24h": price(quote.high), "low_24h": price(quote.low)}

    def body(self, form, rows):
        return compact([self._row(row) for row in rows])

    def unknown(self, ask):
        return Answer(400, compact({
            "label": "INVALID_CURRENCY_PAIR",
            "message": f"Invalid currency pair {ask.names[0]}"}),
            (JSON_TYPE,))


class Bitget(OneOrAll):
    name, host = "bitget", "api.bitget.com"
    in_usdt = True
    symbols = listed("{0}USDT", IN_USDT)
    parameter = "symbol"
    one = whole = ("/api/v2/spot/market/tickers", {})

    @staticmethod
    def _row(row):
        quote, price = row.quote, printer(row.symbol)
        turnover = f"{quote.volume * quote.last:.7f}"
        return {
            "open": price(quote.open), "symbol": row.symbol.echo,
            "high24h": price(quote.high), "low24h": price(quote.low),
            "lastPr": price(quote.last), "quoteVolume": turnover,
            "baseVolume": f"{quote.volume:.6f}", "usdtVolume": turnover,
            "ts": str(quote.time_ns // 10**6), "bidPr": price(quote.bid),
            "askPr": price(quote.ask), "bidSz": "1.754581",
            "askSz": "0.021297", "openUtc": price(quote.open),
            "changeUtc24h": f"{change(quote):.5f}",
            "change24h": f"{change(quote):.5f}"}

    def body(self, form, rows):
        return compact({"code": "00000", "msg": "success",
                        "requestTime": now_ms(),
                        "data": [self._row(row) for row in rows]})

    def unknown(self, ask):
        return Answer(400, compact({
            "code": "40034", "msg": f"Parameter {ask.names[0]} does not exist",
            "requestTime": now_ms(), "data": None}), (JSON_TYPE,))


class Htx(OneOrAll):
    """No Content-Type, as was seen."""
    name, host = "htx", "api.huobi.pro"
    in_usdt = chunked = True
    symbols = listed("{1}usdt", IN_USDT)
    parameter = "symbol"
    one = ("/market/detail/merged", {})
    whole = ("/market/tickers", {})

    @staticmethod
    def _numbers(row):
        """Of both forms, those that stand before the book."""
        quote = row.quote
        price = lambda value: float(text(value, row.symbol))
        return {"open": price(quote.open), "close": price(quote.last),
                "low": price(quote.low), "high": price(quote.high),
                "amount": float(quote.volume),
                "vol": float(quote.volume * quote.last), "count": 98674,
                "bid": price(quote.bid), "ask": price(quote.ask)}

    def _merged(self, row):
        tick = self._numbers(row)
        tick.update(bid=[tick["bid"], 0.546776], ask=[tick["ask"], 0.017973])
        return {"ch": f"market.{row.symbol.echo}.detail.merged",
                "status": "ok", "ts": now_ms(),
                "tick": {"id": row.quote.trades, "version": row.quote.trades,
                         **tick}}

    def _ticker(self, row):
        have = self._numbers(row)
        have.update(symbol=row.symbol.echo, bidSize=0.6583, askSize=1.0522)
        order = ("symbol open high low close amount vol count bid bidSize "
                 "ask askSize")
        return {member: have[member] for member in order.split()}

    def body(self, form, rows):
        if form == "one":
            return compact(self._merged(rows[0]))
        return compact({"status": "ok", "ts": now_ms(),
                        "data": [self._ticker(row) for row in rows]})

    def ok(self, form, rows):
        return super().ok(form, rows)._replace(headers=())

    def unknown(self, ask):
        return Answer(200, compact({
            "ts": now_ms(), "status": "error", "err-code":
            "invalid-parameter", "err-msg": "invalid symbol"}), (), True)
