#!/usr/bin/env python3
"""A guest's end of vsock connections, in the hands of a test on the host: it
says in lines of JSON what is to be done, on a connection to its port 7000, and
is answered {"is": ...} or {"error": "ECONNRESET"}. Each answer comes before the
next command is read; flow() alone goes on beside.

Sockets are numbers here. Ends when that connection does.
"""

import contextlib
import errno
import hashlib
import json
import random
import socket
import threading

PARENT, CONTROL = 3, 7000
SEEN_S = 60         # a ceiling, emulated
FULL_S = 0.5        # who has taken nothing for so long is full
BLOCK = 1 << 20


def block_of(seed):
    """What is sent again and again: other than what is behind or before it at
    any distance that a lost or doubled piece can have."""
    return random.Random(seed).randbytes(BLOCK)


def send_blocks(sock, seed, count):
    block = block_of(seed)
    for _ in range(count):
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)


def digest_of(sock):
    """Of all that comes, to the end."""
    digest = hashlib.sha256()
    while part := sock.recv(1 << 18):
        digest.update(part)
    return digest.hexdigest()


def fill(sock):
    """Sends until nobody takes it any more: the number of bytes."""
    count = 0
    sock.settimeout(FULL_S)
    with contextlib.suppress(TimeoutError):
        while True:
            count += sock.send(b"x" * 65536)
    sock.settimeout(SEEN_S)
    return count


class Hands:
    def __init__(self):
        self._sockets, self._last, self._flows = {}, 0, {}

    def _keep(self, sock):
        sock.settimeout(SEEN_S)
        self._last += 1
        self._sockets[self._last] = sock
        return self._last

    def dial(self, cid, port, count=1):
        """Their numbers."""
        made = []
        for _ in range(count):
            sock = socket.socket(socket.AF_VSOCK)
            made.append(self._keep(sock))
            sock.connect((cid, port))
        return made

    def listen(self, port, backlog=8):
        sock = socket.socket(socket.AF_VSOCK)
        sock.bind((socket.VMADDR_CID_ANY, port))
        sock.listen(backlog)
        return self._keep(sock)

    def accept(self, number, count=1):
        return [self._keep(self._sockets[number].accept()[0])
                for _ in range(count)]

    def names(self, number):
        """Our address and the other's."""
        sock = self._sockets[number]
        return [sock.getsockname(), sock.getpeername()]

    def send(self, number, text):
        self._sockets[number].sendall(text.encode())

    def fill(self, number):
        return fill(self._sockets[number])

    def receive(self, number):
        """What is there next; "" at the end."""
        return self._sockets[number].recv(65536).decode()

    def receive_all(self, number):
        text = ""
        while part := self.receive(number):
            text += part
        return text

    def shutdown(self, number, how):
        self._sockets[number].shutdown(how)

    def close(self, number):
        self._sockets.pop(number).close()

    def answer_each(self, numbers):
        """One line on each is sent back, and the connection closed."""
        for number in numbers:
            line = ""
            while not line.endswith("\n"):
                line += self.receive(number)
            self.send(number, line)
        for number in numbers:
            self.close(number)

    def flow(self, number, seed, blocks):
        """Sends so many blocks and receives to the end, beside."""
        sock, found = self._sockets[number], []
        threads = [
            threading.Thread(target=send_blocks, args=(sock, seed, blocks)),
            threading.Thread(target=lambda: found.append(digest_of(sock)))]
        for thread in threads:
            thread.start()
        self._flows[number] = (threads, found)

    def flowed(self, number):
        """The digest of what came."""
        threads, found = self._flows.pop(number)
        for thread in threads:
            thread.join(SEEN_S)
        return found[0] if found else None


def _do(hands, asked):
    try:
        return {"is": getattr(hands, asked.pop("do"))(**asked)}
    except TimeoutError:
        return {"error": "TIMEOUT"}
    except OSError as error:
        return {"error": errno.errorcode.get(error.errno, str(error))}


def main():
    hands = Hands()
    with socket.socket(socket.AF_VSOCK) as control:
        control.connect((PARENT, CONTROL))
        lines = control.makefile("rw")
        for line in lines:
            lines.write(json.dumps(_do(hands, json.loads(line))) + "\n")
            lines.flush()


if __name__ == "__main__":
    main()
