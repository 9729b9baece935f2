"""`hallmark bundle`, `export` and `verify BUNDLE`: a piece of an archive that
verifies alone, years later, by whoever has nothing but the file."""

import collections
import contextlib
import csv
import http.server
import io
import json
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import tempfile
import threading

import support
from program import wait_until

SEED = int(os.environ.get("HALLMARK_SEED", random.randrange(1 << 32)))
FLIPS = 30
ITEMS = 12  # of each feed, at least, in the archive
COLUMNS = ("feed boot_id sequence published_ms expires_ms status reason price "
           "confidence sources_used sources_total content_sha256 "
           "attestation_sha256").split()


def without_network():
    """What runs a program that cannot reach anything, or nothing."""
    argv = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and subprocess.run(
            [*argv, "true"], capture_output=True, check=False).returncode == 0:
        return argv
    return []


class BundleTest(support.StackTest):
    def setUp(self):
        super().setUp()
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-bundle-"))
        self.addCleanup(shutil.rmtree, self.dir)
        self.path = self.dir / "bundle.json"

    def hallmark(self, *argv, **more):
        return support.run("hallmark", *argv, **more)

    def rows(self):
        with sqlite3.connect(f"file:{self.stack.archive}?mode=ro",
                             uri=True) as db:
            return db.execute(
                "SELECT feed, sequence, content, published_ms FROM items "
                "ORDER BY feed, boot_id, sequence").fetchall()

    def heads(self):
        """How many that --to self.until() takes."""
        with sqlite3.connect(f"file:{self.stack.archive}?mode=ro",
                             uri=True) as db:
            return db.execute("SELECT count(*) FROM tree_heads WHERE "
                              "published_ms < ?", (self.until(),)).fetchone()[0]

    def fewest(self):
        """Items of the feed that has the fewest."""
        count = collections.Counter(row[0] for row in self.rows())
        return min(count.values(), default=0)

    def until(self):
        """A time before which the archive does not change any more."""
        wait_until("some items are archived",
                   lambda: self.fewest() >= ITEMS, support.SEEN_S)
        return max(row[3] for row in self.rows()) - 500

    def bundle(self, *more, archive=None, path=None, code=0):
        done = self.hallmark(
            "bundle", archive or self.stack.archive, "--policy",
            self.stack.policy, "-o", path or self.path, *more)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def verify(self, *more, path=None):
        return self.hallmark("verify", path or self.path, *more)

    def assert_code(self, code, done):
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)

    def sha256(self, done):
        return done.stdout.split("policy SHA-256 ")[1].split()[0]

    def load(self):
        return json.loads(self.path.read_text())

    def save(self, bundle):
        """A member a line, as the command writes it."""
        lists = ("attestations", "items", "tree_heads")
        head = {key: value for key, value in bundle.items()
                if key not in lists}
        text = json.dumps(head, separators=(",", ":"))[:-1]
        for name in lists:
            members = ",\n".join(json.dumps(member, separators=(",", ":"))
                                 for member in bundle[name])
            text += f',\n"{name}":[\n{members}\n]'
        self.path.write_text(text + "}\n")


