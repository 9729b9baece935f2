"""One simulated exchange over TLS: HTTP/1.1, kept-alive connections, a thread
for each, and the faults that happen on the connection itself.

A change of fault closes the connections there are, so that the next request
meets it from the handshake on.
"""

import contextlib
import http.server
import select
import socket
import socketserver
import ssl
import struct
import threading
import time

import faults
from exchange import Row, text

HANDSHAKE_S = 10
IDLE_S = 90
PLAIN = (b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
         b"Connection: close\r\n\r\n")
NO_HTTP = b"SSH-2.0-simulator\r\n\x00\x01\x02\r\n\r\n"
ENDLESS_HEAD = (b"HTTP/1.1 200 OK\r\n"
                + b"".join(b"X-%05d: %s\r\n" % (i, b"x" * 100)
                           for i in range(2000)))
RESET = struct.pack("ii", 1, 0)     # SO_LINGER: no FIN, but RST


def tls_context(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(pem)
    # A resumed session would hide a change of certificate.
    context.options |= ssl.OP_NO_TICKET
    context.num_tickets = 0
    return context


class ExchangeServer(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, exchange, market, certificates, port=0):
        super().__init__(("127.0.0.1", port), Connection)
        self.exchange, self.market = exchange, market
        self.contexts = {fault: tls_context(pem)
                         for fault, pem in certificates.items()}
        self.port = self.server_address[1]
        self.fault, self.retry_after = "none", 0
        self.requests = self.connections = 0
        self.headers = {}   # of the last request
        self._frozen = {}
        self._open = set()
        self._lock = threading.Lock()

    def start(self):
        """Serves from a thread of its own until the process ends."""
        threading.Thread(target=self.serve_forever, args=(0.1,),
                         daemon=True).start()

    def set_fault(self, fault, retry_after=2):
        with self._lock:
            self.fault, self.retry_after = fault, retry_after
            self._frozen = {}
            for sock in self._open:
                with contextlib.suppress(OSError):
                    # Not SSLSocket.shutdown: that would take the TLS state
                    # away from the thread that reads.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def state(self):
        return {"host": self.exchange.host, "port": self.port,
                "fault": self.fault, "requests": self.requests,
                "connections": self.connections, "open": len(self._open),
                "headers": self.headers}

    def answer(self, target, headers):
        """What this request gets, and the fault it is due to."""
        with self._lock:
            self.requests += 1
            self.headers = dict(headers)
            return self.fault, self._answer_by(self.fault, target, headers)

    def _answer_by(self, fault, target, headers):
        replaced = (faults.answer(self.exchange.name, fault, self.retry_after)
                    or self.exchange.refusal(headers))
        if replaced is not None:
            return replaced
        ask = self.exchange.asked(target)
        if ask is None:
            return faults.NOT_FOUND
        names = [name for name in ask.names if name in self.exchange.symbols]
        if (not names or fault == "unknown_symbol" or
                (len(names) < len(ask.names) and
                 not self.exchange.skips_unknown)):
            return self.exchange.unknown(ask)
        if fault != "frozen" or target not in self._frozen:
            self._frozen[target] = self._good(fault, ask.form, names)
        return self._frozen[target]

    def _good(self, fault, form, names):
        if fault == "wrong_symbol":
            names = [self.exchange.other(names)]
        rows = [self._row(fault, name) for name in sorted(names)]
        prices = [text(price, row.symbol) for row in rows
                  for price in row.quote[:3]]
        return faults.change_answer(fault, self.exchange.ok(form, rows),
                                    prices)

    def _row(self, fault, name):
        symbol = self.exchange.symbols[name]
        quote = self.market.quote(symbol.asset,
                                  self.exchange.currency(symbol))
        return Row(name, symbol, faults.change_quote(fault, quote))

    # ---- one connection, called by socketserver in its own thread ----

    def finish_request(self, request, client_address):
        self.connections += 1
        if self.fault == "no_tls":
            request.sendall(PLAIN)
        elif self.fault != "close":
            with self._secured(request) as sock:
                Connection(sock, client_address, self)

    @contextlib.contextmanager
    def _secured(self, raw):
        with self._lock:
            context = self.contexts.get(self.fault, self.contexts[""])
            sock = context.wrap_socket(raw, server_side=True,
                                       do_handshake_on_connect=False)
            self._open.add(sock)
        try:
            sock.settimeout(HANDSHAKE_S)
            sock.do_handshake()
            sock.settimeout(IDLE_S)
            yield sock
        finally:
            with self._lock:
                self._open.discard(sock)
            sock.close()

    def handle_error(self, request, client_address):
        """A client that leaves or refuses our certificate is no news."""


# What is sent of an answer before the connection ends.
BROKEN = {"truncated": lambda whole: whole[:-40],
          "reset": lambda whole: b"",
          "no_http": lambda whole: NO_HTTP,
          "endless_head": lambda whole: ENDLESS_HEAD}


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Quiet: GET /state of the control endpoint has the counts."""

    def do_GET(self):
        fault, answer = self.server.answer(self.path, self.headers)
        if fault in ("hang", "slow"):
            answer = answer._replace(chunked=False)
            self._drag_on(fault, self._head(answer) + answer.body)
        elif fault in BROKEN:
            answer = answer._replace(chunked=False)
            self._break_off(fault, self._head(answer) + answer.body)
        else:
            ahead = faults.DATE_OFF_S if fault == "wrong_date" else 0
            self.wfile.write(self._head(answer, ahead) + self._body(answer))

    def _break_off(self, fault, whole):
        self.close_connection = True
        if fault == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                       RESET)
        self.wfile.write(BROKEN[fault](whole))

    def _drag_on(self, fault, whole):
        self.close_connection = True
        for byte in whole:
            if fault == "slow":
                self.wfile.write(bytes([byte]))
            if self._gone_within(1):
                return

    def _gone_within(self, seconds):
        """Waits; True if the client, or a change of fault, ended this."""
        return bool(select.select([self.connection], [], [], seconds)[0])

    def _head(self, answer, ahead_s=0):
        reason = self.responses.get(answer.status, ("Unknown",))[0]
        date = self.date_time_string(time.time() + ahead_s)
        lines = [f"HTTP/1.1 {answer.status} {reason}", f"Date: {date}",
                 "Server: simulator",
                 "Connection: keep-alive", "Cache-Control: no-cache"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        lines.append("Transfer-Encoding: chunked" if answer.chunked
                     else f"Content-Length: {len(answer.body)}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    @staticmethod
    def _body(answer):
        if not answer.chunked:
            return answer.body
        half = len(answer.body) // 2
        chunks = (answer.body[:half], answer.body[half:], b"")
        return b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk)
                        for chunk in chunks)
