"""What a user of Hallmark needs: GET, a stream of events, an item's fields."""

import contextlib
import http.client
import json
import socket
import threading
import urllib.error
import urllib.request

TIMEOUT_S = 10


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


def request(url, method="GET", body=None, headers=()):
    """The reply, whatever its status; OSError if there is none."""
    req = urllib.request.Request(url, data=body, method=method,
                                 headers=dict(headers))
    try:
        with urllib.request.urlopen(req, timeout=TIMEOUT_S) as reply:
            return Reply(reply.status, reply.headers, reply.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.headers, error.read())
    except http.client.HTTPException as error:
        raise OSError(f"{url}: {error!r}") from error


def ready(url):
    try:
        return request(url).status == 200
    except OSError:
        return False


def why_not(url):
    try:
        return request(url).body.decode(errors="replace")
    except OSError as error:
        return f"nothing ({error})"


def content_of(envelope):
    """The signed content of an item (a dict), parsed."""
    return json.loads(envelope["content"])


def sources_of(envelope):
    return {source["exchange"]: source
            for source in content_of(envelope)["sources"]}


class Event:
    def __init__(self):
        self.name, self.id, self.data = "message", "", []

    def json(self):
        return json.loads("\n".join(self.data))


def parse_events(lines):
    """Events of text/event-stream lines (WHATWG HTML, 9.2.6)."""
    event = Event()
    for raw in lines:
        line = raw.decode().rstrip("\r\n")
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if event.data:
                yield event
            event = Event()
        elif field == "data":
            event.data.append(value)
        elif field == "event":
            event.name = value
        elif field == "id":
            event.id = value


class Stream(threading.Thread):
    """Collects the events of one connection until it ends."""

    def __init__(self, port, path, last_event_id=None):
        super().__init__(daemon=True)
        self.events, self.closed = [], threading.Event()
        self._connection = http.client.HTTPConnection("127.0.0.1", port)
        headers = {"Accept": "text/event-stream"}
        if last_event_id:
            headers["Last-Event-ID"] = last_event_id
        self._connection.request("GET", path, headers=headers)
        self._socket = self._connection.sock  # the reply takes it over
        self._reply = self._connection.getresponse()
        self.status = self._reply.status
        self.start()

    def run(self):
        # The server may be killed, or we may close it.
        with contextlib.suppress(OSError, http.client.HTTPException):
            for event in parse_events(self._reply):
                self.events.append(event)
        self.closed.set()

    def named(self, *names):
        return [event for event in list(self.events) if event.name in names]

    def close(self):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.closed.wait(TIMEOUT_S)
        self._connection.close()
