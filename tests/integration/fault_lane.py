"""One installation whose exchanges fail by turns, a third of them at any
moment, while everything that it says is kept: the items that verifierd let
through, /sources, and where the simulated market really stood.
"""

import collections
import contextlib
import json
import pathlib
import random
import time

import client
import fault_causes
import support
from program import Failed
from stack import Stack

INTERVAL_MS = 200
MAX_AGE_MS = 6000   # Bitfinex may be asked each 4 s
# Some are asked for a symbol each 2 s, and give the same five digits twice.
FROZEN_MS = 5000
LOOK_S = 0.1
SHOWS_S = 40        # until /sources names the fault: a ceiling
RECOVERS_S = 40     # until the exchange is well again: another
YOUNG_MS = 1900     # MAX_AGE_MS is not over before Bitfinex is asked again
PAUSE_LEFT_MS = 400     # a fault ends so long before its pause does
DATE_OFF_MS = 60000     # what is beyond is no inaccuracy of a Date

# The symbols of BTC and USDT, in dollars; of BTC in USDT.
DOLLARS = {"coinbase_exchange": ("BTC-USD", "USDT-USD"),
           "kraken": ("XBTUSD", "USDTUSD"), "bitstamp": ("btcusd", "usdtusd"),
           "gemini": ("btcusd", "usdtusd"), "bitfinex": ("tBTCUSD", "tUSTUSD"),
           "cryptocom": ("BTC_USD", "USDT_USD"),
           "binance_us": ("BTCUSD", "USDTUSD")}
TETHERS = {"binance": "BTCUSDT", "okx": "BTC-USDT", "bybit": "BTCUSDT",
           "kucoin": "BTC-USDT", "gate": "BTC_USDT", "bitget": "BTCUSDT",
           "htx": "btcusdt", "mexc": "BTCUSDT"}
EXCHANGES = (*DOLLARS, *TETHERS)
ASSETS = {"BTC-USD": "BTC", "USDT-USD": "USDT"}
# A third of each feed's sources fail: who, and how many of them.
GROUPS = ((DOLLARS, 2), (TETHERS, 3))
# Who has failed in its own way does so until another takes its place. A lie is
# no failure to the oracle: it asks as often as ever.
WAITING = "lie"
# What becomes of an answer that a change of fault cuts off.
CUT_OFF = {"bad_http", "tls_failed", "connect_failed"}
# While requests fail, the last good answer is seen as what it was.
STAYING = {*fault_causes.STATES, fault_causes.CLOCK}
# For ten minutes, as it documents: it does not come back in this run.
BANS = (("bybit", "403"), ("bybit", "geo_403"))
# Requests for two symbols, where one cannot name both.
PLANNED = {name: 2 for name in ("coinbase_exchange", "bitstamp", "gemini",
                                "cryptocom")}
# What a feed needs for a price.
HALF = (len(EXCHANGES) + 1) // 2
HALF_OF_DOLLARS = (len(DOLLARS) + 1) // 2
# How many faults in a row: each failure doubles the oracle's back-off, which
# costs no time where it asks seldom anyway.
ROW = {"bitfinex": 4, "kraken": 3, "gemini": 2}
# One at a time of those with USDT fails for longer than any answer lasts.
LONG_S = MAX_AGE_MS / 1000 + 4

Seen = collections.namedtuple("Seen", "exchange fault seen after_s")


def feeds():
    common = {"interval_ms": INTERVAL_MS, "max_age_ms": MAX_AGE_MS,
              "frozen_after_ms": FROZEN_MS, "min_sources": 3}
    usdt = [{"exchange": name, "symbol": symbols[1]}
            for name, symbols in DOLLARS.items()]
    btc = [{"exchange": name, "symbol": symbols[0]}
           for name, symbols in DOLLARS.items()]
    btc += [{"exchange": name, "symbol": symbol, "quote_feed": "USDT-USD"}
            for name, symbol in TETHERS.items()]
    return [{"feed": "USDT-USD", "decimals": 6, "sources": usdt, **common},
            {"feed": "BTC-USD", "decimals": 2, "sources": btc, **common}]


