"""What the tests share: one running installation for all that do not harm it,
and a few ways of waiting for what they want to see.
"""

import atexit
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time
import unittest

import client
import settings
from program import Failed, wait_until
from stack import Stack, run  # noqa: F401 (run is for the tests)

VECTORS = pathlib.Path(os.environ.get(
    "HALLMARK_VECTORS", settings.ROOT.parent / "shared" / "vectors")).resolve()
FEEDS = ("BTC-USD", "ETH-USD")
RECOVER_S = 10  # after a kill -9 of any program
SEEN_S = 30     # for anything else that has to show; a ceiling

# How `hallmark verify` names the check that failed.
FAILED_CHECK = r"(?m)^FAIL  \w+"

_shared = None


def fast_feeds(**changes):
    """deploy/live.json's feeds, quick enough for tests."""
    return settings.live_feeds(**{"interval_ms": 500, "max_age_ms": 6000,
                                  **changes})


class QuickHeads(Stack):
    """Heads of the log come sooner than every 10 s."""

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("oracle").read_text())
        settings.write_json(self.config("oracle"),
                            {**config, "tree_head_interval_ms": 600})


def shared_stack():
    """The one installation, started at the first call. If that fails it is
    told once, and not tried again for each test."""
    global _shared
    if isinstance(_shared, Failed):
        raise Failed("the shared installation did not start, see above")
    if _shared is None:
        stack = QuickHeads(fast_feeds())
        atexit.register(stack.stop)
        try:
            stack.start()
        except Failed as failed:
            _shared = failed
            raise Failed(f"{failed}\n{stack.logs()}") from None
        _shared = stack
    return _shared


def logs_of_shared_stack():
    return _shared.logs(20) if isinstance(_shared, Stack) else ""


def need_vectors(path):
    """Skips, or fails in CI, where a test that cannot run is a failure."""
    if path.exists():
        return
    if os.environ.get("CI") == "true":
        raise Failed(f"{path} is not there")
    raise unittest.SkipTest(f"no {path}")


def need(what, there):
    """Skips without it, or fails in CI."""
    if there:
        return
    if os.environ.get("CI") == "true":
        raise Failed(f"{what} is missing")
    raise unittest.SkipTest(f"needs {what}")


def used(envelope):
    """The exchanges that this item's price was made of."""
    return {name for name, source in client.sources_of(envelope).items()
            if source["state"] == "used"}


def price(stack, feed, after_ms=0, sources=4):
    """The verifier's item, if it is newer than that and has so many sources;
    else None."""
    try:
        reply = client.request(stack.url(f"/price/{feed}"))
    except OSError:
        return None
    if reply.status != 200:
        return None
    item = reply.json()
    fresh = client.content_of(item)["published_ms"] > after_ms
    return item if fresh and len(used(item)) >= sources else None


def sha256(data):
    data = data.encode() if isinstance(data, str) else data
    return hashlib.sha256(data).hexdigest()


def now_ms():
    return int(time.time() * 1000)


def wait_prices(stack, after_ms=0, seconds=SEEN_S):
    """Waits until the verifier has all feeds from all four exchanges."""
    for feed in FEEDS:
        wait_until(f"{feed} from 4 exchanges",
                   lambda: price(stack, feed, after_ms), seconds)


class Folder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-test-"))
        self.addCleanup(shutil.rmtree, self.dir)

    def command(self, *argv, **more):
        return subprocess.run([str(word) for word in argv], text=True,
                              capture_output=True, timeout=60, **more)


class StackTest(unittest.TestCase):
    """A test on the shared installation; finds it well."""

    def setUp(self):
        self.stack = shared_stack()
        wait_prices(self.stack)

    def get(self, path, **headers):
        return client.request(self.stack.url(path), headers={
            name.replace("_", "-"): value for name, value in headers.items()})

    def save_item(self, feed="BTC-USD", name="item.json"):
        """As `curl .../price/FEED > item.json` does; the path."""
        reply = self.get(f"/price/{feed}")
        self.assertEqual(reply.status, 200, reply.body)
        path = self.stack.dir / name
        path.write_bytes(reply.body)
        return path

    def assert_problem(self, reply, status, code):
        self.assertEqual(reply.status, status, reply.body)
        self.assertEqual(reply.headers.get_content_type(),
                         "application/problem+json")
        problem = reply.json()
        self.assertEqual(problem["code"], code)
        self.assertEqual(problem["status"], status)
        self.assertTrue(problem["detail"])
        return problem
