"""Verifier daemons beside the one of a Stack: mirrors of it, of each other, and
edges behind NATS. Each has a folder, a port and an archive of its own, and the
Stack's policy.
"""

import contextlib
import json
import sqlite3

import client
import settings
from program import Failed, Program, wait_until
from stack import BIN, START_S


class Edge:
    def __init__(self, stack, name, oracles=(), **more):
        self.stack, self.name = stack, name
        self.dir = stack.dir / name
        self.dir.mkdir()
        self.port, = settings.free_ports(1)
        self.config = {
            "listen": f"tcp://127.0.0.1:{self.port}",
            "policy": str(stack.policy), "archive": "archive.db",
            "oracles": list(oracles), **more}
        if not self.config["oracles"]:
            del self.config["oracles"]
        self.program = Program(
            name, [BIN / "hallmark-verifierd", self.dir / "config.json"],
            self.dir / "log")

    def start(self, ready=True):
        settings.write_json(self.dir / "config.json", self.config)
        self.program.start()
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self, seconds=START_S):
        try:
            wait_until(f"{self.name} is ready",
                       lambda: client.ready(self.url("/readyz")), seconds,
                       self.program.must_run)
        except Failed as failed:
            why = client.why_not(self.url("/readyz"))
            raise Failed(f"{failed}; {why}\n"
                         + self.program.log_tail(15)) from None

    def stop(self):
        return self.program.stop()

    def kill(self):
        self.program.kill()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path):
        return client.request(self.url(path))

    def upstreams(self):
        """What /upstreams says, by the upstream's name."""
        return {entry["upstream"]: entry
                for entry in self.get("/upstreams").json()["upstreams"]}

    def metric(self, name):
        """The value of this sample (name and labels), or None."""
        for line in self.get("/metrics").body.decode().splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
        return None

    # ---- its archive ----

    def query(self, sql, *values):
        """Asks the archive, while the daemon writes it or after."""
        archive = sqlite3.connect(
            f"file:{self.dir / 'archive.db'}?mode=ro", uri=True, timeout=10)
        with contextlib.closing(archive):
            return archive.execute(sql, values).fetchall()

    def numbers(self):
        """{(feed, boot): sorted sequences} of the archive."""
        found = {}
        for feed, boot, sequence in self.query(
                "SELECT feed, boot_id, sequence FROM items"
                " ORDER BY feed, boot_id, sequence"):
            found.setdefault((feed, boot), []).append(sequence)
        return found

    def refused(self):
        return self.query("SELECT verdict, text FROM refused")

    def has_no_gap(self):
        return all(len(sequences) == sequences[-1] - sequences[0] + 1
                   for sequences in self.numbers().values())

    def must_have_no_gap(self, test):
        for where, sequences in self.numbers().items():
            test.assertEqual(
                sequences, list(range(sequences[0], sequences[-1] + 1)),
                (self.name, where))


class Reader:
    """Reads an edge's stream and keeps every item by its number; goes on where
    it stopped when it is told to come again."""

    def __init__(self, edge):
        self.edge, self.last_id = edge, None
        self.items = {}         # (feed, boot, sequence): content; streamed
        self.filled = {}        # the same, from /history
        self.newest_ms = {}     # by feed, of those streamed
        self.seen_twice = []
        self.resyncs = 0
        self.read = 0           # events of the current stream
        self.stream = None

    def open(self):
        def try_it():
            with contextlib.suppress(OSError):
                return client.Stream(self.edge.port, "/stream", self.last_id)

        self.stream = wait_until(f"a stream of {self.edge.name}", try_it,
                                 START_S)
        self.read = 0
        return self

    def collect(self):
        """Takes in what came since the last time."""
        events = self.stream.events[self.read:]
        self.read += len(events)
        for event in events:
            if event.id:
                self.last_id = event.id
            if event.name == "resync":
                self.resyncs += 1
            if event.name in ("price", "status", "late"):
                self._take(event.json()["content"])
        return self

    @staticmethod
    def _key(content):
        item = json.loads(content)
        return item["feed"], item["boot_id"], item["sequence"]

    def _take(self, content):
        item, key = json.loads(content), self._key(content)
        if key in self.items:
            self.seen_twice.append(key)
        self.items[key] = content
        self.newest_ms[item["feed"]] = max(
            item["published_ms"], self.newest_ms.get(item["feed"], 0))

    def come_again(self):
        """After the edge was away: the stream first, then what was missed
        between the two, from /history."""
        self.close()
        missed_from = dict(self.newest_ms)
        self.open()
        for feed, from_ms in missed_from.items():
            self._fill(feed, from_ms)

    def _fill(self, feed, from_ms):
        query = f"/history?feed={feed}&from={from_ms}&limit=1000"
        cursor = ""
        while cursor is not None:
            reply = self.edge.get(query + cursor)
            if reply.status != 200:
                raise Failed(f"{query}: {reply.body.decode()}")
            page = reply.json()
            for item in page["items"]:
                self.filled[self._key(item["content"])] = item["content"]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    def close(self):
        self.collect()
        self.stream.close()
        self.collect()

    def numbers(self):
        found = {}
        for feed, boot, sequence in sorted({**self.items, **self.filled}):
            found.setdefault((feed, boot), []).append(sequence)
        return found
