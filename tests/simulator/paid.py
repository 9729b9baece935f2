"""What wants a key: CoinMarketCap, which is no exchange but has prices.

Source: coinmarketcap.com/api/documentation, "Quotes Latest v2", "Errors and
Rate Limits".
"""

import time

from exchange import (JSON_TYPE, Answer, Ask, Exchange, compact, split,
                      symbol_of, text)

IDS = {"BTC": "1", "LTC": "2", "XRP": "52", "DOGE": "74", "USDT": "825",
       "ETH": "1027", "BAT": "1697", "ZRX": "1896", "LINK": "1975",
       "ADA": "2010", "USDC": "3408", "DAI": "4943", "SOL": "5426",
       "COMP": "5692", "AVAX": "5805", "YFI": "5864", "DOT": "6636",
       "KNC": "9444", "PYUSD": "27772"}


def _stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))


def status(code=0, words=None):
    return {"timestamp": _stamp(time.time()), "error_code": code,
            "error_message": words, "elapsed": 12, "credit_count": 1,
            "notice": None}


class CoinMarketCap(Exchange):
    name, host = "coinmarketcap", "pro-api.coinmarketcap.com"
    key_header = "X-CMC_PRO_API_KEY"
    key = "3c0f6d1e-95ad-4b7e-8f0a-5d2be7a6914c"    # of this simulator
    symbols = {coin: symbol_of(asset, coin) for asset, coin in IDS.items()}

    def refusal(self, headers):
        given = headers.get(self.key_header)
        if given is None:
            return Answer(401, compact({"status": status(
                1002, "API key missing.")}), (JSON_TYPE,))
        if given != self.key:
            return Answer(401, compact({"status": status(
                1001, "This API Key is invalid.")}), (JSON_TYPE,))
        return None

    def asked(self, target):
        path, query = split(target)
        if (path != "/v2/cryptocurrency/quotes/latest"
                or set(query) != {"id", "convert"}
                or query["convert"] != "USD"):
            return None
        return Ask("list", tuple(query["id"].split(",")))

    @staticmethod
    def _coin(row):
        updated = _stamp(row.quote.time_ns // 10**9)
        asset = row.symbol.asset
        return {"id": int(row.name), "name": asset, "symbol": asset,
                "slug": asset.lower(), "is_active": 1, "is_fiat": 0,
                "last_updated": updated, "quote": {"USD": {
                    "price": float(text(row.quote.last, row.symbol)),
                    "volume_24h": float(row.quote.volume),
                    "percent_change_24h": -0.152774,
                    "last_updated": updated}}}

    def body(self, form, rows):
        return compact({"status": status(), "data": {
            row.name: self._coin(row) for row in rows}})

    def unknown(self, ask):
        unknown = [name for name in ask.names if name not in self.symbols]
        words = f'Invalid value for "id": "{",".join(unknown)}"'
        return Answer(400, compact({"status": status(400, words)}),
                      (JSON_TYPE,))
