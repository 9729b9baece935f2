"""Two oracles in two guests: their link goes out by the one's vsock and its
parent's bridge, over TCP, and in by the other's bridge and vsock."""

import unittest

from peers_apart import GuestCluster

from bridged_cluster import LINKS, dialed
from test_peers import FEED, verify


class Apart(unittest.TestCase):
    def test_quorum(self):
        """two enclaves on vsock co-sign, by way of their bridges alone"""
        cluster = GuestCluster()
        try:
            cluster.start()
            self.cosign(cluster)
            cluster["b"].bridge.kill()
            cluster.cosigned("a", FEED, 0)
        finally:
            statuses = cluster.stop()
        for name in "ab":
            self.assertEqual(statuses[name], 0, cluster[name].log())
            self.assertIn("peers listening endpoint=vsock://any:9000",
                          cluster[name].log())

    def cosign(self, cluster):
        for name in "ab":
            cluster.wait_linked(name)
        for name, other in ("ab", "ba"):
            item = cluster.cosigned(name, FEED, 1)
            self.assertEqual(item["platform"], "aws-nitro")
            done = verify(cluster, item, cluster.strict)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("1 of 1 co-signatures hold", done.stdout)
            states = cluster[name].why()
            self.assertEqual(states[dialed(other)][0], "open")
            self.assertGreaterEqual(cluster[name].open(LINKS), 1)


if __name__ == "__main__":
    unittest.main()
