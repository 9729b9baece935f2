#!/usr/bin/env python3
"""What GET /price/{feed} costs: our server beside a bare epoll server, which is
the limit, nginx and h2o, which serve the same bytes as a cached static file.
64 connections that ask again and again; server and load on a processor each, one server after the other in each round, so that a busy machine meets all
alike. What counts is CPU time, which the kernel measures for each process.

  bench_price.py SERVER LOAD [--rounds N] [--seconds N] [--connections N]
                 [--realtime]

SERVER and LOAD are the programs price_server and price_load. Nothing is judged here: a speed is never a
test. --realtime (root): before all else that this machine does.
"""

import base64
import gzip
import http.client
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import time

from bench_serve import begin, free_port, START_S

FULL_BYTES, REF_BYTES = 8986, 1169  # of an item with and without its document

NGINX = """worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/nginx.log;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body;
  proxy_temp_path {dir}/proxy;
  fastcgi_temp_path {dir}/fastcgi;
  uwsgi_temp_path {dir}/uwsgi;
  scgi_temp_path {dir}/scgi;
  sendfile on;
  tcp_nopush on;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  open_file_cache max=100 inactive=1h;
  open_file_cache_valid 1h;
  types {{ }}
  default_type application/json;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    root {dir}/www;
    location /packed {{ add_header Content-Encoding gzip; }}
  }}
}}
"""

H2O = """num-threads: 1
max-connections: 1024
listen: {{host: 127.0.0.1, port: {port}}}
file.mime.setdefaulttype: application/json
hosts:
  default:
    paths:
      /:
        file.dir: {dir}/www
      /packed:
        file.dir: {dir}/www/packed
        header.add: "Content-Encoding: gzip"
"""

# form: path and headers at our servers, path at those with files
FORMS = {"full": ("/price/BTC-USD", {}, "/full"),
         "gzip": ("/price/BTC-USD", {"Accept-Encoding": "gzip"},
                  "/packed/full"),
         "compact": ("/price/BTC-USD?attestation=ref", {}, "/ref")}

# Requests a CPU second: ours to whose, at least.
WANTED = (("nginx", 1.15), ("bare", 0.95))


def make_item(size):
    """Like an item: text that packs well, and base64 of what does not."""
    text = "".join(f'{{"exchange":"x{i}","last":"{60000 + i}.1"}},'
                   for i in range(12))
    item = {"content": text, "signature_b64":
            base64.b64encode(os.urandom(256)).decode(), "x": ""}
    room = size - len(json.dumps(item, separators=(",", ":")))
    item["x"] = base64.b64encode(os.urandom(room)).decode()[:room]
    return json.dumps(item, separators=(",", ":")).encode()


def make_files(bench):
    www = bench.dir / "www"
    (www / "packed").mkdir(parents=True)
    (www / "full").write_bytes(make_item(FULL_BYTES))
    (www / "ref").write_bytes(make_item(REF_BYTES))
    packed = gzip.compress((www / "full").read_bytes(), mtime=0)
    (www / "full.gz").write_bytes(packed)
    (www / "packed" / "full").write_bytes(packed)
    os.chmod(bench.dir, 0o755)


def command(bench, name, port):
    www = bench.dir / "www"
    if name in ("ours", "bare"):
        return [bench.options.server, name, port, www / "full", www / "ref"]
    text = {"nginx": NGINX, "h2o": H2O}[name]
    config = bench.dir / f"{name}.conf"
    config.write_text(text.format(dir=bench.dir, port=port))
    if name == "nginx":
        return ["nginx", "-c", config, "-p", bench.dir]
    return ["h2o", "-c", config]


def ask(port, name, form):
    path, headers, file_path = FORMS[form]
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    if name in ("ours", "bare"):
        connection.request("GET", path, headers={"Host": "127.0.0.1",
                                                 **headers})
    else:
        connection.request("GET", file_path)
    answer = connection.getresponse()
    body = answer.read()
    if answer.getheader("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    connection.close()
    return answer.status, body


class Server:
    def __init__(self, bench, name):
        self.name, self.port = name, free_port()
        self.process = bench.spawn(0, command(bench, name, self.port))
        end = time.monotonic() + START_S
        while not self._is_right(bench):
            if time.monotonic() > end or self.process.poll() is not None:
                raise SystemExit(f"bench_price: {name} does not serve")
            time.sleep(0.1)
        self.pids = self._pids()

    def _is_right(self, bench):
        """The same bytes from all."""
        try:
            for form in FORMS:
                want = "ref" if form == "compact" else "full"
                if ask(self.port, self.name, form) != \
                        (200, (bench.dir / "www" / want).read_bytes()):
                    return False
        except OSError:
            return False
        return True

    def _pids(self):
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        children = pathlib.Path(path).read_text().split()
        return [str(self.process.pid), *children]

    def cpu_ns(self):
        total = 0
        for pid in self.pids:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
        return total


def measure(bench, server, form):
    """CPU us a request, requests a second, and their 99th percentile in ms."""
    path, headers, file_path = FORMS[form]
    if server.name not in ("ours", "bare"):
        path, headers = file_path, {}
    request = "\r\n".join([f"GET {path} HTTP/1.1", "Host: 127.0.0.1",
                           *[f"{key}: {value}"
                             for key, value in headers.items()], "", ""])
    before = server.cpu_ns()
    out = subprocess.run(
        ["taskset", "-c", "1", bench.options.load, str(server.port),
         str(bench.options.connections), str(bench.options.seconds), request],
        capture_output=True, text=True, check=True).stdout.split()
    spent = server.cpu_ns() - before
    requests = int(out[0])
    return (spent / requests / 1000, requests / bench.options.seconds,
            int(out[2]) / 1000)


def measure_all(bench, servers):
    """{form: {server: [what measure() says]}}"""
    found = {form: {server.name: [] for server in servers} for form in FORMS}
    for number in range(bench.options.rounds):
        for form in FORMS:
            for server in servers:
                found[form][server.name].append(measure(bench, server, form))
        print(f"# round {number + 1} of {bench.options.rounds}", flush=True)
    return found


def show(found):
    names = list(next(iter(found.values())))
    for at, what in enumerate(("CPU us a request", "requests a second",
                               "p99 ms")):
        print(f"{what:20}" + "".join(f"{name:>10}" for name in names))
        for form, values in found.items():
            cells = [f"{statistics.median(v[at] for v in values[name]):10.2f}"
                     for name in names]
            print(f"  {form:18}" + "".join(cells))


def show_wanted(found):
    print(f"\n{'requests a CPU second, ours to':34}{'wanted':>16}")
    for form, values in found.items():
        for whom, bound in WANTED:
            if whom not in values:
                continue
            pairs = [b[0] / a[0]
                     for a, b in zip(values["ours"], values[whom])]
            value = statistics.median(pairs)
            print(f"{form + ' / ' + whom:28}{value:8.3f}{'>= ' + str(bound):>10}"
                  f"  {'' if value >= bound else 'NOT '}held")


def main():
    bench = begin(__doc__, rounds=7, seconds=2, connections=64)
    names = ["bare", "ours"]
    for name in ("nginx", "h2o"):
        if shutil.which(name):
            names.append(name)
        else:
            print(f"# {name} is not installed: left out")
    try:
        make_files(bench)
        servers = [Server(bench, name) for name in names]
        found = measure_all(bench, servers)
        show(found)
        show_wanted(found)
    finally:
        bench.close()


if __name__ == "__main__":
    main()
