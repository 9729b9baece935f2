"""A proxy that stands between two of our programs and keeps every byte that
crosses it: what the parent instance could see.
"""

import contextlib
import os
import socket
import threading

CHUNK = 65536


class Recorder:
    """Listens at `listen` and passes all on to `target`; both are a TCP port
    of 127.0.0.1 (int) or the path of a Unix socket."""

    def __init__(self, target, listen=0):
        self.sent, self.received = bytearray(), bytearray()
        self._target = target
        self._listener = self._listen(listen)
        self.port = (self._listener.getsockname()[1]
                     if isinstance(listen, int) else None)
        threading.Thread(target=self._accept, daemon=True).start()

    @staticmethod
    def _listen(where):
        if isinstance(where, int):
            return socket.create_server(("127.0.0.1", where))
        with contextlib.suppress(FileNotFoundError):
            os.unlink(where)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(where))
        listener.listen(64)
        return listener

    def _connect(self):
        if isinstance(self._target, int):
            return socket.create_connection(("127.0.0.1", self._target))
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(self._target))
        return sock

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(near,),
                                 daemon=True).start()

    def _relay(self, near):
        with near, contextlib.suppress(OSError):
            with self._connect() as far:
                back = threading.Thread(target=self._pump, daemon=True,
                                        args=(far, near, self.received))
                back.start()
                self._pump(near, far, self.sent)
                back.join()

    @staticmethod
    def _pump(source, sink, record):
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK):
                record += data
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        self._listener.close()
