#!/usr/bin/env python3
"""Verified prices in this terminal: starts the exchanges (simulated), the
bridge, the oracle and the verifier, shows what they say, and stops all of it
on Ctrl-C.

  make demo                   until Ctrl-C; 30 seconds where the output is
                              not a terminal
  DEMO_SECONDS=20 make demo   ends by itself; exit status 0 only if verified
                              prices of all that must be there were seen
  make demo LIVE=1            the real exchanges (deploy/live.json)
"""

import json
import os
import pathlib
import signal
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

import client  # noqa: E402
import settings  # noqa: E402
from program import Failed  # noqa: E402
from stack import Stack  # noqa: E402

MUST_SEE = ("BTC-USD", "ETH-USD")
INTERVAL_MS = 1000  # of the simulated feeds; the real ones are asked less
VERIFY_S = 2        # every row's item is fetched and verified again
DRAW_S = 0.5
UNWATCHED_S = 30    # nobody is there to press Ctrl-C
LOG_LINES = 12

HEAD = ("feed", "verified price", "confidence", "sources", "age", "verdict")
WIDTHS = (10, 18, 16, 8, 7, 0)
CLEAR_LINE = "\x1b[2K"
COLOURS = {True: "\x1b[32m", False: "\x1b[31m"}
PLAIN = "\x1b[0m"

HELP = """
Everything runs; Ctrl-C stops it all.
The oracle, through the bridge   {oracle}
The verifier, valid items only   {verifier}
A page that verifies it itself   {verifier}/

Try in another terminal:
  curl -s {verifier}/price/BTC-USD | jq .
  curl -sN {verifier}/stream
  curl -s {verifier}/feeds
  curl -s {verifier}/readyz

Verify one yourself, with our command:
  curl -s {verifier}/price/BTC-USD > item.json
  {hallmark} verify item.json \\
      --policy {policy}
Or only with openssl and jq:
  jq -r .public_key item.json > key.pem
  jq -r .signature_b64 item.json | base64 -d > sig.bin
  jq -j .content item.json | openssl dgst -sha256 -verify key.pem -signature sig.bin
"""
BREAK = """
Break an exchange, watch the price go on, and mend it:
  curl -d '{{"exchange":"kraken","fault":"429"}}' {control}/fault
  curl -d '{{"exchange":"kraken","fault":"none"}}' {control}/fault
"""


class Row:
    """One feed: its newest item, fetched and verified from time to time."""

    def __init__(self, stack, feed):
        self.stack, self.feed = stack, feed
        self.path = stack.dir / f"{feed}.item.json"
        self.price = self.confidence = self.sources = "-"
        self.published_ms, self.valid, self.verdict = None, False, "waiting"
        self.used = self.best_used = 0

    def refresh(self):
        try:
            reply = client.request(self.stack.url(f"/price/{self.feed}"))
        except OSError as error:
            return self._refused(f"no answer: {error}")
        if reply.status != 200:
            problem = reply.json()
            return self._refused(f"{problem['code']}: {problem['detail']}")
        self._take(reply.body)

    def _refused(self, why):
        self.price = self.confidence = self.sources = "-"
        self.published_ms, self.valid, self.verdict = None, False, why

    def _take(self, body):
        self.path.write_bytes(body)
        done = self.stack.verify(self.path)
        said = (done.stdout + done.stderr).strip().splitlines() or ["?"]
        if done.returncode != 0:
            return self._refused(f"exit {done.returncode}: {said[-1]}")
        content = client.content_of(json.loads(body))
        self.price, self.confidence = content["price"], content["confidence"]
        self.published_ms = content["published_ms"]
        states = [source["state"] for source in content["sources"]]
        self.used = states.count("used")
        self.best_used = max(self.best_used, self.used)
        self.sources = f"{self.used} of {len(states)}"
        self.valid = True
        self.verdict = f"VALID ({self._checks(done.stdout)} checks passed)"

    @staticmethod
    def _checks(text):
        return sum(line.startswith("ok") for line in text.splitlines())

    def cells(self):
        age = "-" if self.published_ms is None else \
            f"{time.time() - self.published_ms / 1000:.1f} s"
        confidence = self.confidence if self.confidence == "-" else \
            f"+- {self.confidence}"
        return (self.feed, self.price, confidence, self.sources, age,
                self.verdict)


