"""deploy/: systemd accepts the units and they may do little, and the
configurations agree with each other and with the programs."""

import json
import re
import shutil
import unittest

import settings
import stack
import support

try:
    import yaml
except ImportError:
    yaml = None

DEPLOY = settings.ROOT / "deploy"
README = DEPLOY / "README.md"
UNITS = sorted([*DEPLOY.glob("*.service"), *DEPLOY.glob("*.socket")])
# Ten times what `systemd-analyze security` may find, at most.
EXPOSURE = {"vsock-bridge": 15, "hallmark-verifierd": 15,
            "hallmark-enclave": 22, "hallmark-enclave-qemu": 22}
FOREIGN = ("/usr/bin/nitro-cli", "/usr/bin/qemu-system-x86_64",
           "/sbin/modprobe")


def load(name):
    return json.loads((DEPLOY / name).read_text())


def port_of(endpoint):
    return int(endpoint.rsplit(":", 1)[1])


class Units(support.Folder):
    def setUp(self):
        super().setUp()
        support.need("systemd-analyze", shutil.which("systemd-analyze"))

    def verify(self, change=lambda text: text):
        """What systemd says of the units, on a machine where all that they
        start is installed."""
        for unit in UNITS:
            text = unit.read_text().replace("/usr/local/bin", str(stack.BIN))
            for program in FOREIGN:
                text = text.replace(program, "/bin/true")
            (self.dir / unit.name).write_text(change(text))
        done = self.command("systemd-analyze", "verify", "--man=no", *(
            self.dir / unit.name for unit in UNITS))
        return done.stdout + done.stderr

    def test_verify(self):
        """systemd has nothing to say about the units"""
        said = [line for line in self.verify().splitlines()
                if str(self.dir) in line or line.split(":")[0] in
                {unit.name for unit in UNITS}]
        self.assertEqual(said, [])

    def test_planted(self):
        """of a unit with mistakes it has"""
        self.assertIn("Restrat", self.verify(
            lambda text: text.replace("Restart=", "Restrat=")))

    def test_exposure(self):
        """what a service may do stays as little as it is"""
        for name, limit in EXPOSURE.items():
            done = self.command(
                "systemd-analyze", "security", "--offline=yes",
                f"--threshold={limit}", "--no-pager",
                DEPLOY / f"{name}.service")
            self.assertEqual(done.returncode, 0,
                             done.stdout.strip().splitlines()[-1:])

    def test_planted_exposure(self):
        """and a service that may do all it wants is over that"""
        path = self.dir / "open.service"
        path.write_text("[Service]\nExecStart=/bin/true\n")
        done = self.command("systemd-analyze", "security", "--offline=yes",
                            "--threshold=22", "--no-pager", path)
        self.assertNotEqual(done.returncode, 0, done.stdout[-300:])


