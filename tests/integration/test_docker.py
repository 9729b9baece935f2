"""deploy/bundle.sh and deploy/docker: bundled programs run alone, and what
Docker's files name is there; what compose.yaml starts is run without it."""

import contextlib
import json
import pathlib
import re
import shutil
import sys
import unittest

import client
import settings
import stack
import support
from program import Program, wait_until

try:
    import yaml
except ImportError:
    yaml = None

DEPLOY = settings.ROOT / "deploy"
DOCKER = DEPLOY / "docker"


class Bundle(support.Folder):
    def test_runs_alone(self):
        """bundled programs run with their own libraries and no other"""
        done = self.command(DEPLOY / "bundle.sh", self.dir / "opt",
                            stack.BIN / "vsock-bridge", stack.BIN / "hallmark")
        self.assertEqual(done.returncode, 0, done.stderr)
        moved = (self.dir / "opt").rename(self.dir / "elsewhere")
        done = self.command(moved / "bin/hallmark", "--version", env={})
        self.assertEqual(done.returncode, 0, done.stderr)
        port, = settings.free_ports(1)
        config = settings.write_json(self.dir / "bridge.json", {"inbound": [{
            "listen": f"tcp://127.0.0.1:{port}",
            "connect": f"unix://{self.dir}/none.sock"}]})
        bridge = Program("bridge", [moved / "bin/vsock-bridge", config],
                         self.dir / "log")
        bridge.start()
        self.addCleanup(bridge.stop)
        wait_until("the bridge listens", lambda: "listening" in bridge.log(),
                   support.SEEN_S, bridge.must_run)
        maps = pathlib.Path(f"/proc/{bridge.process.pid}/maps").read_text()
        mapped = set(re.findall(r"(/.*\.so\S*)$", maps, re.M))
        self.assertGreater(len(mapped), 5)
        self.assertEqual([path for path in mapped
                          if not path.startswith(str(moved))], [])

    def test_usage(self):
        """without a program it says how it is called"""
        done = self.command(DEPLOY / "bundle.sh", self.dir)
        self.assertEqual(done.returncode, 1)
        self.assertIn("usage", done.stderr)


def compose():
    support.need("python3-yaml", yaml)
    return yaml.safe_load((DOCKER / "compose.yaml").read_text())