class Page:
    """GET /sources, at one moment."""

    def __init__(self, stack):
        page = client.request(stack.oracle_url("/sources")).json()
        self.now_ms = page["now_ms"]
        self._rows = {row["exchange"]: row for row in page["exchanges"]}
        self._states = collections.defaultdict(set)
        for feed in page["feeds"]:
            for source in feed["sources"]:
                self._states[source["exchange"]].add(source["state"])

    def errors(self, exchange):
        total = collections.Counter()
        for symbol in self._symbols(exchange):
            total.update(symbol["errors"])
        return total

    def paused_ms(self, exchange):
        return self._rows[exchange]["paused_ms"]

    def clock_is_off(self, exchange):
        offset = self._rows[exchange]["clock_offset_ms"]
        return offset is not None and abs(offset) > DATE_OFF_MS

    def row(self, exchange):
        return json.dumps(self._rows[exchange])

    def is_sound(self, exchange):
        return (self._states[exchange] == {"used"} and
                all(symbol["up"] for symbol in self._symbols(exchange)))

    def seen(self, exchange, before):
        """Classes that came since `before`, states, the clock."""
        seen = set(self.errors(exchange) - before)
        seen |= self._states[exchange] & fault_causes.STATES
        return seen | ({fault_causes.CLOCK} if self.clock_is_off(exchange)
                       else set())

    def is_well(self, exchange):
        """Sound, and asked as often as ever."""
        return (self.is_sound(exchange)
                and self._rows[exchange]["requests_planned"]
                == PLANNED.get(exchange, 1)
                and all(symbol["answer_age_ms"] < YOUNG_MS
                        for symbol in self._symbols(exchange))
                and not self.clock_is_off(exchange)
                and self.paused_ms(exchange) == 0)

    def _symbols(self, exchange):
        return self._rows[exchange]["symbols"]


class Failing:
    """One exchange, while it goes through some of its faults; the caller
    looks at each page."""

    def __init__(self, lane, exchange, seconds):
        self.lane, self.exchange = lane, exchange
        self.expected = fault_causes.of(exchange)
        self.left = ROW.get(exchange, 1)
        self.end = time.monotonic() + seconds
        self.is_long = seconds > 0
        self.fault, self.waiting = None, False

    def begin(self, page):
        # An answer to the fault before may still be on its way.
        self.allowed = self.expected.get(self.fault, set()) | CUT_OFF
        self.fault = self.lane.next_fault(self.exchange)
        self.allowed |= self.expected[self.fault]
        self.errors = page.errors(self.exchange)
        self.since = time.monotonic()
        self.told = False
        self.left -= 1
        self.lane.stack.fault(self.exchange, self.fault, 1)

    def look(self, page):
        """True when this turn may end."""
        if self.waiting:
            return True
        waited = time.monotonic() - self.since
        seen = page.seen(self.exchange, self.errors)
        right = seen & self.expected[self.fault]
        wrong = seen - self.allowed - STAYING
        self.allowed |= wrong
        self.lane.problems += [f"{self.exchange} {self.fault}: seen as {one}"
                               for one in sorted(wrong)]
        if right and not self.told:
            self.told = True
            self.lane.note_seen(self.exchange, self.fault, right, waited)
        elif not right and waited > SHOWS_S:
            self.lane.problems.append(
                f"{self.exchange} {self.fault}: not seen, but {sorted(seen)}")
            return True
        return self.told and self._goes_on_or_ends(page)

    def _goes_on_or_ends(self, page):
        if (self.exchange, self.fault) in BANS:
            return True
        if page.paused_ms(self.exchange) > PAUSE_LEFT_MS:
            return False
        pausing = self.expected[self.fault] & fault_causes.PAUSING
        if pausing or (self.left <= 0 and time.monotonic() >= self.end):
            return True
        self.begin(page)
        return False

    def wait(self):
        if not self.waiting:
            self.lane.stack.fault(self.exchange, WAITING)
        self.waiting = True


