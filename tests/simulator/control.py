"""The control endpoint: plain HTTP on loopback, to set faults and to see what
was asked.

  GET  /state   counts and faults, by exchange
  GET  /faults  the names of the faults and what they do
  POST /fault   {"exchange":"kraken","fault":"429","retry_after":2}
                exchange may be "all"; retry_after is optional (seconds)
"""

import http.server
import json
import threading

import faults

BODY_MAX = 4096


def start(exchanges, port=0):
    """Serves from a thread; `exchanges` are ExchangeServers by name. Returns
    the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.exchanges = exchanges
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
    if fault not in faults.ALL:
        raise Refused(f"no fault {fault!r}: GET /faults lists them")
    if name == "all":
        return list(exchanges.values())
    if name not in exchanges:
        raise Refused(f"no exchange {name!r}: {', '.join(exchanges)} or all")
    return [exchanges[name]]


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

    def do_GET(self):
        if self.path == "/state":
            self._reply(200, self._state())
        elif self.path == "/faults":
            self._reply(200, faults.ALL)
        else:
            self._reply(404, {"error": "try /state or /faults"})

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