class Docker(support.Folder):
    """There is no Docker here: what its files name is looked for."""

    def test_dockerfile(self):
        """the Dockerfile's stages and paths exist"""
        text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
        stages = re.findall(r"^FROM \S+ AS (\w+)$", text, re.M)
        self.assertEqual(stages[-1], "verifierd")
        for stage in re.findall(r"--from=(\w+)", text):
            self.assertIn(stage, stages)
        for stage in re.findall(r"--target (\w+)", text):
            self.assertIn(stage, stages)
        for path in set(re.findall(r"\bdeploy/[\w./]+", text)):
            self.assertTrue((settings.ROOT / path).exists(), path)
        for program in set(re.findall(r"build/bin/([\w-]+)", text)):
            self.assertTrue((stack.BIN / program).exists(), program)
        words = {line.split()[0] for line in text.splitlines()
                 if line and not line.startswith("#")}
        self.assertLessEqual(words, {
            "FROM", "WORKDIR", "RUN", "COPY", "ARG", "ENTRYPOINT", "CMD",
            "USER", "VOLUME", "EXPOSE"})
        self.assertTrue((DOCKER / "Dockerfile.dockerignore").exists())

    def test_compose(self):
        """compose.yaml's targets, volumes, options and services exist"""
        file = compose()
        dockerfile = (DOCKER / "Dockerfile").read_text()
        options = self.command("python3", stack.SIMULATOR, "--help").stdout
        for name, service in file["services"].items():
            build = service["build"]
            context = (DOCKER / build["context"]).resolve()
            self.assertEqual(context, settings.ROOT.resolve())
            self.assertTrue((context / build["dockerfile"]).exists())
            stage = f"AS {build['target']}\n"
            self.assertTrue(stage in dockerfile, name)
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                self.assertTrue(source in file["volumes"]
                                or (DOCKER / source).is_dir(), volume)
            for other in service.get("depends_on", {}):
                self.assertIn(other, file["services"])
                if service["depends_on"][other]["condition"] == \
                        "service_healthy":
                    self.assertIn("healthcheck", file["services"][other])
        for word in file["services"]["simulator"]["command"]:
            if word.startswith("--"):
                self.assertTrue(word in options, word)

    def test_policy(self):
        """the simulated oracle's policy names its configuration's PCR16"""
        path = DOCKER / "simulated" / "oracle.json"
        done = support.run("hallmark", "config-pcr", path)
        policy = json.loads((DOCKER / "simulated/policy.json").read_text())
        self.assertEqual(policy["releases"][0]["pcrs"]["16"],
                         done.stdout.strip())
        self.assertEqual(json.loads(path.read_text())["feeds"],
                         json.loads(settings.LIVE.read_text())["feeds"])

    def run_compose(self):
        """The services as programs of this machine: folders for volumes,
        127.0.0.1 for names, free ports for theirs."""
        services = compose()["services"]
        config = self.dir / "etc"
        shutil.copytree(DOCKER / "simulated", config)
        places = {"/etc/hallmark": config, "build/bin": stack.BIN,
                  "tests/simulator": stack.SIMULATOR.parent,
                  "python3": sys.executable,
                  "http://simulator:": "http://127.0.0.1:",
                  "0.0.0.0": "127.0.0.1"}
        for volume in ("/exchanges", "/run/hallmark", "/var/lib/simulated",
                       "/var/lib/hallmark-verifierd"):
            places[volume] = self.dir / volume.rsplit("/", 1)[1]
            places[volume].mkdir()
        ports = dict(zip(("8080", "8090", "9400", "9441", "9442", "9443",
                          "9444"), map(str, settings.free_ports(7))))

        def placed(text):
            for at, there in places.items():
                text = text.replace(at, str(there))
            return re.sub(r"(?<=[:=])(\d{4})\b|^(\d{4})$",
                          lambda found: ports.get(found[0], found[0]), text)

        for path in config.iterdir():
            path.write_text(placed(path.read_text()))
        self.pin(config)
        commands = {name: [placed(word) for word in service.get(
            "command", ["build/bin/hallmark-verifierd",
                        "/etc/hallmark/verifierd.json"])]
            for name, service in services.items()}
        return ports, commands

    @staticmethod
    def pin(config):
        """The places are in what is measured."""
        pcr = support.run("hallmark", "config-pcr",
                          config / "oracle.json").stdout.strip()
        policy = json.loads((config / "policy.json").read_text())
        policy["releases"][0]["pcrs"]["16"] = pcr
        settings.write_json(config / "policy.json", policy)

    def test_run(self):
        """what compose.yaml starts gives verified prices"""
        ports, commands = self.run_compose()
        programs = {name: Program(name, command, self.dir / f"{name}.log")
                    for name, command in commands.items()}
        pages = {"simulator": f"http://127.0.0.1:{ports['9400']}/state",
                 "oracle": f"http://127.0.0.1:{ports['8080']}/livez",
                 "verifierd": f"http://127.0.0.1:{ports['8090']}/readyz"}
        with contextlib.ExitStack() as stopping:
            for name, program in programs.items():
                program.start()
                stopping.callback(program.stop)
                if name in pages:
                    wait_until(f"{name} answers", lambda: client.ready(
                        pages[name]), support.SEEN_S, program.must_run)
            reply = client.request(
                f"http://127.0.0.1:{ports['8090']}/price/BTC-USD")
            self.assertEqual(reply.status, 200, reply.body)


if __name__ == "__main__":
    unittest.main()
