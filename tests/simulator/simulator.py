#!/usr/bin/env python3
"""Seventeen exchanges on this machine, over real TLS, for tests and the demo."""

import argparse
import json
import pathlib
import signal
import sys
import threading

import certificates
import control
import exchanges
import faults
import market
import server

EPILOG = """\
Into --dir it writes ca.pem (what a client has to trust), the certificates
and, when it serves, simulator.json with the ports. Ask it like this:

  simulator.py --dir /tmp/sim --control 9400 --port kraken=9443 &
  curl --cacert /tmp/sim/ca.pem --resolve api.kraken.com:9443:127.0.0.1 \\
      'https://api.kraken.com:9443/0/public/Ticker?pair=XBTUSD'

Make an exchange fail, see what was asked, make it well again:

  curl -d '{"exchange":"kraken","fault":"429","retry_after":2}' \\
      http://127.0.0.1:9400/fault
  curl http://127.0.0.1:9400/state
  curl -d '{"exchange":"all","fault":"none"}' http://127.0.0.1:9400/fault

exchanges and symbols (and of S001 to S200, which are nothing real):
@EXCHANGES@
faults, in the exchange's own words where it has some:
@FAULTS@
of some only:
@OWN@
"""


def _real(exchange):
    return [name for name, symbol in exchange.symbols.items()
            if symbol.asset in market.REAL]


def _epilog():
    rows = [f"  {e.name:18} {e.host:27} {' '.join(_real(e))}"
            for e in exchanges.ALL]
    ways, own = ("\n".join(f"  {name:15} {what}"
                           for name, what in table.items())
                 for table in (faults.ALL, faults.own()))
    return EPILOG.replace("@EXCHANGES@", "\n".join(rows)).replace(
        "@FAULTS@", ways).replace("@OWN@", own)


def _port_option(value):
    name, _, port = value.partition("=")
    if name not in {e.name for e in exchanges.ALL} or not port.isdigit():
        raise argparse.ArgumentTypeError(f"{value!r} is not EXCHANGE=PORT")
    return name, int(port)


def _arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_epilog(),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", required=True, type=pathlib.Path,
                        help="for certificates and simulator.json")
    parser.add_argument("--control", type=int, default=0, metavar="PORT",
                        help="of the control endpoint (default: a free one)")
    parser.add_argument("--port", type=_port_option, action="append",
                        default=[], metavar="EXCHANGE=PORT",
                        help="where an exchange listens (default: free ones)")
    parser.add_argument("--seed", type=int, default=1,
                        help="of the random walk (default 1)")
    return parser.parse_args()


def _serve(options):
    """Starts everything; returns what simulator.json says."""
    authority = certificates.Authority(options.dir)
    prices = market.Market(options.seed)
    wanted = dict(options.port)
    servers = {}
    for exchange in exchanges.ALL:
        servers[exchange.name] = server.ExchangeServer(
            exchange, prices, authority.all_for(exchange.name, exchange.host),
            wanted.get(exchange.name, 0))
    for each in servers.values():
        each.start()
    return {"control": control.start(servers, prices, options.control),
            "ca": str(authority.ca),
            "ports": {name: each.port for name, each in servers.items()}}


def main():
    options = _arguments()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    served = _serve(options)
    ready = options.dir / "simulator.json"
    beside = ready.with_suffix(".tmp")
    beside.write_text(json.dumps(served, indent=1) + "\n")
    beside.rename(ready)
    print(json.dumps(served), flush=True)
    stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
