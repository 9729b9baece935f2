"""The control endpoint: plain HTTP on loopback, to set faults and to see what
was asked.

  GET  /state   counts and faults, by exchange
  GET  /faults  the names of the faults and what they do, by exchange
  GET  /truth   where the market stands, in dollars, and when that was
  POST /fault   {"exchange":"kraken","fault":"429","retry_after":2}
                exchange may be "all", for faults that all have;
                retry_after is optional (seconds)
"""

import http.server
import json
import threading
import time

import faults
import market

BODY_MAX = 4096


def start(exchanges, prices, port=0):
    """Serves from a thread; `exchanges` are ExchangeServers by name, `prices`
    their Market. Returns the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.exchanges, server.market = exchanges, prices
    threading.Thread(target=server.serve_forever, args=(0.1,),
                     daemon=True).start()
    return server.server_address[1]


class Refused(Exception):
    """The request is wrong; the text says how."""


def _chosen(exchanges, wish):
    """The servers that a wish names, after all of it was checked."""
    unknown = set(wish) - {"exchange", "fault", "retry_after"}
    if unknown:
        raise Refused(f"unknown member {sorted(unknown)[0]}")
    name, fault = wish.get("exchange"), wish.get("fault")
    if name not in exchanges and name != "all" and fault in faults.ALL:
        raise Refused(f"no exchange {name!r}: {', '.join(exchanges)} or all")
    have = faults.of(name) if name in exchanges else faults.ALL
    if fault not in have:
        raise Refused(f"no fault {fault!r} of {name!r}: GET /faults lists "
                      "them")
    return list(exchanges.values()) if name == "all" else [exchanges[name]]


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def _reply(self, status, value):
        body = json.dumps(value, indent=1).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _state(self):
        return {name: server.state()
                for name, server in self.server.exchanges.items()}

    def _faults(self):
        return {name: faults.of(name) for name in self.server.exchanges}

    def _truth(self):
        """To the skew of one exchange (see market.py)."""
        quotes = {asset: self.server.market.quote(asset)
                  for asset in market.REAL}
        return {"unix_ms": time.time_ns() // 10**6,
                "prices": {asset: str((quote.bid + quote.ask) / 2)
                           for asset, quote in quotes.items()}}

    def do_GET(self):
        pages = {"/state": self._state, "/faults": self._faults,
                 "/truth": self._truth}
        if self.path in pages:
            self._reply(200, pages[self.path]())
        else:
            self._reply(404, {"error": f"try {', '.join(pages)}"})

    def do_POST(self):
        if self.path != "/fault":
            return self._reply(404, {"error": "try /fault"})
        try:
            self._set_fault(self._wish())
        except (Refused, ValueError) as error:
            return self._reply(400, {"error": str(error)})
        self._reply(200, self._state())

    def _wish(self):
        length = int(self.headers.get("Content-Length", 0))
        if not 0 < length <= BODY_MAX:
            raise Refused(f"a body of 1 to {BODY_MAX} bytes is wanted")
        wish = json.loads(self.rfile.read(length))
        if not isinstance(wish, dict):
            raise Refused("a JSON object is wanted")
        return wish

    def _set_fault(self, wish):
        for server in _chosen(self.server.exchanges, wish):
            server.set_fault(wish["fault"], int(wish.get("retry_after", 2)))
