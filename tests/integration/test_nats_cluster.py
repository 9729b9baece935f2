"""Three NATS servers in a cluster and three edges: one server (the one that
leads the stream) and one edge are killed in the middle. Whoever reads a stream,
and every archive, has all items in the end, none twice, none missing."""

import contextlib
import json
import os
import random
import time
import unittest

import client
import nats
import support
from edge import Reader
from program import wait_until
from test_nats import Base, need_server

EDGES = 3
READERS = 2         # of each edge
AWAY_S = 3
SEED = int(os.environ.get("HALLMARK_SEED", random.randrange(1 << 32)))
ROUNDS = 5 if os.environ.get("HALLMARK_LONG") else 1


class Cluster(Base):
    @classmethod
    def setUpClass(cls):
        need_server()
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        cls.random = random.Random(SEED)
        folder = support.pathlib.Path(
            support.tempfile.mkdtemp(prefix="hallmark-nats-"))
        cls.addClassCleanup(support.shutil.rmtree, folder)
        cls.servers = nats.cluster(folder)
        for server in cls.servers:
            cls.addClassCleanup(server.stop)
        cls.make_stack(cls.servers, replicas=3)
        cls.edges = [
            # Each begins with another server.
            cls.edge(f"edge{i + 1}", cls.servers[i:] + cls.servers[:i])
            for i in range(EDGES)]
        for edge in cls.edges:
            edge.start()

    def leader(self):
        """The server that leads the stream."""
        def ask():
            for server in self.servers:
                with contextlib.suppress(OSError, KeyError, StopIteration):
                    raw = nats.Client(server)
                    with contextlib.closing(raw):
                        name = raw.stream()["cluster"]["leader"]
                    return next(s for s in self.servers if s.name == name)

        return wait_until("the stream has a leader", ask, support.SEEN_S)

    def kill_two(self):
        """The leader and an edge; both come back after a while."""
        server, edge = self.leader(), self.random.choice(self.edges)
        print(f"# kill {server.name} (leads), {edge.name}", flush=True)
        server.kill()
        time.sleep(self.random.uniform(0, 1))
        edge.kill()
        for other in self.edges:
            if other is not edge:
                self.wait_new(other)    # without both of them
        time.sleep(AWAY_S)
        edge.start()
        for reader in self.readers:
            if reader.edge is edge:
                reader.come_again()
        self.wait_new(edge)             # still without the server
        server.start()

    def test_one_of_each_dies(self):
        """a server and an edge die: each reader and archive has all, once"""
        self.readers = [Reader(edge).open() for edge in self.edges
                        for _ in range(READERS)]
        for reader in self.readers:
            self.until("items", lambda r=reader: len(r.collect().items) > 6)
        first = {reader: min(map(self.published_ms, reader.items.values()))
                 for reader in self.readers}
        for _ in range(ROUNDS):
            self.kill_two()
        for edge in self.edges:
            self.wait_new(edge)
            self.wait_all(edge, self.before(edge))
            edge.must_have_no_gap(self)
            self.assertEqual(edge.refused(), [], edge.name)
        for reader in self.readers:
            self.until("all that the edge has", lambda r=reader:
                       self.has_all(r, first[r]))
            self.check(reader)

    @staticmethod
    def published_ms(content):
        return json.loads(content)["published_ms"]

    def before(self, edge):
        """What was published before this edge began: it need not have that."""
        first = {(feed, boot): sequences[0]
                 for (feed, boot), sequences in edge.numbers().items()}
        return {(feed, boot, sequence)
                for feed, boot, sequence in self.published()
                if sequence < first.get((feed, boot), 0)}

    @staticmethod
    def has_all(reader, since_ms):
        """All that its edge has archived since that time."""
        wanted = set(reader.edge.query(
            "SELECT feed, boot_id, sequence FROM items"
            " WHERE published_ms >= ?", since_ms))
        return wanted <= set(reader.collect().items) | set(reader.filled)

    def check(self, reader):
        reader.close()
        self.assertEqual(reader.seen_twice, [], reader.edge.name)
        for where, sequences in reader.numbers().items():
            self.assertEqual(sequences, list(range(
                sequences[0], sequences[-1] + 1)), (reader.edge.name, where))
