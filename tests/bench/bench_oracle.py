#!/usr/bin/env python3
"""What the oracle costs: 200 feeds at one second, each from 14 exchanges, with
the rate that half of them are converted by. The exchanges are simulated, over
real TLS through the real bridge. The oracle has one core to itself; exchanges,
bridge and one reader of all its items (GET /stream) share another.

CPU is the oracle's own time, user and system, of all its threads, so that what
else runs here disturbs it little. A tick is missed where two items of a feed
are further apart than one interval. Exit status 1 if one was: else nothing is
judged. The programs are taken from $HALLMARK_BIN, default build/bin.
"""

import argparse
import os
import pathlib
import shutil
import statistics
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / room) for room in ("integration",
                                                     "simulator")]

import client  # noqa: E402
import exchanges  # noqa: E402
import market  # noqa: E402
from program import Failed, wait_until  # noqa: E402
from stack import Stack  # noqa: E402

# no market; hardly one; wants a key
LEFT_OUT = ("coingecko", "binance_us", "coinmarketcap")
INTERVAL_MS = 1000
START_S = 60
ORACLE_CORE, OTHER_CORE = 0, 1
ROW = "{:<19}{:>9}{:>9}{:>8}{:>9}{:>8}  {}"


# ---- what is run ----

def sources_of(asset, used):
    """This asset at each exchange that has it, under the exchange's name."""
    for exchange in used:
        own = "USDT" if exchange.in_usdt else "USD"
        for name, symbol in exchange.symbols.items():
            if (symbol.asset, exchange.currency(symbol)) == (asset, own):
                rate = {"quote_feed": "USDT-USD"} if own == "USDT" else {}
                yield {"exchange": exchange.name, "symbol": name, **rate}


def feed(asset, used):
    sources = list(sources_of(asset, used))
    return {"feed": f"{asset}-USD", "decimals": 8, "interval_ms": INTERVAL_MS,
            "max_age_ms": 5000, "min_sources": len(sources) // 2 + 1,
            "sources": sources}


def feeds(count):
    used = [e for e in exchanges.ALL if e.name not in LEFT_OUT]
    dollars = [e for e in used if not e.in_usdt]
    assets = [asset for asset in market.SYNTHETIC][:count]
    return [feed("USDT", dollars)] + [feed(asset, used) for asset in assets]


class OneCore(Stack):
    """An installation whose oracle is on a core of its own."""

    def _program(self, name):
        program = super()._program(name)
        core = ORACLE_CORE if name == "oracle" else OTHER_CORE
        program.argv[:0] = [shutil.which("taskset"), "-c", str(core)]
        return program

    def pid(self, name):
        return self.programs[name].process.pid

    def sources(self):
        return client.request(self.oracle_url("/sources")).json()


# ---- what is measured ----

def cpu_s(pid):
    """proc(5): utime and stime are fields 14 and 15; the name, field 2, ends
    at the last bracket."""
    stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    fields = stat.rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def core_busy_s(core):
    """All that ran on it: everything but idle and iowait."""
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name == f"cpu{core}":
            busy = sum(map(int, ticks[:8])) - int(ticks[3]) - int(ticks[4])
            return busy / os.sysconf("SC_CLK_TCK")
    raise Failed(f"no cpu{core} in /proc/stat")


def memory_mib(pid, field):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    line = next(line for line in status.splitlines()
                if line.startswith(field + ":"))
    return int(line.split()[1]) / 1024


class Clocks:
    """How long it was, and what each program used of it."""

    def __init__(self, stack):
        self.at = time.monotonic()
        self.core = core_busy_s(ORACLE_CORE)
        self.used = {name: cpu_s(stack.pid(name)) for name in stack.names}

    def percents_since(self, before):
        took = self.at - before.at
        used = {name: (self.used[name] - before.used[name]) * 100 / took
                for name in self.used}
        return used, (self.core - before.core) * 100 / took - used["oracle"]


def requests(page):
    return {row["exchange"]: row["requests"] for row in page["exchanges"]}


def by_feed(events):
    """The contents of each feed's items, in the order in which they came."""
    items = {}
    for event in events:
        content = client.content_of(event.json())
        items.setdefault(content["feed"], []).append(content)
    return items


def missed(contents):
    """Ticks between the first and the last that have no item."""
    first, last = contents[0], contents[-1]
    ticks = round((last["published_ms"] - first["published_ms"])
                  / INTERVAL_MS)
    return ticks - (len(contents) - 1)