class Lane:
    """Number `number` of `count`: together they go through all faults."""

    def __init__(self, number, count, seed, in_full):
        self.stack, self.in_full = Stack(feeds()), in_full
        self.turns = collections.Counter()
        self.seen, self.problems = [], []
        self.starved = []   # (Unix ms, ms that it has waited for a processor)
        self.truth = []     # (Unix ms, {asset: price})
        self.well = {}      # since when (Unix ms), and its errors then
        self.recovered = []
        self.was_well = []  # (exchange, from ms, to ms)
        self.failing, self.recovering = {}, {}
        self.looks = self.full_looks = 0
        self.todo, self.unseen = {}, {}
        for name in EXCHANGES:
            mine, others = self._share(name, number, count, seed)
            self.todo[name] = collections.deque(mine + others)
            self.unseen[name] = set(mine)

    @staticmethod
    def _share(exchange, number, count, seed):
        """The faults that this lane has to show, and the rest. Those that
        end everything come last, in one lane each."""
        faults = [fault for fault in fault_causes.of(exchange)
                  if (exchange, fault) not in BANS]
        random.Random(f"{seed} {exchange}").shuffle(faults)
        mine = faults[number::count]
        bans = [fault for name, fault in BANS if name == exchange]
        return mine + bans[number::count], [
            fault for fault in faults if fault not in mine]

    def next_fault(self, exchange):
        fault = self.todo[exchange][0]
        self.todo[exchange].rotate(-1)
        return fault

    def note_seen(self, exchange, fault, seen, after_s):
        self.unseen[exchange].discard(fault)
        self.seen.append(Seen(exchange, fault, "/".join(sorted(seen)),
                              after_s))

    def settle(self):
        """Until every exchange is well."""
        end = time.monotonic() + support.SEEN_S
        while len(self.well) < len(EXCHANGES):
            page = self.look()
            self._note_well(page, EXCHANGES)
            if time.monotonic() > end:
                raise Failed(f"only {sorted(self.well)} are well")
        self.stream = client.Stream(self.stack.verifierd_port,
                                    "/stream?feeds=BTC-USD,USDT-USD")

    def look(self):
        """/sources, now; notes the truth of this moment."""
        time.sleep(LOOK_S)
        self.starved.append((support.now_ms(), self._starved_ms()))
        truth = client.request(self.stack.control_url("/truth")).json()
        self.truth.append((truth["unix_ms"], {
            asset: float(price) for asset, price in truth["prices"].items()}))
        return Page(self.stack)

    def _starved_ms(self):
        """How long the oracle's threads have waited for a processor: on a
        busy machine no program can keep its ticks. (Linux, Documentation/
        scheduler/sched-stats.rst; nothing where it is not built in.)"""
        tasks = pathlib.Path(
            f"/proc/{self.stack.programs['oracle'].process.pid}/task")
        waited_ns = 0
        for path in tasks.glob("*/schedstat"):
            with contextlib.suppress(OSError):
                waited_ns += int(path.read_text().split()[1])
        return waited_ns / 10**6

    def run(self, least_s, most_s):
        """A third fail, for least_s at least and until all of this lane's
        faults were on."""
        began = time.monotonic()
        while True:
            page = self.look()
            self._note_well(page, list(self.recovering))
            done = [name for name, turn in self.failing.items()
                    if turn.look(page)]
            for group, most in GROUPS:
                self._take_turns(page, group, done, most)
            self._count_look()
            ran = time.monotonic() - began
            if ran > most_s or (ran > least_s and not any(
                    self.unseen.values())):
                break
        self.ran_s = ran
        self.ended_ms = support.now_ms()
        for exchange, (fault, since) in self.recovering.items():
            if time.monotonic() - since > RECOVERS_S:
                self.problems.append(
                    f"{exchange} did not recover from {fault}: "
                    f"{page.row(exchange)}")
        for exchange in list(self.well):
            self._no_longer_well(page, exchange)
        self.stream.close()

    def _count_look(self):
        self.looks += 1
        self.full_looks += len(self.failing) * 3 >= len(EXCHANGES)

    def _note_well(self, page, exchanges):
        for exchange in exchanges:
            if page.is_well(exchange):
                fault, since = self.recovering.pop(exchange, ("", 0))
                if fault:
                    self.recovered.append(Seen(
                        exchange, fault, "well", time.monotonic() - since))
                self.well[exchange] = (page.now_ms, page.errors(exchange))

    def _no_longer_well(self, page, exchange):
        since_ms, errors = self.well.pop(exchange)
        self.was_well.append((exchange, since_ms, page.now_ms))
        news = page.errors(exchange) - errors
        if news:
            self.problems.append(f"{exchange} was well, and had {dict(news)}")

    def _take_turns(self, page, group, done, most):
        done = [name for name in done if name in group]
        while done or sum(name in group for name in self.failing) < most:
            name = self._next_exchange(page, group)
            if name is None:
                break
            full = sum(name in group for name in self.failing) >= most
            self._begin(page, name, self._turn_s(group))
            if full:
                self._end(done.pop(0))
        for name in done:
            self.failing[name].wait()

    def _begin(self, page, exchange, seconds):
        self._no_longer_well(page, exchange)
        self.turns[exchange] += 1
        turn = Failing(self, exchange, seconds)
        turn.begin(page)
        self.failing[exchange] = turn

    def _end(self, exchange):
        self.stack.fault(exchange, "none")
        fault = self.failing.pop(exchange).fault
        if (exchange, fault) not in BANS:
            self.recovering[exchange] = (fault, time.monotonic())

    def _turn_s(self, group):
        """One of the second group at a time fails for long."""
        long = [name for name, turn in self.failing.items()
                if name in group and turn.is_long]
        return 0 if group is DOLLARS or long else LONG_S

    def _next_exchange(self, page, group):
        """Of those that are well, the one with most before it; in a short
        run the one that failed least. None if half of a feed would not be
        left."""
        sound = {name for name in EXCHANGES
                 if name not in self.failing and page.is_sound(name)}
        if len(sound) - 1 < HALF or (
                group is DOLLARS and
                len(sound & DOLLARS.keys()) - 1 < HALF_OF_DOLLARS):
            return None
        cost = {name: len(self.unseen[name]) * ROW.get(name, 1)
                if self.in_full else -self.turns[name]
                for name in group if name in self.well and name in sound}
        return max(cost, key=lambda name: (cost[name], -self.well[name][0]),
                   default=None)