class Verify(BundleTest):
    def test_alone(self):
        """a bundle verifies in an empty folder without a network"""
        made = self.bundle("--to", self.until())
        alone = self.dir / "alone"
        alone.mkdir()
        shutil.copy(self.path, alone / "b.json")
        self.path.unlink()
        argv = [*without_network(), self.stack.bin / "hallmark", "verify",
                "b.json"]
        done = subprocess.run(argv, cwd=alone, text=True, timeout=60,
                              capture_output=True, check=False)
        self.assert_code(0, done)
        first = done.stdout.splitlines()[0]
        self.assertIn("the bundle's own", first)
        self.assertIn("proves only that they agree", first)
        self.assertIn(self.sha256(made), done.stdout)
        self.assertIn("SIMULATED", done.stdout)

    def test_json(self):
        """--json says whose policy, its hash and roots, and the counts"""
        made = self.bundle("--to", self.until())
        found = json.loads(self.verify("--json").stdout)
        self.assertEqual(found["policy"]["whose"], "bundle")
        self.assertTrue(found["policy"]["proves_only_consistency"])
        self.assertEqual(found["policy"]["sha256"], self.sha256(made))
        self.assertEqual(found["policy"]["roots"][0]["platform"], "simulated")
        self.assertEqual(found["items"], len(self.load()["items"]))
        self.assertEqual(found["valid"], found["items"])
        self.assertEqual(found["exit"], 0)

    def test_pinned(self):
        """--policy-sha256 takes that policy and no other"""
        made = self.bundle("--to", self.until())
        sha256 = self.sha256(made)
        done = self.verify("--policy-sha256", sha256)
        self.assert_code(0, done)
        self.assertIn("that --policy-sha256 wants", done.stdout)
        self.assertNotIn("proves only", done.stdout)
        other = ("0" if sha256[0] != "0" else "1") + sha256[1:]
        done = self.verify("--policy-sha256", other)
        self.assert_code(5, done)
        self.assertIn(sha256, done.stderr)

    def test_hash_by_hand(self):
        """the policy's hash is of sorted, compact JSON"""
        made = self.bundle("--to", self.until())
        bundle = self.load()
        text = json.dumps({key: bundle[key] for key in ("policy", "roots")},
                          sort_keys=True, separators=(",", ":"))
        self.assertEqual(support.sha256(text), self.sha256(made))
        checked = self.hallmark("policy", "check", self.stack.policy)
        self.assertIn(self.sha256(made), checked.stdout)

    def test_policy_of_mine(self):
        """--policy counts, not the one inside"""
        self.bundle("--to", self.until())
        done = self.verify("--policy", self.stack.policy)
        self.assert_code(0, done)
        self.assertIn("policy      yours", done.stdout)
        policy = json.loads(self.stack.policy.read_text())
        policy["releases"][0]["pcrs"]["0"] = "ab" * 48
        other = self.stack.dir / "other-policy.json"
        other.write_text(json.dumps(policy))
        self.assert_code(5, self.verify("--policy", other))

    def test_policy_exchanged(self):
        """a bundle whose maker weakened its policy is known by the hash"""
        made = self.bundle("--to", self.until())
        bundle = self.load()
        bundle["policy"]["max_age_s"] = 301
        self.save(bundle)
        self.assert_code(0, self.verify())
        self.assert_code(5, self.verify("--policy-sha256", self.sha256(made)))

    def test_usage(self):
        """what does not go together is said"""
        self.bundle("--to", self.until())
        pin = "0" * 64
        item = self.save_item()
        for argv, why in (
                ([self.path, "--nonce", "00"], "--nonce"),
                ([self.path, "--at", "now"], "--at"),
                ([self.path, "--policy-sha256", "00"], "64 hex digits"),
                ([self.path, "--policy-sha256", pin, "--policy",
                  self.stack.policy], "--policy-sha256"),
                ([item, "--policy-sha256", pin, "--policy",
                  self.stack.policy], "is for a bundle")):
            done = self.hallmark("verify", *argv)
            self.assert_code(1, done)
            self.assertIn(why, done.stderr)


