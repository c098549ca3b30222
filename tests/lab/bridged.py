"""Hosts on one bridge, whose ports can be made to swallow frames: the tap of a host is
before or behind that, as in a real network.

    fabric br0 -- NAME eth0 (10.4.0.N/24)

A port of the bridge swallows what comes in from its host (the host's tap has it, nobody
else) or what goes out to it (everybody else's tap has it, the host's has not).
"""
import os
import socket
import threading
import time

NETWORK = "10.4.0."
ECHO = 7


class Bridged:
    def __init__(self, place, hosts, mac="52:54:00:04:00:{:02x}"):
        """hosts: {name: last byte of its address}"""
        self.place = place
        self.fabric = place.host("fabric")
        self.fabric.run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
        self.fabric.run("ip", "link", "set", "br0", "up")
        self.hosts, self.ip, self.mac = {}, {}, {}
        for name, number in hosts.items():
            host = self.hosts[name] = place.host(name)
            self.ip[name], self.mac[name] = NETWORK + str(number), mac.format(number)
            place.wire(host, "eth0", self.fabric, name, mac_a=self.mac[name])
            host.address("eth0", self.ip[name] + "/24")
            host.offload("eth0", "off", "tx", "tso", "gso", "gro")
            self.fabric.run("ip", "link", "set", "dev", name, "master", "br0")
        rules = "".join(
            f' counter {n}_{way} {{ }}\n chain {n}_{way} {{ type filter hook {hook} device "{n}" priority 0; }}\n'
            for n in hosts for way, hook in (("in", "ingress"), ("out", "egress")))
        self.fabric.nft("table netdev wire {\n" + rules + "}\n")

    def swallow(self, name, way, match=""):
        """Drop what the port of a host takes in ("in") or puts out ("out"), counted."""
        self.fabric.nft(f"add rule netdev wire {name}_{way} {match} counter name {name}_{way} drop")

    def pass_all(self, name, way):
        self.fabric.nft(f"flush chain netdev wire {name}_{way}")

    def capture(self, out, *names, **options):
        for name in names or self.hosts:
            self.place.capture(self.hosts[name], "eth0", os.path.join(out, name + ".pcap"),
                               snaplen=128, **options)


class Chatter:
    """UDP echo between hosts, each pair a few times a second: always something to hear."""

    def __init__(self, net, server, clients, every=0.2, port=ECHO):
        self.stopping, self.silent = threading.Event(), threading.Event()
        self.socket = net.hosts[server].socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((net.ip[server], port))
        self.socket.settimeout(0.1)
        self.threads = [threading.Thread(target=self._answer, daemon=True)]
        for name in clients:
            end = net.hosts[name].socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.bind((net.ip[name], 40000 + port))
            end.setblocking(False)
            self.threads.append(threading.Thread(
                target=self._ask, args=(end, (net.ip[server], port), every), daemon=True))
        for thread in self.threads:
            thread.start()

    def _answer(self):
        while not self.silent.is_set():
            try:
                data, peer = self.socket.recvfrom(2048)
                self.socket.sendto(data, peer)
            except OSError:
                continue

    def _ask(self, end, server, every):
        number = 0
        while not self.stopping.wait(every):
            number += 1
            try:
                end.sendto(b"anybody there? %d" % number, server)
                while True:
                    end.recv(2048)
            except OSError:
                continue

    def stop(self):
        self.stopping.set()
        for thread in self.threads[1:]:
            thread.join()
        time.sleep(0.2)
        self.silent.set()
        self.threads[0].join()


def now_ns():
    return time.time_ns()
