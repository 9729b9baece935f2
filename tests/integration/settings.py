"""The configuration files of a whole installation in one directory, made
from the one list of feeds in deploy/live.json.
"""

import contextlib
import copy
import hashlib
import json
import os
import pathlib
import random
import socket

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIVE = ROOT / "deploy" / "live.json"
SYSTEM_CA = "/etc/ssl/certs/ca-certificates.crt"

HOSTS = {"binance": "data-api.binance.vision",
         "coinbase_exchange": "api.exchange.coinbase.com",
         "kraken": "api.kraken.com", "bitstamp": "www.bitstamp.net",
         "binance_us": "api.binance.us", "gemini": "api.gemini.com",
         "bitfinex": "api-pub.bitfinex.com", "cryptocom": "api.crypto.com",
         "okx": "www.okx.com", "bybit": "api.bybit.com",
         "kucoin": "api.kucoin.com", "gate": "api.gateio.ws",
         "bitget": "api.bitget.com", "htx": "api.huobi.pro",
         "mexc": "api.mexc.com", "coingecko": "api.coingecko.com",
         "coinmarketcap": "pro-api.coinmarketcap.com"}
# They want a key, which has to be sealed to the oracle first.
KEYED = {"coinmarketcap"}


_given = set()


# Below the range that the kernel gives to outgoing connections
# (ip_local_port_range): a program that is started again must find its port
# free. Each process of run.py has a part of it.
PORTS = tuple(map(int, os.environ.get("HALLMARK_PORTS",
                                      "20000-32000").split("-")))


def free_ports(count):
    """Ports that nobody listens on now, and none given before."""
    ports = []
    while len(ports) < count:
        port = random.randint(*PORTS)
        with contextlib.suppress(OSError):
            socket.create_server(("127.0.0.1", port)).close()
            ports += [port] * (port not in _given)
            _given.add(port)
    return ports


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1) + "\n")
    return path


def live_feeds(**changes):
    """deploy/live.json's feeds, each with these members changed."""
    feeds = copy.deepcopy(json.loads(LIVE.read_text())["feeds"])
    for feed in feeds:
        feed.update(changes)
    return feeds


def oracle(directory, feeds, ca_bundle, proxy):
    return {"listen": f"unix://{directory}/oracle.sock", "proxy": proxy,
            "attester": "simulated", "simulated_dir": f"{directory}/simulated",
            "ca_bundle": str(ca_bundle), "feeds": feeds}


def bridge(directory, allowlist, port):
    return {"outbound": [{"listen": f"unix://{directory}/bridge-out.sock",
                          "allowlist": str(allowlist)}],
            "inbound": [{"listen": f"tcp://127.0.0.1:{port}",
                         "connect": f"unix://{directory}/oracle.sock"}]}


def allowlist(ports):
    """The exchanges' hosts; with `ports`, to be found on this machine."""
    lines = ["# host:port [where to connect instead]"]
    for name, host in HOSTS.items():
        instead = f" tcp://127.0.0.1:{ports[name]}" if ports else ""
        lines.append(f"{host}:443{instead}")
    return "\n".join(lines) + "\n"


def simulated_pcr(index):
    return hashlib.sha384(b"hallmark simulated pcr%d" % index).hexdigest()


def policy(config_pcr, root_file="simulated/simulated-root.pem"):
    pcrs = {str(index): simulated_pcr(index) for index in range(3)}
    pcrs["16"] = config_pcr
    return {"roots": [], "root_files": [root_file],
            "releases": [{"name": "simulated", "pcrs": pcrs,
                          "not_before": None, "not_after": None}],
            "max_age_s": 300, "max_future_s": 5}