def lost(contents):
    """Items that were made and did not reach us."""
    return contents[-1]["sequence"] - contents[0]["sequence"] + 1 - len(
        contents)


def spread_ms(contents):
    """From the earliest item to the latest of a tick, over all ticks."""
    half, first = INTERVAL_MS // 2, contents[0]["published_ms"]
    places = [(c["published_ms"] - first + half) % INTERVAL_MS
              for c in contents]
    return max(places) - min(places)


def used_in(content):
    return sum(source["state"] == "used" for source in content["sources"])


# ---- what is said ----

def print_exchanges(page, before, seconds):
    print(ROW.format("exchange", "requests", "asked", "budget", "of it",
                     "ms", "documented limit"))
    print(ROW.format("", "planned", "/min", "/min", "", "", ""))
    for row in page["exchanges"]:
        name = row["exchange"]
        asked = row["requests_last_minute"]
        latency = statistics.median(
            symbol["latency_ms"] for symbol in row["symbols"])
        print(ROW.format(
            name, row["requests_planned"], f"{asked:.0f}",
            row["budget_per_min"], f"{asked / row['budget_per_min']:.0%}",
            f"{latency:.0f}", row["limit"]))


def print_items(items, expected):
    contents = [content for of in items.values() for content in of]
    good = [used_in(c) for c in contents if c["status"] == "ok"]
    print(f"items               {len(contents)} of {len(items)} feeds "
          f"({expected} feeds wanted)")
    print(f"ticks missed        {sum(map(missed, items.values()))}")
    print(f"items not received  {sum(map(lost, items.values()))}")
    print(f"status ok           {len(good) / len(contents):.2%}")
    print(f"sources used        {statistics.mean(good):.2f} in the mean, "
          f"{min(good)} at least, of "
          f"{max(len(c['sources']) for c in contents)}")
    print(f"ticks               at {spread_ms(contents)} ms at most from "
          "the first to the last")


def measure(stack, seconds, warm_up):
    wait_until("all feeds have a price", lambda: all(
        feed["status"] == "ok" for feed in stack.sources()["feeds"]),
        START_S, stack.programs["oracle"].must_run)
    time.sleep(warm_up)
    stream = client.Stream(stack.oracle_port, "/stream?attestation=ref")
    page, began = stack.sources(), Clocks(stack)
    time.sleep(seconds)
    ended = Clocks(stack)
    items = by_feed(stream.named("price"))
    broken = stream.closed.is_set()
    stream.close()
    if broken:
        raise Failed("the reader was too slow: its stream was closed")
    return began, ended, page, items


def report(stack, expected, measured):
    began, ended, page, items = measured
    took = ended.at - began.at
    used, others = ended.percents_since(began)
    pid = stack.pid("oracle")
    print(f"\n{took:.0f} s on {os.cpu_count()} cores; the machine's load is "
          f"{os.getloadavg()[0]:.1f}\n")
    print_exchanges(stack.sources(), requests(page), took)
    print()
    print_items(items, expected)
    print(f"CPU of the oracle   {used['oracle']:.1f} % of one core; on that "
          f"core others used {max(others, 0):.1f} %")
    print(f"CPU of the others   bridge {used['bridge']:.1f} %, "
          f"exchanges {used['simulator']:.1f} %")
    print(f"memory              {memory_mib(pid, 'VmRSS'):.1f} MiB, "
          f"{memory_mib(pid, 'VmHWM'):.1f} MiB at most")
    return 1 if sum(map(missed, items.values())) or len(
        items) != expected else 0


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--warm-up", type=int, default=10)
    parser.add_argument("--feeds", type=int, default=200)
    parser.add_argument("--markets", type=int, default=1000,
                        help="how many each exchange has beside real coins; "
                        "the length of its answers")
    options = parser.parse_args()
    os.environ["SIMULATED_ASSETS"] = str(options.markets)
    wanted = feeds(options.feeds)
    stack = OneCore(wanted, verifierd=False)
    try:
        stack.start(lambda text: print(text, flush=True))
        return report(stack, len(wanted), measure(
            stack, options.seconds, options.warm_up))
    except Failed as failed:
        print(f"bench_oracle: {failed}\n{stack.logs()}", file=sys.stderr)
        return 1
    finally:
        stack.stop()


if __name__ == "__main__":
    sys.exit(main())
