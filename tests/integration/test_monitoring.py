"""deploy/monitoring: what the alert rules, the dashboard and the pages for
operators name is there, in what the real programs answer to GET /metrics, in
good times and bad ones."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

import client
import promql
import settings
import support
from kms_stack import ARN, KmsStack
from program import wait_until

try:
    import yaml
except ImportError:
    yaml = None

FOLDER = settings.ROOT / "deploy" / "monitoring"
PAGES = [settings.ROOT / "deploy" / name
         for name in ("README.md", "OPERATIONS.md")]
PREFIX = r"\b(?:hallmark_(?:oracle|verifierd)|vsock_bridge)_\w+"


def rules():
    support.need("python3-yaml", yaml)
    document = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    return [rule for group in document["groups"] for rule in group["rules"]]


def promtool():
    """Its path. In CI it is unpacked from Debian's package where it is not
    installed: installing that would start a server."""
    found = shutil.which("promtool")
    kept = settings.ROOT / "build" / "promtool"
    if found is None and os.environ.get("CI") == "true" and not kept.exists():
        with tempfile.TemporaryDirectory(dir=kept.parent) as name:
            for argv in (["apt-get", "download", "prometheus"],
                         ["sh", "-c", "dpkg -x prometheus_*.deb ."]):
                subprocess.run(argv, cwd=name, check=True, timeout=300,
                               capture_output=True)
            (pathlib.Path(name) / "usr/bin/promtool").rename(kept)
    if found is None and not kept.exists():
        raise unittest.SkipTest("needs promtool (Debian: prometheus)")
    return found or kept


def dashboard():
    return json.loads((FOLDER / "grafana.json").read_text())


class Monitored(KmsStack):
    """With metrics of the bridge too, all kinds of its rules, and all that an
    oracle may have besides prices: a key that retires, secrets that nobody
    seals, fetches that nobody asks for, a peer that is not there."""

    def __init__(self):
        super().__init__({"rotate_s": 3600, "overlap_s": 60})
        self.bridge_metrics, = settings.free_ports(1)

    def write_configs(self):
        super().write_configs()
        config = json.loads(self.config("bridge").read_text())
        config.update({
            "metrics": f"tcp://127.0.0.1:{self.bridge_metrics}",
            "configuration": [{"listen": f"unix://{self.dir}/c.sock",
                               "file": "oracle.json"}],
            "logs": [{"listen": f"unix://{self.dir}/l.sock"}]})
        settings.write_json(self.config("bridge"), config)
        self._change("oracle", {
            "peers": {"listen": "unix://./peer.sock",
                      "connect": ["unix://./nobody.sock"]}, "quorum": 1,
            "secrets": {"token_sha256": "ab" * 32, "names": ["coinmarketcap_api_key"]},
            "fetch": {"allow": [{"hostname": "api.kraken.com", "port": 443,
                                 "path_prefix": "/0/public"}],
                      "per_minute": 10, "max_bytes": 65536}})
        self.kms.keys[ARN] = self.key_policy()

    def scrape(self):
        return promql.merged(*(
            promql.scrape(client.request(url).body.decode()) for url in (
                self.oracle_url("/metrics"), self.url("/metrics"),
                f"http://127.0.0.1:{self.bridge_metrics}/metrics")))


def _all_well(there):
    return (there.get("hallmark_verifierd_attestation_not_after_timestamp"
                      "_seconds")
            and there["hallmark_oracle_clock_offset_seconds"])


def _has(there, metric, **labels):
    return any(labels.items() <= sample.items()
               for sample in there.get(metric, []))


_there = None


def there():
    """What two scrapes have together: one while all is well, one while no
    exchange answers and a stream is open."""
    global _there
    if _there is None:
        stack = Monitored()
        try:
            stack.start()
            support.wait_prices(stack)
            well = wait_until("all is known", lambda: (
                lambda now: now if _all_well(now) else None)(stack.scrape()),
                support.SEEN_S)
            stack.fault("all", "503")
            bad = wait_until("a feed is unavailable", lambda: (
                lambda now: now if _has(now, "hallmark_oracle_feed_status",
                                        status="unavailable")
                else None)(stack.scrape()), support.SEEN_S)
            _there = promql.merged(well, bad)
        finally:
            stack.stop()
    return _there


class Checker(unittest.TestCase):
    def test_finds_what_is_not_there(self):
        """the checker of expressions finds each kind of mistake"""
        there = promql.scrape('# TYPE a_total counter\n'
                              'a_total{x="1",y="2"} 5\nb 1.5\n')
        for good in ('rate(a_total{x="1"}[5m]) > 0', "sum by (y) (a_total)",
                     'a_total{x=~"$any"} / on (x) b', "b or vector(0)",
                     'up{job="no-matter"} == 0'):
            self.assertEqual(promql.problems(good, there, "{{x}}")
                             if "a_total" in good else
                             promql.problems(good, there), [], good)
        for bad in ("c_total", "rate(a_totl[5m])", 'a_total{z="1"}',
                    'a_total{x="2"}', 'a_total{x=~"1|3"}',
                    "sum by (z) (a_total)", "b / on (q) b"):
            self.assertTrue(promql.problems(bad, there), bad)
        self.assertTrue(promql.problems("b", there, "{{x}}"))


class Names(unittest.TestCase):
    def assert_there(self, expression, legend="", where=""):
        self.assertEqual(promql.problems(expression, there(), legend), [],
                         f"{where}: {expression}")

    def test_alerts(self):
        """each metric, label and value of the alert rules is there"""
        for rule in rules():
            names = re.findall(r"\$labels\.(\w+)",
                               rule["annotations"]["summary"])
            self.assert_there(rule["expr"], "".join(
                f"{{{{{name}}}}}" for name in names), rule["alert"])

    def test_dashboard(self):
        """each metric, label and value of the dashboard is there"""
        for panel in dashboard()["panels"]:
            for target in panel.get("targets", []):
                self.assert_there(target["expr"], target["legendFormat"],
                                  panel["title"])
        for variable in dashboard()["templating"]["list"]:
            if variable["type"] == "query":
                query = variable["query"]["query"]
                metric, label = re.fullmatch(
                    r"label_values\((\w+), (\w+)\)", query).groups()
                self.assert_there(metric, f"{{{{{label}}}}}", query)
        for note in dashboard()["annotations"]["list"]:
            self.assert_there(note["expr"], "", note["name"])

    def test_pages(self):
        """each metric that the pages for operators name is there"""
        pages = PAGES + sorted((settings.ROOT / "deploy/man").glob("*.8"))
        named = {name for page in pages
                 for name in re.findall(PREFIX, page.read_text())}
        self.assertGreater(len(named), 5)
        for name in named:
            self.assertTrue(name in there() or any(
                metric.startswith(name) for metric in there()
                if name.endswith("_")), name)

    def test_both_kinds(self):
        """every kind of metric of all three programs was seen"""
        for name in ("hallmark_oracle_build_info",
                     "hallmark_verifierd_build_info",
                     "vsock_bridge_build_info"):
            self.assertIn(name, there())
        self.assertTrue(_has(there(), "hallmark_oracle_source_errors_total",
                             error="maintenance"))
        empty = [name for name, samples in there().items() if not samples]
        # A histogram's samples have other names than their family.
        self.assertEqual({name.rsplit("_", 1)[1] for name in empty}
                         - {"seconds"}, set(), empty)


class Rules(unittest.TestCase):
    def test_form(self):
        """each alert has a severity, a summary, and says what to do"""
        headings = set(re.findall(r"^#+ (.*)$", PAGES[1].read_text(), re.M))
        names = [rule["alert"] for rule in rules()]
        self.assertEqual(len(names), len(set(names)))
        for rule in rules():
            self.assertIn(rule["labels"]["severity"], ("page", "ticket"))
            self.assertTrue(rule["annotations"]["summary"], rule["alert"])
            self.assertIn(rule["annotations"]["what"], headings,
                          rule["alert"])
        said = int(re.search(r"(\d+) rules", PAGES[1].read_text())[1])
        self.assertEqual(said, len(names))
        for page in PAGES:
            for named in re.findall(r"`(Hallmark[A-Z]\w+)`",
                                    page.read_text()):
                self.assertIn(named, names)

    def test_promtool(self):
        """promtool accepts the rules and the configuration, and tries them"""
        program = promtool()
        for command in (["check", "rules", "alerts.yml"],
                        ["check", "config", "prometheus.yml"],
                        ["test", "rules", "alerts_test.yml"]):
            done = subprocess.run([program, *command], cwd=FOLDER,
                                  text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Dashboard(unittest.TestCase):
    def test_form(self):
        """panels have their own ids and places, and variables exist"""
        board = dashboard()
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        taken = set()
        for panel in board["panels"]:
            at = panel["gridPos"]
            cells = {(x, y) for x in range(at["x"], at["x"] + at["w"])
                     for y in range(at["y"], at["y"] + at["h"])}
            self.assertFalse(cells & taken, panel["title"])
            self.assertLessEqual(at["x"] + at["w"], 24, panel["title"])
            taken |= cells
            self.assertTrue(panel["title"])
            if panel["type"] != "row":
                self.assertTrue(panel["targets"], panel["title"])
        defined = {each["name"] for each in board["templating"]["list"]}
        used = set(re.findall(r"\$\{?(\w+)", json.dumps(board))) - {"__all"}
        self.assertEqual(used, defined)


if __name__ == "__main__":
    unittest.main()