class Altered(BundleTest):
    def test_bits(self):
        """one bit anywhere, and it is refused"""
        made = self.bundle("--to", self.until(), "--feed", "BTC-USD")
        good = self.path.read_bytes()
        created = good.index(b'"created_ms"')
        chance = random.Random(SEED)
        print(f"# HALLMARK_SEED={SEED}", flush=True)
        for _ in range(FLIPS):
            at = chance.randrange(len(good))
            bit = chance.randrange(8)
            changed = bytes([good[at] ^ 1 << bit])
            if created <= at < created + 32 or (
                    good[at:at + 1].isspace() and changed.isspace()):
                continue
            self.path.write_bytes(good[:at] + changed + good[at + 1:])
            done = self.verify("--policy-sha256", self.sha256(made))
            self.assertNotEqual(done.returncode, 0, (at, bit, done.stdout))

    def test_item_taken_out(self):
        """an item that was taken out is missed"""
        self.bundle("--to", self.until(), "--feed", "BTC-USD")
        bundle = self.load()
        del bundle["items"][len(bundle["items"]) // 2]
        self.save(bundle)
        done = self.verify()
        self.assert_code(8, done)
        self.assertIn("sequence_gap", done.stdout)

    def test_price(self):
        """another price is another signature"""
        self.bundle("--to", self.until(), "--feed", "BTC-USD")
        bundle = self.load()
        item = bundle["items"][0]
        item["content"] = item["content"].replace('"price":"', '"price":"1', 1)
        self.save(bundle)
        self.assert_code(3, self.verify())

    def test_document_taken_out(self):
        """an item without its attestation document is refused"""
        self.bundle("--to", self.until(), "--feed", "BTC-USD")
        bundle = self.load()
        bundle["attestations"] = []
        self.save(bundle)
        done = self.verify()
        self.assert_code(3, done)
        self.assertIn("attestation_missing", done.stdout)

    def test_truncated(self):
        """a bundle that was cut is refused"""
        self.bundle("--to", self.until())
        good = self.path.read_bytes()
        for part in (0.3, 0.9, 0.999):
            self.path.write_bytes(good[:int(len(good) * part)])
            self.assertNotEqual(self.verify().returncode, 0)


class Selection(BundleTest):
    def contents(self):
        return [item["content"] for item in self.load()["items"]]

    def test_feed_and_time(self):
        """--feed, --from and --to select by what is signed"""
        until = self.until()
        wanted = [row for row in self.rows()
                  if row[0] == "BTC-USD" and row[3] < until]
        begin = wanted[1][3]
        self.bundle("--feed", "BTC-USD", "--from", begin, "--to", until)
        self.assertEqual(sorted(self.contents()),
                         sorted(row[2] for row in wanted if row[3] >= begin))
        self.assert_code(0, self.verify())

    def test_nothing(self):
        """no item, no bundle"""
        done = self.bundle("--feed", "NOPE-USD", code=1)
        self.assertIn("no item", done.stderr)
        self.assertFalse(self.path.exists())

    def test_refused_items(self):
        """what does not verify is left out, named, and in the exit code"""
        until = self.until()
        archive = self.dir / "copy.db"
        with sqlite3.connect(self.stack.archive) as source, \
                sqlite3.connect(archive) as target:
            source.backup(target)
            target.execute("UPDATE items SET signature = zeroblob(256) "
                           "WHERE rowid = 3")
        done = self.bundle("--to", until, archive=archive, code=3)
        self.assertIn("items row 3", done.stderr)
        self.assertIn("item_signature", done.stderr)
        self.assertIn("1 refused", done.stderr)
        self.assertTrue(self.load()["items"])


class Export(BundleTest):
    def export(self, form, *more, archive=None, code=0):
        done = self.hallmark("export", archive or self.stack.archive,
                             "--format", form, *more)
        self.assert_code(code, done)
        return done.stdout

    def test_round_trip(self):
        """NDJSON is an archive again: the same items, the same bundle"""
        until = self.until()
        wanted = sorted(row[2] for row in self.rows() if row[3] < until)
        lines = self.dir / "archive.ndjson"
        lines.write_text(self.export("ndjson", "--to", until))
        objects = [json.loads(line) for line in
                   lines.read_text().splitlines()]
        self.assertEqual(wanted, sorted(
            o["content"] for o in objects if "content" in o
            and "hallmark/1" in o["content"]))
        self.assertEqual(lines.read_text(),
                         self.export("ndjson", archive=lines))
        self.bundle("--to", until)
        direct = self.load()
        self.bundle(archive=lines)
        again = self.load()
        again["created_ms"] = direct["created_ms"]
        self.assertEqual(direct, again)
        self.bundle(archive=self.path, path=self.dir / "again.json")
        self.assert_code(0, self.verify(path=self.dir / "again.json"))

    def test_standard_input(self):
        """- is standard input"""
        text = self.export("ndjson", "--to", self.until())
        done = self.hallmark("export", "-", "--format", "ndjson",
                             input=text, stdin=None)
        self.assert_code(0, done)
        self.assertEqual(done.stdout, text)

    def test_csv(self):
        """CSV says what the items say"""
        until = self.until()
        done = self.hallmark("export", self.stack.archive, "--format", "csv",
                             "--to", until)
        self.assert_code(0, done)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual(tuple(rows[0]), tuple(COLUMNS))
        contents = {support.sha256(row[2]): json.loads(row[2])
                    for row in self.rows() if row[3] < until}
        self.assertEqual(len(rows), len(contents))
        for row in rows:
            said = contents[row["content_sha256"]]
            for name in ("feed", "boot_id", "status"):
                self.assertEqual(row[name], said[name])
            for name in ("sequence", "published_ms", "expires_ms"):
                self.assertEqual(int(row[name]), said[name])
            for name in ("price", "confidence", "reason"):
                self.assertEqual(row[name], said.get(name) or "")
            self.assertEqual(int(row["sources_total"]), len(said["sources"]))

    def test_hostile_file(self):
        """a file with a trigger or a view is not read"""
        self.until()
        for statement in (
                "CREATE TRIGGER t AFTER INSERT ON items BEGIN SELECT 1; END",
                "CREATE VIEW v AS SELECT * FROM items"):
            archive = self.dir / "copy.db"
            archive.unlink(missing_ok=True)
            with sqlite3.connect(self.stack.archive) as source, \
                    sqlite3.connect(archive) as target:
                source.backup(target)
                target.execute(statement)
            done = self.hallmark("export", archive, "--format", "csv")
            self.assert_code(1, done)
            self.assertIn("triggers or views", done.stderr)


class FromVerifier(BundleTest):
    def test_url(self):
        """a verifier's history is an archive too"""
        wait_until("a head of the log is archived", self.heads, 30)
        until = self.until()
        self.bundle("--to", until)
        direct = self.load()
        self.bundle("--to", until, archive=self.stack.url(""))
        fetched = self.load()

        def key(item):
            return item["content"]
        for name in ("items", "tree_heads"):
            self.assertEqual(sorted(direct[name], key=key),
                             sorted(fetched[name], key=key))
        self.assertTrue(fetched["tree_heads"])
        self.assert_code(0, self.verify())

    def test_replay(self):
        """hallmark replay judges a verifier by its URL"""
        self.until()
        done = self.hallmark("replay", self.stack.url(""), "--policy",
                             self.stack.policy)
        self.assert_code(0, done)

    def test_no_verifier(self):
        """who does not answer is named"""
        for url in ("http://127.0.0.1:1", "http://127.0.0.1:1/history"):
            done = self.hallmark("export", url, "--format", "csv")
            self.assert_code(1, done)
            self.assertIn("127.0.0.1:1", done.stderr)


class Liar(http.server.BaseHTTPRequestHandler):
    """A verifier that answers what a test wants."""

    pages = {}  # path: (status, type, link or None, body)

    def do_GET(self):
        path = self.path.split("?")[0]
        status, kind, link, body = self.pages.get(
            path, (404, "application/problem+json", None, b"{}"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if link:
            self.send_header("Link", link)
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(body)

    def log_message(self, *_):
        pass


class FromLiar(BundleTest):
    NDJSON = "application/x-ndjson"

    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Liar)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"

    def answer(self, body, link=None, status=200, kind=NDJSON, **pages):
        Liar.pages = {"/history": (status, kind, link, body),
                      "/feeds": (200, "application/json", None,
                                 b'{"feeds":[{"feed":"BTC-USD"}]}'), **pages}

    def export(self, code, why):
        done = self.hallmark("export", self.url, "--format", "ndjson")
        self.assert_code(code, done)
        self.assertIn(why, done.stderr)
        return done.stdout

    def test_lines(self):
        """lines that are no items are damaged ones"""
        self.answer(b"x\n{}\n\n" + b"[" * 1000 + b"\n")
        self.export(2, "3 damaged")

    def test_pages(self):
        """a next page is another one, and of the history"""
        for link in ("</history>; rel=\"next\"",
                     "</history?a>; rel=\"next\"",
                     "</livez>; rel=\"next\"",
                     "<http://127.0.0.1:1/history?a>; rel=\"next\""):
            self.answer(b"", link)
            self.export(1, "its next page is")

    def test_other_links(self):
        """links that are none to a next page are not followed"""
        for link in ("</history?a>; rel=\"prev\"", "<", "</history?a",
                     "<" + "x" * 9000 + ">; rel=\"next\""):
            self.answer(b"", link)
            self.export(0, "")

    def test_answers(self):
        """other answers are said to be so"""
        self.answer(b"x" * (17 << 20))
        self.export(1, "too long")
        self.answer(b"x", status=500)
        self.export(1, "answered 500")
        self.answer(b"x", kind="text/html")
        self.export(1, "answered 200, or not as")
        self.answer(b"", **{"/feeds": (200, "application/json", None, b"[]")})
        self.export(1, "names no feeds")

    def test_documents(self):
        """a document that is another is none, and its item refused"""
        item = json.loads(self.save_item().read_text())
        item.pop("attestation_doc_b64", None)
        line = json.dumps(item).encode() + b"\n"
        self.answer(line, **{
            "/attestations/" + item["attestation_sha256"]:
                (200, "application/cbor", None, b"other")})
        self.export(2, "another than its attestation_sha256")
        self.answer(line)
        self.assertIn(item["content"][:20].replace('"', '\\"'),
                      self.export(0, ""))
        self.bundle(archive=self.url, code=1)
