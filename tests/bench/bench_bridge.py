#!/usr/bin/env python3
"""How vsock-bridge compares with others that relay TCP to a Unix socket: the
same sockets, the same load, one after the other in each round, so that a busy
machine meets all alike. What counts is CPU time, which the kernel measures for
each process; the throughput is that of this machine in this hour.

  bench_bridge.py BRIDGE LOAD [--rounds N] [--only WORD] [--mib N] [--seconds N]

BRIDGE and LOAD are the programs vsock-bridge and bridge_load. Others are left
out, and named, where they are not installed. Nothing is judged here: a speed
is never a test.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

START_S = 10
IDLE = 2000
IDLE_OF_PROCESSES = 200     # of one that forks for each connection
RATE_CLIENTS = 8
TICKS = os.sysconf("SC_CLK_TCK")

# What is wanted: the measure, the bound of our ratio to it, to whom.
WANTED = (("CPU s/GiB, 1 connection", "<=", 0.7, "best"),
          ("CPU s/GiB, 4 connections", "<=", 0.7, "best"),
          ("MiB/s, 1 connection", ">=", 1.0, "best"),
          ("MiB/s, 4 connections", ">=", 1.0, "best"),
          ("CPU us a connection", "<=", 1.1, "best"),
          ("KB an idle connection", "<=", 0.1, "haproxy"))

HAPROXY = """global
  nbthread 1
  maxconn 4000
  tune.bufsize 65536
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  {more}
listen bench
  bind 127.0.0.1:{port}
  server s unix@{path}