class Configurations(support.Folder):
    """One number stands in several files; it is the same in all."""

    def bridge(self):
        return load("bridge.json")

    def test_check(self):
        """each program accepts its configuration in deploy/"""
        for name in ("live.json", "feeds/all.json"):
            done = support.run("hallmark-oracle", "--check", DEPLOY / name)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        for name, to in (("bridge.json", "bridge.json"),
                         ("allowlist.txt", "allowlist.txt"),
                         ("live.json", "oracle.json"),
                         ("verifierd.json", "verifierd.json"),
                         ("policy.example.json", "policy.json")):
            shutil.copy(DEPLOY / name, self.dir / to)
        done = support.run("vsock-bridge", "--check",
                           self.dir / "bridge.json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        done = support.run("hallmark-verifierd", "--check",
                           self.dir / "verifierd.json")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_ports(self):
        """oracle, bridge and verifier listen where the others look"""
        outbound, = self.bridge()["outbound"]
        inbound, = self.bridge()["inbound"]
        for name in ("live.json", "feeds/all.json"):
            oracle = load(name)
            self.assertEqual(port_of(oracle["proxy"]),
                             port_of(outbound["listen"]))
            self.assertEqual(port_of(oracle["listen"]),
                             port_of(inbound["connect"]))
            self.assertEqual(oracle["ca_bundle"], "/etc/hallmark/ca.pem")
        self.assertEqual(load("verifierd.json")["oracles"],
                         [f"http://127.0.0.1:{port_of(inbound['listen'])}"])

    def test_init(self):
        """the bridge has configuration and log where init looks for them"""
        headers = "".join(path.read_text() for path in
                          settings.ROOT.glob("oracle/init/*.h"))
        for kind, name in (("configuration", "HANDOVER"), ("logs", "LOG")):
            rule, = self.bridge()[kind]
            wanted = re.search(rf"#define {name}\w*_PORT +(\d+)", headers)
            self.assertEqual(port_of(rule["listen"]), int(wanted[1]))
            self.assertIn(wanted[1], README.read_text())
        self.assertEqual(self.bridge()["configuration"][0]["file"],
                         "oracle.json")

    def test_enclave(self):
        """the enclave has the CID that the bridge connects to"""
        enclave = load("enclave.json")
        # nitro-cli's RunEnclavesArgs; it refuses none that it does not know.
        self.assertLessEqual(set(enclave), {
            "enclave_name", "enclave_cid", "cpu_count", "cpu_ids",
            "memory_mib", "eif_path"})
        cid = int(re.match(r"vsock://(\d+):",
                           self.bridge()["inbound"][0]["connect"])[1])
        self.assertEqual(enclave["enclave_cid"], cid)
        unit = (DEPLOY / "hallmark-enclave.service").read_text()
        self.assertIn(f"--enclave-name {enclave['enclave_name']}\n", unit)
        qemu = (DEPLOY / "hallmark-enclave-qemu.service").read_text()
        self.assertIn(
            f"-accel nitro,enclave-cid={cid} -smp {enclave['cpu_count']} "
            f"-m {enclave['memory_mib']}M ", qemu)
        self.assertIn(f"-kernel {enclave['eif_path']}\n", qemu)
        resources = (DEPLOY / "hallmark-enclave-resources.service")
        pages = int(re.search(r"^Environment=HUGEPAGES=(\d+)",
                              resources.read_text(), re.M)[1])
        self.assertGreaterEqual(2 * pages, enclave["memory_mib"])
        readme = README.read_text()
        for text in (f"memory_mib: {enclave['memory_mib']}",
                     f"cpu_count: {enclave['cpu_count']}",
                     enclave["eif_path"], f'"EnclaveCID": {cid}'):
            self.assertIn(text, readme)

    def test_socket_unit(self):
        """vsock-bridge.socket opens what bridge.json listens on"""
        lines = re.findall(r"^ListenStream=(.*)$",
                           (DEPLOY / "vsock-bridge.socket").read_text(), re.M)
        opened = {line.replace("vsock::", "vsock://any:")
                  if line.startswith("vsock") else f"tcp://{line}"
                  for line in lines}
        self.assertLessEqual(opened, {
            rule["listen"] for rules in self.bridge().values()
            if isinstance(rules, list) for rule in rules})

    def test_prometheus(self):
        """Prometheus asks where they answer"""
        support.need("python3-yaml", yaml)
        jobs = {job["job_name"]: job["static_configs"][0]["targets"]
                for job in yaml.safe_load(
                    (DEPLOY / "monitoring/prometheus.yml").read_text())
                ["scrape_configs"]}
        bridge = self.bridge()
        self.assertEqual(jobs, {
            "hallmark-oracle":
                [f"127.0.0.1:{port_of(bridge['inbound'][0]['listen'])}"],
            "hallmark-verifierd":
                [f"127.0.0.1:{port_of(load('verifierd.json')['listen'])}"],
            "vsock-bridge": [bridge["metrics"].removeprefix("tcp://")]})


if __name__ == "__main__":
    unittest.main()
