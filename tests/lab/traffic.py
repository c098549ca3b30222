"""TCP conversations between two hosts of the lab, on threads of this process.

A conversation is a list of requests, each (bytes up, bytes down); the client sends a
header that announces both, then its bytes, and reads the answer. One slow ticker spans
the whole time, so that every second of every capture has something in it.
"""
import socket
import struct
import threading
import time

HEADER = struct.Struct("!II")
LIMIT_S = 25.0
CHUNK = 16384
JUDGED_S = 2.2  # what has not arrived after delay_max_s (2) counts as not arrived

# Bulk both ways and short requests, at the same time: some 2000 segments.
MIX = ([[(200, 280_000)]] * 4 + [[(130_000, 200)]] * 2 + [[(60_000, 60_000)]]
       + [[(180, 1200)] * 4] * 14)


def payload(size, start=0):
    """Bytes that tell where in the stream they are: distinct, yet they compress."""
    first = start // 8
    text = b"".join(b"%07d\n" % (n % 10**7) for n in range(first, first + size // 8 + 2))
    return text[start % 8:start % 8 + size]


def receive(connection, size):
    while size:
        part = connection.recv(min(size, CHUNK))
        if not part:
            raise ConnectionError("closed before the end")
        size -= len(part)


class Server:
    """Answers conversations at (address, port) of a host until stopped."""

    def __init__(self, host, address, port=8000, family=socket.AF_INET):
        self.peers = {}  # the client's own port, by the port seen here (NAT)
        self.threads = []
        self.stopping = threading.Event()
        self.listener = host.socket(family, socket.SOCK_STREAM)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.listener.listen(128)
        self.listener.settimeout(0.1)
        self.accepting = threading.Thread(target=self._accept, daemon=True)
        self.accepting.start()

    def _accept(self):
        while not self.stopping.is_set():
            try:
                connection, peer = self.listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(LIMIT_S)
            thread = threading.Thread(target=self._answer, args=(connection, peer), daemon=True)
            self.threads.append(thread)
            thread.start()
        self.listener.close()

    def _answer(self, connection, peer):
        with connection:
            try:
                while header := connection.recv(HEADER.size, socket.MSG_WAITALL):
                    up, down = HEADER.unpack(header)
                    receive(connection, up)
                    connection.sendall(payload(down))
            except OSError:
                # Scenarios that reset or starve a connection see to their own truth.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))

    def stop(self):
        self.stopping.set()
        self.accepting.join()
        for thread in self.threads:
            thread.join(LIMIT_S)


class Client:
    def __init__(self, host, address, port=8000, family=socket.AF_INET, pause=0.0):
        self.host, self.target, self.family, self.pause = host, (address, port), family, pause
        self.failures = []
        self.flows = 0

    def converse(self, requests, pause=0.0, until=None):
        """One connection; with `until`, its requests are repeated until that event."""
        self.flows += 1
        try:
            connection = self.host.socket(self.family, socket.SOCK_STREAM)
            with connection:
                connection.settimeout(LIMIT_S)
                connection.connect(self.target)
                while True:
                    for up, down in requests:
                        connection.sendall(HEADER.pack(up, down) + payload(up))
                        receive(connection, down)
                        time.sleep(pause)
                    if until is None or until.is_set():
                        return
        except OSError as error:
            self.failures.append(error)

    def mix(self, conversations=None, stagger=0.02, linger=0.5, before=0.3, calm=None):
        """Run conversations side by side under a ticker that starts before and ends after.

        calm() ends what chance does to packets. The captures then go on for long enough that
        nothing lost before may still be on its way as far as an analyzer can know.
        """
        conversations = MIX if conversations is None else conversations
        over = threading.Event()
        ticker = threading.Thread(target=self.converse, args=([(20, 60)], 0.1, over), daemon=True)
        ticker.start()
        time.sleep(before)
        threads = []
        for requests in conversations:
            thread = threading.Thread(target=self.converse, args=(requests, self.pause), daemon=True)
            thread.start()
            threads.append(thread)
            time.sleep(stagger)
        for thread in threads:
            thread.join()
        if calm:
            calm()
        time.sleep(JUDGED_S if calm else linger)
        over.set()
        ticker.join()
        if self.failures:
            raise RuntimeError(f"conversations failed: {self.failures[0]!r}")
