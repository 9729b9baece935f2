#!/usr/bin/env python3
"""What a stream costs: our server beside a bare epoll server, which is the
limit, and nginx with nchan. 5,000 readers, 10 events of 1.2 KB a second; server
and readers on a processor each, one server after the other in each round, so
that a busy machine meets all alike. What counts is CPU time, which the kernel
measures for each process; times of arrival are those of this machine in this
hour.

  bench_serve.py SERVER LOAD [--rounds N] [--readers N] [--seconds N]
                 [--realtime]

SERVER and LOAD are the programs stream_server and stream_load. Nothing is
judged here: a speed is never a test. On a machine with other work the times of
arrival are the scheduler's; with --realtime (root) this comes before all else.
"""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

HZ = 10
ASKED_HZ = 200      # GET /price meanwhile
START_S = 10
NCHAN_MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"

CPU, P50, P99 = "CPU us a delivery", "p50 ms", "p99 ms"
LOST, LATE, SENT = "lost", "late (over 1 s)", "deliveries a second"
MEMORY, PRICE = "KB a reader", "/price p99 ms"

# What is wanted: the measure, the bound of our ratio to it (or of the value
# itself), to whom.
WANTED = ((CPU, 1.05, "bare"), (CPU, 0.7, "nchan"), (P99, 1.1, "bare"),
          (LOST, 0, None), (LATE, 0, None), (PRICE, 5.0, None))

NGINX = """load_module {module};
worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
worker_rlimit_nofile 20000;
events {{ worker_connections 16000; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    tcp_nodelay on;
    keepalive_requests 1000000;
    location /stream {{
      nchan_subscriber eventsource;
      nchan_channel_id bench;
      nchan_subscriber_first_message newest;
    }}
    location /publish {{
      nchan_publisher;
      nchan_channel_id bench;
    }}
  }}
}}
"""


class Bench:
    def __init__(self, options):
        self.options = options
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hallmark-bench-"))
        self.children = []

    def spawn(self, cpu, argv, **more):
        process = subprocess.Popen(
            ["taskset", "-c", str(cpu), *map(str, argv)],
            stdout=more.get("stdout", subprocess.DEVNULL),
            stderr=subprocess.DEVNULL, start_new_session=True, text=True)
        self.children.append(process)
        return process

    def stop(self, process):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def close(self):
        for process in self.children:
            self.stop(process)
        shutil.rmtree(self.dir, ignore_errors=True)


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def command(bench, name, port):
    if name != "nchan":
        return [bench.options.server, name, port, HZ]
    config = bench.dir / "nginx.conf"
    config.write_text(NGINX.format(module=NCHAN_MODULE, dir=bench.dir,
                                   port=port))
    return ["nginx", "-c", config, "-p", bench.dir]


def start(bench, name):
    port = free_port()
    process = bench.spawn(0, command(bench, name, port))
    end = time.monotonic() + START_S
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process, port
        except OSError:
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit(f"bench_serve: {name} does not start") \
                    from None
            time.sleep(0.05)


def server_pid(process, name):
    """nginx serves from a child of its own."""
    if name != "nchan":
        return process.pid
    time.sleep(0.5)
    path = f"/proc/{process.pid}/task/{process.pid}/children"
    return int(pathlib.Path(path).read_text().split()[0])


def measure(bench, name):
    options = bench.options
    process, port = start(bench, name)
    argv = [options.load, port, "/stream", options.readers, options.seconds,
            server_pid(process, name)]
    if name == "nchan":
        argv += ["publish", "/publish", HZ]
    readers = bench.spawn(1, argv, stdout=subprocess.PIPE)
    asker = None
    if name == "ours":
        time.sleep(1)
        asker = bench.spawn(1, [options.load, port, "-", 0, options.seconds,
                                process.pid, "price", "/price/BTC-USD",
                                ASKED_HZ], stdout=subprocess.PIPE)
    fields = readers.communicate()[0].split()
    if readers.returncode != 0 or len(fields) != 9:
        raise SystemExit(f"bench_serve: {name}: the readers failed")
    found = {SENT: float(fields[0]) / options.seconds,
             LOST: float(fields[1]), LATE: float(fields[2]),
             P50: float(fields[3]) / 1000, P99: float(fields[4]) / 1000,
             CPU: float(fields[5]), MEMORY: float(fields[6])}
    if asker:
        found[PRICE] = float(asker.communicate()[0].split()[8]) / 1000
    bench.stop(process)
    return found


def measure_all(bench, names):
    """{measure: {server: [values]}}"""
    found = {}
    for number in range(bench.options.rounds):
        for name in names:
            for key, value in measure(bench, name).items():
                found.setdefault(key, {}).setdefault(name, []).append(value)
        print(f"# round {number + 1} of {bench.options.rounds}", flush=True)
    return found


def show(found, names):
    print(f"{'':24}" + "".join(f"{name:>12}" for name in names))
    for key, values in found.items():
        cells = [f"{statistics.median(values[name]):12.3f}"
                 if name in values else f"{'':12}" for name in names]
        print(f"{key:24}" + "".join(cells))


def ratio(values, whom):
    """The median of each round's, whose noise both had."""
    pairs = [a / b for a, b in zip(values["ours"], values[whom])]
    return statistics.median(pairs)


def show_wanted(found, names):
    print(f"\n{'ours':24}{'':>12}{'wanted':>10}")
    for key, bound, whom in WANTED:
        values = found.get(key, {})
        if "ours" not in values or (whom and whom not in names):
            continue
        value = ratio(values, whom) if whom \
            else statistics.median(values["ours"])
        what = f"{key} / {whom}" if whom else key
        print(f"{what:28}{value:8.3f}{'<= ' + str(bound):>10}  "
              f"{'' if value <= bound else 'NOT '}held")


def begin(about, **numbers):
    """From the command line: SERVER LOAD, --realtime, and these numbers."""
    parser = argparse.ArgumentParser(
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("server")
    parser.add_argument("load")
    for name, usual in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument("--realtime", action="store_true")
    bench = Bench(parser.parse_args())
    if bench.options.realtime:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return bench


def main():
    bench = begin(__doc__, rounds=5, seconds=5, readers=5000)
    names = ["bare", "ours"]
    if shutil.which("nginx") and os.path.exists(NCHAN_MODULE):
        names.append("nchan")
    else:
        print("# nginx with nchan is not installed: left out")
    try:
        found = measure_all(bench, names)
        show(found, names)
        show_wanted(found, names)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
