"""What the oracle has to say about each fault of the simulator, by exchange:
the error classes of GET /sources, or the state of its source in the items.

Written from what the faults are (tests/simulator/faults.py) and from what the
exchanges document, not from what the oracle says.
"""

import sys

import settings

sys.path.insert(0, str(settings.ROOT / "tests" / "simulator"))
import faults
import refusals

# States, which are no errors: the answer is good, and not to be believed.
STATES = {"frozen", "outlier", "stale"}
# The exchange's clock, in /sources, is minutes off; its price is good.
CLOCK = "clock"
# Their effect on a feed is that of any other answer without a price.
COMMON = {
    "429": "rate_limited", "429_date": "rate_limited", "418": "banned",
    "451": "geo_blocked", "403": "blocked", "401": "auth",
    "404": "http_error", "408": "timeout", "500": "server_error",
    "502": "server_error", "503": "maintenance", "504": "timeout",
    "html": "bad_body", "empty": "bad_body", "null_body": "bad_body",
    "deep": "bad_body", "oversize": "too_large", "bad_json": "bad_body",
    "redirect": "redirect", "unknown_symbol": "unknown_symbol",
    "frozen": "frozen", "absurd": "outlier", "tiny": "outlier",
    "lie": "outlier", "zero": "no_price", "negative": "no_price",
    "old": "stale", "wrong_symbol": "unknown_symbol",
    # Missing and null are the same to exchanges.
    "null": "no_price bad_body", "empty_price": "no_price bad_body",
    "nan": "bad_body", "overlong": "bad_body", "500_good": "server_error",
    "gzip": "bad_http", "wrong_date": CLOCK, "slow": "timeout",
    "hang": "timeout", "truncated": "bad_http", "reset": "bad_http",
    "no_http": "bad_http", "endless_head": "too_large bad_http",
    "expired_cert": "tls_failed", "wrong_host": "tls_failed",
    "untrusted": "tls_failed", "no_tls": "tls_failed",
    "close": "tls_failed connect_failed",
}
OWN = {
    "delisted": "unknown_symbol", "limit_200": "rate_limited",
    "limit_400": "rate_limited", "api_limit_200": "rate_limited",
    "pool_limit_200": "rate_limited", "lockout_200": "rate_limited",
    "busy_200": "server_error", "internal_200": "server_error",
    "bad_request_200": "bad_request", "maintenance_200": "maintenance",
    "maintenance_500": "maintenance", "upgrade_400": "maintenance",
    "timeout_200": "timeout", "timeout_400": "timeout",
    "geo_200": "geo_blocked", "geo_403": "blocked",
    "null_200": "unknown_symbol", "unpaid_402": "auth",
}
# Asked alone, Bitfinex leaves nothing. Kraken has one word for all that its
# service cannot do now. Answers about one market of Coinbase and KuCoin do
# not name it: the price gives a wrong one away.
ODD = {
    ("bitfinex", "unknown_symbol"): "no_price",
    ("kraken", "busy_200"): "maintenance",
    ("coinbase_exchange", "wrong_symbol"): "outlier",
    ("kucoin", "wrong_symbol"): "outlier",
}
# No time in their answers, or none that is that of the prices: an old answer
# can only be told by its prices.
TIMELESS = {"kraken", "gemini", "bitfinex", "gate", "bybit", "htx"}
# After these the exchange is left alone for a while.
PAUSING = {"rate_limited", "banned"}


def of(exchange):
    """{fault: what may be seen of it, a set} of this exchange."""
    table = {}
    for fault in faults.of(exchange):
        if fault == "none" or (fault == "old" and exchange in TIMELESS):
            continue
        seen = ODD.get((exchange, fault)) or COMMON.get(fault) or OWN[fault]
        table[fault] = set(seen.split())
    return table


def own_words():
    """(exchange, fault) of all that is said in an exchange's own words."""
    return [(exchange, fault) for exchange, words in refusals.OWN.items()
            for fault in words]