def line_of(cells):
    return "  ".join(cell.ljust(width)
                     for cell, width in zip(cells, WIDTHS)).rstrip()


class Table:
    """In place on a terminal, else a line for each row from time to time."""

    def __init__(self, rows, out=sys.stdout):
        self.rows, self.out = rows, out
        self.in_place = out.isatty()
        self._drawn = False
        if not self.in_place:
            self._print(line_of(HEAD))

    def _print(self, line):
        print(line, file=self.out, flush=True)

    def draw(self, refreshed):
        if not self.in_place:
            if refreshed:
                for row in self.rows:
                    self._print(line_of(row.cells()))
            return
        columns = os.get_terminal_size(self.out.fileno()).columns
        if self._drawn:
            self.out.write(f"\x1b[{len(self.rows) + 1}A")
        self._print(CLEAR_LINE + line_of(HEAD)[:columns - 1])
        for row in self.rows:
            line = line_of(row.cells())[:columns - 1]
            self._print(CLEAR_LINE + COLOURS[row.valid] + line + PLAIN)
        self._drawn = True


def say(text):
    print(text, flush=True)


def show_help(stack):
    text = HELP + ("" if stack.live else BREAK)
    say(text.format(
        oracle=stack.oracle_url(""), verifier=stack.url(""),
        control=stack.control_url(""), policy=stack.policy,
        hallmark=stack.bin / "hallmark"))


def watch(stack, rows, seconds):
    """Draws until the time is over (None: for ever)."""
    table = Table(rows)
    end = None if seconds is None else time.monotonic() + seconds
    next_verify = 0
    while end is None or time.monotonic() < end:
        refresh = time.monotonic() >= next_verify
        if refresh:
            next_verify = time.monotonic() + VERIFY_S
            for row in rows:
                row.refresh()
        for program in stack.programs.values():
            program.must_run()
        table.draw(refresh)
        time.sleep(DRAW_S)


def missing(rows, sources):
    """What was not seen of what must be, one text a feed."""
    return [f"{row.feed}: verified from {row.best_used} exchanges at most, "
            f"{sources} are wanted; last: {row.verdict}"
            for row in rows
            if row.feed in MUST_SEE and row.best_used < sources]


def run(stack, seconds):
    stack.start(say)
    show_help(stack)
    rows = [Row(stack, feed["feed"]) for feed in stack.feeds]
    try:
        watch(stack, rows, seconds)
    except KeyboardInterrupt:
        say("")
        if seconds is None:
            return
    # A real exchange may be shut for this country or down today.
    lacking = missing(rows, 3 if stack.live else 4)
    if lacking:
        raise Failed("\n".join(lacking))
    say(f"\nVerified, each from {3 if stack.live else 4} exchanges or more: "
        + ", ".join(MUST_SEE))


def make_stack():
    live = os.environ.get("LIVE", "") not in ("", "0")
    feeds = settings.live_feeds() if live else \
        settings.live_feeds(interval_ms=INTERVAL_MS)
    return Stack(feeds, live=live)


def demo_seconds():
    text = os.environ.get("DEMO_SECONDS", "")
    if not text:
        return None if sys.stdout.isatty() else UNWATCHED_S
    if not text.isdigit() or int(text) == 0:
        sys.exit(f"DEMO_SECONDS={text}: a number of seconds is wanted")
    return int(text)


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    if sys.argv[1:]:
        say(__doc__)
        return 0 if sys.argv[1:] == ["--help"] else 1
    seconds = demo_seconds()
    for number in (signal.SIGINT, signal.SIGTERM):
        # Also where a shell that runs us in the background had it ignored.
        signal.signal(number, interrupt)
    stack = make_stack()
    failed = None
    try:
        run(stack, seconds)
    except (Failed, OSError) as problem:
        failed = problem
    except KeyboardInterrupt:
        failed = Failed("interrupted while starting")
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        say("stopping everything ...")
        stack.stop(keep=failed is not None)
    if failed is None:
        return 0
    say(f"\nThe demo failed: {failed}\n\nThe last log lines (all of them in "
        f"{stack.dir}):\n{stack.logs(LOG_LINES)}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
