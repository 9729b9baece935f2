"""Prices that move: one random walk for each asset, and around it a slightly
different book at each exchange. Reproducible for one seed and one sequence of
questions. Decimal throughout, so that no exchange ever sends binary noise.

Every asset of deploy/feeds is here, and synthetic ones beside them, so that
the answers about whole markets are long and hundreds of feeds can be run: 200
of them, or as many as $SIMULATED_ASSETS says (real exchanges have a thousand
markets and more).
"""

import collections
import decimal
import os
import random
import threading
import time

D = decimal.Decimal

TICK_S = 0.2        # the walk takes one step in this time
STEPS_MAX = 50      # and no more than these after a long silence
STEP_BPS = 1        # a step is at most this far
SKEW_BPS = 2        # an exchange stands at most this far from the middle
SPREAD_BPS = D("0.5")

REAL = {name: D(price) for name, price in {
    "BTC": "84036", "ETH": "3338.9", "SOL": "141.37", "XRP": "2.1873",
    "ADA": "0.5412", "DOGE": "0.15873", "AVAX": "17.24", "LINK": "14.63",
    "LTC": "96.81", "DOT": "2.874", "USDT": "0.9994", "USDC": "0.99985",
    "DAI": "0.99972", "PYUSD": "0.9997", "EUR": "1.1584", "BAT": "0.2213",
    "ZRX": "0.1837", "COMP": "37.42", "YFI": "4631.5",
    "KNC": "0.2874"}.items()}
SYNTHETIC_COUNT = int(os.environ.get("SIMULATED_ASSETS", "200"))
# S001, S002 ...: from a tenth of a cent to a hundred thousand dollars.
SYNTHETIC = {f"S{i:03}": D(1000 + i * 7919 % 9000).scaleb(i % 8 - 6)
             for i in range(1, SYNTHETIC_COUNT + 1)}
START = {**REAL, **SYNTHETIC}
PULL = D("0.02")    # each step goes this part of the way back to the start

Quote = collections.namedtuple(
    "Quote", "last bid ask open high low volume trades time_ns")


class Market:
    def __init__(self, seed):
        self._random = random.Random(seed)
        self._mid = dict(START)
        self._high = dict(START)
        self._low = dict(START)
        self._at = time.monotonic()
        self._trades = 1_000_000
        self._lock = threading.Lock()

    def _bps(self, limit):
        return D(self._random.randint(-1000 * limit, 1000 * limit)) / 10**7

    def _step(self):
        for asset, start in START.items():
            mid = self._mid[asset]
            mid += mid * self._bps(STEP_BPS) + (start - mid) * PULL
            self._mid[asset] = mid
            self._high[asset] = max(mid, self._high[asset])
            self._low[asset] = min(mid, self._low[asset])

    def _advance(self):
        steps = int((time.monotonic() - self._at) / TICK_S)
        self._at += steps * TICK_S
        for _ in range(min(steps, STEPS_MAX)):
            self._step()

    def quote(self, asset, currency="USD"):
        """One exchange's view of the asset now, in this currency."""
        with self._lock:
            self._advance()
            unit = D(1) if currency == "USD" else self._mid[currency]
            middle = self._mid[asset] * (1 + self._bps(SKEW_BPS)) / unit
            half = middle * SPREAD_BPS / 10**4
            self._trades += 1
            return Quote(
                last=middle + self._random.choice((-half, half)),
                bid=middle - half, ask=middle + half,
                open=START[asset] / unit, high=self._high[asset] / unit,
                low=self._low[asset] / unit,
                volume=D(self._random.randint(10**11, 10**12)) / 10**8,
                trades=self._trades, time_ns=time.time_ns())
