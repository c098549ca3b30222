"""Traffic of real stacks between hosts of a world, on threads of this process.

Every datagram carries a text of its own, so that a frame anywhere can be recognised.
"""
import itertools
import os
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

from fault import BUSY_PORT  # noqa: E402
from traffic import HEADER, Server, payload, receive  # noqa: E402

UDP_PORT, DNS_PORT, STREAM_PORT, CLOSED_PORT = 5000, 53, 5004, 8099
IPPROTO_MPTCP = 262
CONNECT_S = 1.2  # shorter than a second SYN and its answer take to give up


class Talk:
    """All traffic of a world: start(), then stop()."""

    def __init__(self, net, spec):
        self.net, self.spec = net, spec
        self.family = socket.AF_INET6 if net.six else socket.AF_INET
        self.numbers = itertools.count(1)
        self.stopping, self.closing = threading.Event(), threading.Event()
        self.threads, self.servers = [], []
        wanted = {(item["server"], item["port"]) for item in spec["traffic"]}
        if net.virtual:
            wanted = {(name, port) for name in spec["topology"]["servers"] for _, port in wanted}
        for name, port in sorted(wanted):
            self.servers.append(Server(net.nodes[name], "::" if net.six else "0.0.0.0", port, self.family))
        for name in sorted({name for name, _ in wanted}):
            for port in (UDP_PORT, DNS_PORT, STREAM_PORT):
                self.thread(self.answer, name, port)

    def thread(self, function, *args):
        thread = threading.Thread(target=function, args=args, daemon=True)
        thread.start()
        self.threads.append(thread)

    def start(self):
        for item in self.spec["traffic"]:
            self.thread(self.play, item)

    def play(self, item):
        if self.stopping.wait(item.get("at", 0)):
            return
        try:
            getattr(self, item["kind"].replace("-", "_"))(item, self.net.target(item["server"]))
        except OSError:
            pass  # a fault may break anything; what it broke is read from the counters

    def stop(self):
        """No new requests; what is open stays open."""
        self.stopping.set()

    def close(self):
        self.stopping.set()
        self.closing.set()
        for server in self.servers:
            server.stopping.set()

    # Datagrams

    def datagram_socket(self, name):
        end = self.net.nodes[name].socket(self.family, socket.SOCK_DGRAM)
        end.settimeout(0.1)
        return end

    def text(self, size):
        return (b"%08d %d;" % (next(self.numbers), time.time_ns())).ljust(size, b".")

    def answer(self, name, port):
        """Echo what is asked; a stream is only listened to."""
        end = self.datagram_socket(name)
        end.bind(("::" if self.net.six else "0.0.0.0", port))
        while not self.closing.is_set():
            try:
                data, peer = end.recvfrom(2048)
                if port != STREAM_PORT:
                    end.sendto(b"re: " + data, peer)
            except OSError:
                continue

    def udp_ask(self, item, target):
        end = self.datagram_socket(item["client"])
        while not self.stopping.is_set():
            end.sendto(self.text(item["size"]), (target, UDP_PORT))
            try:
                end.recv(2048)
            except OSError:
                pass
            time.sleep(item["every_ms"] / 1000)

    def dns(self, item, target):
        for _ in range(item["many"]):
            if self.stopping.is_set():
                return
            with self.datagram_socket(item["client"]) as end:
                end.sendto(self.text(40), (target, DNS_PORT))
                try:
                    end.recv(2048)
                except OSError:
                    pass
            time.sleep(0.02)

    def udp_stream(self, item, target):
        end = self.datagram_socket(item["client"])
        while not self.stopping.wait(item["every_ms"] / 1000):
            end.sendto(self.text(item["size"]), (target, STREAM_PORT))

    def ping(self, item, target):
        self.net.nodes[item["client"]].popen(
            "ping", "-n", "-q", "-i", str(item["every_ms"] / 1000), "-s", str(item["size"]),
            "-w", "20", target, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    # Connections

    def connect(self, item, target, protocol=0):
        end = self.net.nodes[item["client"]].socket(self.family, socket.SOCK_STREAM, protocol)
        end.settimeout(CONNECT_S)
        end.connect((target, item["port"]))
        end.settimeout(10)
        return end

    def request(self, end, up, down):
        end.sendall(HEADER.pack(up, down) + payload(up, 8 * next(self.numbers)))
        receive(end, down)

    def ticker(self, item, target):
        """A small request ten times a second, to the very end of the captures."""
        while not self.closing.is_set():
            try:
                with self.connect(item, target) as end:
                    while not self.closing.wait(0.1):
                        self.request(end, 20, 60)
            except OSError:
                time.sleep(0.1)

    def bulk(self, item, target):
        with self.connect(item, target) as end:
            self.request(end, item["up"], item["down"])

    def short(self, item, target):
        for _ in range(item["many"]):
            if self.stopping.is_set():
                return
            try:
                with self.connect(item, target) as end:
                    self.request(end, item["up"], item["down"])
            except TimeoutError:
                pass
            time.sleep(0.01)

    def keep_alive(self, item, target):
        with self.connect(item, target) as end:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 1)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 1)
            self.request(end, 100, 100)
            self.closing.wait()

    def mptcp(self, item, target):
        with self.connect(item, target, IPPROTO_MPTCP) as end:
            self.request(end, item["up"], item["down"])

    def closed(self, item, target):
        """A port on which nobody listens."""
        for _ in range(item["many"]):
            with self.net.nodes[item["client"]].socket(self.family, socket.SOCK_STREAM) as end:
                end.settimeout(CONNECT_S)
                end.connect_ex((target, CLOSED_PORT))
            time.sleep(0.05)

    def busy(self, item, target):
        """More connections than a listener's queue holds, each with a request that nobody reads."""
        ends = []
        for _ in range(item["many"]):
            end = self.net.nodes[item["client"]].socket(self.family, socket.SOCK_STREAM)
            end.setblocking(False)
            end.connect_ex((target, BUSY_PORT))
            ends.append(end)
            time.sleep(0.02)
        for end in ends:
            try:
                end.send(payload(200))
            except OSError:
                pass  # its handshake was not answered
        self.closing.wait()

    def idle(self, item, target):
        """Connections that pause for longer than a forgetful firewall remembers them."""
        ends = []
        for _ in range(item["many"]):
            ends.append(self.connect(item, target))
            self.request(ends[-1], 100, 300)
        self.stopping.wait(item["pause"])
        for end in ends:
            end.sendall(HEADER.pack(100, 300) + payload(100))
        self.closing.wait()
