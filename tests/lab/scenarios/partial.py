"""web and three peers on one bridge, many TCP connections; for some seconds web gets part of it only.

dark-queue: the bridge swallows what goes out to web of one in four connections, by port as a network card's
hash does it: one receive queue of several stands still. dark-queue-tx: the same for what comes from web: a
transmit queue. dark-size: it swallows large packets to web; they had arrived before and do again. What is not
a queue: path-member: one in four connections of one peer alone (a member of a bundle on that peer's way).
partial-random: three in ten packets to web, by chance. partial-service: all of one service and none of
another (a firewall). partial-mtu: large packets never arrive (a path MTU).
"""
import struct
import threading
import time

from bridged import Bridged, now_ns
from scenarios.dark import IXGBEVF, write_facts
from traffic import HEADER, Server, payload, receive

VARIANTS = {
    "dark-queue": {"plot": "queue"},
    "dark-queue-tx": {"plot": "queue-tx"},
    "dark-size": {"plot": "size"},
    "path-member": {"plot": "member"},
    "partial-random": {"plot": "random"},
    "partial-service": {"plot": "service"},
    "partial-mtu": {"plot": "mtu"},
}

HOSTS = {"web": 5, "db": 6, "app": 7, "job": 8}
PEERS = ("db", "app", "job")
LASTS = 7
EACH = 7
FIRST = 41000     # their ports count up: one in four is on the queue
ON_QUEUE = 1      # port & 3
NEVER = ("mac-mismatch", "l2-asymmetric", "arp-unanswered", "arp-conflict", "firewall-drop", "host-drop",
         "clock-step", "capture-loss", "injected-segment", "pmtu-blackhole", "host-dark", "path-partial")


class Talk:
    """One connection that asks again and again; what it asks is small, large or both in turn."""

    def __init__(self, net, name, port, service, sizes, every):
        self.net, self.name, self.sizes, self.every = net, name, sizes, every
        self.stopping = threading.Event()
        self.end = net.hosts[name].socket()
        self.end.settimeout(20)
        self.end.setsockopt(1, 2, 1)  # SOL_SOCKET, SO_REUSEADDR
        self.end.bind((net.ip[name], port))
        self.end.connect((net.ip["web"], service))
        self.thread = threading.Thread(target=self._ask, daemon=True)
        self.thread.start()

    def _ask(self):
        with self.end:
            number = 0
            while not self.stopping.wait(self.every):
                up = self.sizes[number % len(self.sizes)]
                number += 1
                try:
                    self.end.sendall(HEADER.pack(up, 60) + payload(up))
                    receive(self.end, 60)
                except OSError:
                    self.end.setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER
                    return

    def stop(self):
        self.stopping.set()
        self.thread.join()


def swallow(net, plot):
    hashed = f"tcp sport & 3 == {ON_QUEUE}"
    if plot == "queue":
        net.swallow("web", "out", hashed)
    elif plot == "queue-tx":
        net.swallow("web", "in", hashed.replace("sport", "dport"))
    elif plot in ("size", "mtu"):
        net.swallow("web", "out", "ip length > 700")
    elif plot == "member":
        net.swallow("db", "in", hashed)
    elif plot == "random":
        net.swallow("web", "out", "meta l4proto tcp numgen random mod 10 < 3")
    else:
        net.swallow("web", "out", "tcp dport 8001")


def release(net):
    for name, way in (("web", "out"), ("web", "in"), ("db", "in")):
        net.pass_all(name, way)


def count_of(plot, name):
    """Connections of a peer to one service."""
    if plot == "member":
        return 14 if name == "db" else 2
    return 4 if plot == "service" else EACH


def run(place, out, plot):
    net = Bridged(place, HOSTS)
    sizes = [[40]] if plot not in ("size", "mtu") else [[40], [40], [40, 1200], [1200]]
    services = (8000, 8001) if plot == "service" else (8000,)
    listening = [Server(net.hosts["web"], net.ip["web"], service) for service in services]
    net.capture(out)
    if plot == "mtu":
        swallow(net, plot)
    talks = []
    for service in services:
        for name in PEERS:
            for n in range(count_of(plot, name)):
                port = FIRST + 100 * services.index(service) + n
                talks.append(Talk(net, name, port, service, sizes[n % len(sizes)], 0.7))
                time.sleep(0.02)
    time.sleep(2.5)
    if plot != "mtu":
        swallow(net, plot)
    began = now_ns()
    time.sleep(LASTS)
    ended = now_ns()
    if plot != "mtu":
        release(net)
    time.sleep(7)
    if plot == "mtu":
        release(net)
    for talk in talks:
        talk.stop()
    for server in listening:
        server.stop()
    if plot == "queue":
        write_facts(out, "web", IXGBEVF)
    place.stop_captures()
    return truth(net, plot, began, ended)


def truth(net, plot, began, ended):
    inputs = [{"name": name, "file": name + ".pcap"} for name in HOSTS]
    each = count_of(plot, "db")
    on_queue = len([n for n in range(each) if (FIRST + n) & 3 == ON_QUEUE])
    windows = [{"at_ns": (began + ended) // 2, "within_ns": 0}, {"at_ns": began, "within_ns": 2 * 10**9},
               {"at_ns": ended, "within_ns": 4 * 10**9}]
    dark = {"kind": "host-dark", "host": "web", "count": 1, "window_at": windows}
    expected = []
    if plot in ("queue", "queue-tx"):
        expected = [{**dark, "detail": {"partial": "queue", "direction": "rx" if plot == "queue" else "tx",
                                        "flows": 3 * on_queue, "flows_on": 3 * (each - on_queue), "peers": 3}}]
        if plot == "queue":
            expected[0]["cause"] = "advisory"
    elif plot == "size":
        expected = [{**dark, "detail": {"partial": "size", "direction": "rx", "peers": 3}}]
    elif plot == "member":
        expected = [{"kind": "path-partial", "from": "db", "to": "web", "count": 1, "window_at": windows,
                     "detail": {"flows": on_queue, "flows_on": each - on_queue}}]
    elif plot == "mtu":
        expected = [{"kind": "pmtu-blackhole", "from": name, "to": "web"} for name in PEERS]
    named = {entry["kind"] for entry in expected}
    return {"": {"inputs": inputs, "findings": {
        "expected": expected, "forbidden": [{"kind": kind} for kind in NEVER if kind not in named]},
        "counters": {name: value[0] for name, value in net.fabric.counters().items() if value[0]}}}