"""

NGINX = """load_module {modules}/ngx_stream_module.so;
worker_processes 1;
master_process off;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 10000; }}
stream {{
  proxy_buffer_size 64k;
  server {{
    listen 127.0.0.1:{port} backlog=511;
    proxy_half_close on;
    proxy_pass unix:{path};
  }}
}}
"""
NGINX_MODULES = "/usr/lib/nginx/modules"


class Bench:
    def __init__(self, options):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-bench-"))
        self.options = options
        self.path = self.dir / "server.sock"
        self.children = []

    def spawn(self, argv, **more):
        process = subprocess.Popen(
            argv, stdout=more.pop("stdout", subprocess.DEVNULL),
            stderr=subprocess.DEVNULL, start_new_session=True, **more)
        self.children.append(process)
        return process

    def load(self, *args):
        done = subprocess.run([self.options.load, *map(str, args)], text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"bench_bridge: {args}: {done.stderr.strip()}")
        return float(done.stdout)

    def close(self):
        for process in self.children:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)


# ---- the relays ----

def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def ours(bench, port):
    config = bench.dir / "bridge.json"
    config.write_text(json.dumps({
        "inbound": [{"listen": f"tcp://127.0.0.1:{port}",
                     "connect": f"unix://{bench.path}"}],
        "connections_max": 4000}))
    return [bench.options.bridge, config]


def haproxy(more):
    def argv(bench, port):
        config = bench.dir / "haproxy.cfg"
        config.write_text(HAPROXY.format(port=port, path=bench.path,
                                         more=more))
        return ["haproxy", "-db", "-f", config]
    return argv


def nginx(bench, port):
    config = bench.dir / "nginx.conf"
    config.write_text(NGINX.format(port=port, path=bench.path, dir=bench.dir,
                                   modules=NGINX_MODULES))
    return ["nginx", "-c", config, "-p", bench.dir]


def socat(bench, port):
    return ["socat", "-b65536",
            f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork,backlog=511,"
            "nodelay", f"UNIX-CONNECT:{bench.path}"]


SPLICE = "option splice-request\n  option splice-response"
RELAYS = {"ours": ours, "haproxy": haproxy(""),
          "haproxy splice": haproxy(SPLICE), "nginx": nginx, "socat": socat}


def present(name, bridge):
    if name == "ours":
        return os.path.exists(bridge)
    if name == "nginx" and not os.path.exists(
            f"{NGINX_MODULES}/ngx_stream_module.so"):
        return False
    return shutil.which(name.split()[0]) is not None


class Relay:
    """One of them, running."""

    def __init__(self, bench, name):
        self.bench, self.name, self.port = bench, name, free_port()
        self.process = bench.spawn(RELAYS[name](bench, self.port))
        end = time.monotonic() + START_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                if time.monotonic() > end or self.process.poll() is not None:
                    raise SystemExit(f"bench_bridge: {name} does not start") \
                        from None
                time.sleep(0.02)
        time.sleep(0.1)

    def tree(self):
        """Its process and those that it started."""
        pids = [self.process.pid]
        for pid in pids:
            path = f"/proc/{pid}/task/{pid}/children"
            try:
                pids += map(int, pathlib.Path(path).read_text().split())
            except OSError:
                pass
        return pids

    def cpu_s(self):
        """Of all its threads, and of its children that are over."""
        total = 0.0
        for pid in self.tree():
            for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    total += int(stat.read_text().split()[0]) / 1e9
                except OSError:
                    pass
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text()
        fields = fields.rpartition(")")[2].split()
        return total + (int(fields[13]) + int(fields[14])) / TICKS

    def memory_kb(self):
        total = 0
        for pid in self.tree():
            try:
                text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in text.splitlines()
                         if line.startswith("Pss:"))
        return total

    def settle(self):
        """Until its children that are over have been waited for."""
        time.sleep(0.3 if self.name == "socat" else 0.05)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


# ---- the measures ----

def bulk(bench, relay, count):
    mib = bench.options.mib
    before = relay.cpu_s()
    speed = bench.load("bulk", relay.port, mib, count)
    relay.settle()
    per_gib = (relay.cpu_s() - before) * 1024 / mib
    suffix = f"{count} connection{'s' if count > 1 else ''}"
    return {f"CPU s/GiB, {suffix}": per_gib, f"MiB/s, {suffix}": speed}


def rate(bench, relay):
    before = relay.cpu_s()
    made = bench.load("rate", relay.port, bench.options.seconds, RATE_CLIENTS)
    relay.settle()
    return {"CPU us a connection": (relay.cpu_s() - before) * 1e6 / made,
            "connections/s": made / bench.options.seconds}


def idle(bench, relay):
    count = IDLE_OF_PROCESSES if relay.name == "socat" else IDLE
    before = relay.memory_kb()
    process = bench.spawn(
        [bench.options.load, "idle", str(relay.port), str(count)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    if process.stdout.readline() != b"open\n":
        raise SystemExit(f"bench_bridge: {relay.name}: not {count} open")
    relay.settle()
    held = relay.memory_kb() - before
    process.stdin.close()
    process.wait()
    return {"KB an idle connection": held / count}


MEASURES = {"bulk1": lambda b, r: bulk(b, r, 1),
            "bulk4": lambda b, r: bulk(b, r, 4), "rate": rate, "idle": idle}


def measure_all(bench, names):
    """{measure: {relay: [values]}}; a new process for each idle measure, so
    that what others left in its heap is not counted for it."""
    found = {}
    for number in range(bench.options.rounds):
        for what, measure in MEASURES.items():
            if bench.options.only not in what:
                continue
            if what == "idle" and number > 0:
                continue
            for name in names:
                relay = Relay(bench, name)
                for key, value in measure(bench, relay).items():
                    found.setdefault(key, {}).setdefault(name, []) \
                         .append(value)
                relay.stop()
        print(f"# round {number + 1} of {bench.options.rounds}", flush=True)
    return found


# ---- the table ----

def show(found, names):
    print(f"{'':26}" + "".join(f"{name:>16}" for name in names))
    for key, values in found.items():
        cells = [f"{statistics.median(values[name]):16.3f}" for name in names]
        print(f"{key:26}" + "".join(cells))


def show_ratios(found, names):
    others = [name for name in names if name != "ours"]
    if "ours" not in names or not others:
        return
    print(f"\n{'ours / the best other':26}{'ratio':>8}{'wanted':>10}")
    for key, sign, bound, whom in WANTED:
        if key not in found or (whom != "best" and whom not in others):
            continue
        medians = {name: statistics.median(found[key][name])
                   for name in names}
        best = min if sign == "<=" else max
        rival = best(others, key=medians.get) if whom == "best" else whom
        ratio = medians["ours"] / medians[rival]
        holds = ratio <= bound if sign == "<=" else ratio >= bound
        print(f"{key:26}{ratio:8.2f}{sign + ' ' + str(bound):>10}  "
              f"{'' if holds else 'NOT '}held ({rival})")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bridge")
    parser.add_argument("load")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", default="", help="bulk, rate, idle")
    bench = Bench(parser.parse_args())
    names = [name for name in RELAYS if present(name, bench.options.bridge)]
    for name in RELAYS:
        if name not in names:
            print(f"# {name} is not installed: left out")
    try:
        bench.spawn([bench.options.load, "serve", bench.path],
                    stdin=subprocess.PIPE)
        found = measure_all(bench, names)
        show(found, names)
        show_ratios(found, names)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
