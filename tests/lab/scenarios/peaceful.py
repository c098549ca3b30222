"""What looks like a fault below TCP and is none.

reboot: web's interface goes down, its capture ends; ten seconds later it is back with another boot id in its
facts, a gratuitous ARP (arp_notify), and none of its old connections. dhcp-renewal: web has its address from a
real server (busybox udhcpd) for some seconds; its client (udhcpc -a) probes it before use, announces it, and
renews it in time. dhcp-change: the lease is released, and the server gives another address; web goes on under
that. nat-skip: a container reaches its neighbour by the host's published port; the answer goes over
the bridge to it directly, without being translated back (bridge traffic does not pass netfilter): another MAC,
another address, and the connection fails. bonded: db has two links and one address, as a bond in mode
balance-alb: some peers are told the second link's MAC by ARP, to another it sends from that MAC although ARP names
the first. This kernel has no bonding: a program stands for the driver, and does what it does to frames.
"""
import os
import select
import signal
import socket
import struct
import tempfile
import threading
import time

from bridged import Bridged, Chatter, now_ns
from scenarios.dark import write_facts
from traffic import Client, Server

VARIANTS = {
    "reboot": {"plot": "reboot"},
    "dhcp-renewal": {"plot": "renewal"},
    "dhcp-change": {"plot": "change"},
    "nat-skip": {"plot": "skip"},
    "bonded": {"plot": "bond"},
}

NEVER = ("mac-mismatch", "arp-conflict", "arp-unanswered", "host-dark", "path-partial", "firewall-drop", "host-drop",
         "injected-segment", "modified-in-path", "capture-loss", "clock-step", "syn-lost", "synack-lost",
         "handshake-ack-lost", "asymmetric-loss", "symmetric-loss", "pmtu-blackhole", "eni-not-host", "duplication",
         "reordering")
QUIET = ("reset", "refused", "l2-asymmetric", "advisory")


def truth(names, *allowed, expected=(), more=()):
    inputs = [{"name": name, "file": name + ".pcap"} for name in names] + list(more)
    return {"": {"inputs": inputs, "findings": {
        "expected": list(expected), "forbidden": [{"kind": kind} for kind in NEVER + QUIET if kind not in allowed]}}}


class Ticker:
    """A TCP connection with a request every so often, for as long as it lasts."""

    def __init__(self, net, name, server):
        self.over = threading.Event()
        self.client = Client(net.hosts[name], net.ip[server])
        self.thread = threading.Thread(target=self.client.converse, args=([(20, 60)], 0.4, self.over), daemon=True)
        self.thread.start()

    def stop(self):
        self.over.set()
        self.thread.join()


class Mortal(Server):
    """A server whose connections can be ended as a reboot ends them."""

    def __init__(self, *args):
        self.connections = []
        super().__init__(*args)

    def _answer(self, connection, peer):
        self.connections.append(connection)
        super()._answer(connection, peer)

    def die(self):
        for connection in self.connections:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.stop()


def reboot(place, out):
    others = ("db", "app", "job")
    net = Bridged(place, {"web": 5, "db": 6, "app": 7, "job": 8})
    web = net.hosts["web"]
    net.capture(out)
    boot = now_ns()
    talks = [Chatter(net, "web", others, every=0.4), Chatter(net, "db", ["app"], every=0.5, port=9)]
    server = Mortal(web, net.ip["web"])
    ticks = [Ticker(net, name, "web") for name in others]
    time.sleep(4)
    place.captures.pop(0).stop()
    web.run("ip", "link", "set", "eth0", "down")
    server.die()  # nobody hears it: there is no link
    if web.open_connections():
        raise RuntimeError("a connection outlives the reboot")
    time.sleep(10)
    web.sysctl("net.ipv4.conf.eth0.arp_notify", 1)
    web.run("ip", "link", "set", "eth0", "up")
    back = now_ns()
    place.capture(web, "eth0", os.path.join(out, "web2.pcap"), snaplen=128)
    server = Server(web, net.ip["web"])
    for tick in ticks:
        tick.stop()
    ticks = [Ticker(net, name, "web") for name in others]
    time.sleep(4)
    for one in ticks + talks:
        one.stop()
    server.stop()
    write_facts(out, "web", (("host.boot_id", "5d2c7f0a-0b41-4d9e-9d11-6a0e6a6f1f01", boot),
                             ("host.boot_id", "0f6e5a2b-7c3d-4e8f-8a21-3b7d5c9e2a02", back)))
    place.stop_captures()
    return truth(net.hosts, "reset", "refused", more=[{"name": "web", "file": "web2.pcap"}])


UDHCPC = """#!/bin/sh
case $1 in
deconfig) ip address flush dev $interface ;;
bound)
	ip address flush dev $interface
	ip address add $ip/24 dev $interface
	busybox arping -q -U -c 2 -I $interface $ip & ;;
esac
"""


def udhcpd(place, host, folder, address, mac):
    """A server that gives this one address, ten seconds at a time."""
    conf = os.path.join(folder, "udhcpd.conf")
    with open(conf, "w") as file:
        file.write(f"start {address}\nend {address}\ninterface eth0\nmax_leases 1\nauto_time 0\nmin_lease 5\n"
                   f"lease_file {folder}/leases.{address}\npidfile {folder}/pid.{address}\n"
                   f"option subnet 255.255.255.0\noption lease 10\nstatic_lease {mac} {address}\n")
    open(f"{folder}/leases.{address}", "w").close()
    return host.popen("busybox", "udhcpd", "-f", conf)


def ask_db(net, stopping):
    """web asks db by UDP from whatever address it has."""
    while not stopping.wait(0.3):
        with net.hosts["web"].socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.settimeout(0.2)
            try:
                end.sendto(b"anybody there?", (net.ip["db"], 7))
                end.recv(2048)
            except OSError:
                continue


def wait_for(host, address, limit=15):
    end = time.monotonic() + limit
    while f"inet {address}/" not in host.run("ip", "address", "show", "dev", "eth0"):
        if time.monotonic() > end:
            raise RuntimeError(f"no lease of {address}")
        time.sleep(0.1)


def dhcp(place, out, change):
    net = Bridged(place, {"web": 5, "db": 6, "dhcp": 2})
    web, first, second = net.hosts["web"], "10.4.0.50", "10.4.0.60"
    web.run("ip", "address", "flush", "dev", "eth0")
    net.capture(out)
    stopping = threading.Event()
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "script")
        with open(script, "w") as file:
            file.write(UDHCPC)
        os.chmod(script, 0o755)
        server = udhcpd(place, net.hosts["dhcp"], folder, first, net.mac["web"])
        client = web.popen("busybox", "udhcpc", "-f", "-a", "-i", "eth0", "-s", script, "-A", "1", "-t", "5")
        wait_for(web, first)
        talks = [Chatter(net, "db", ["dhcp"])]
        asking = threading.Thread(target=ask_db, args=(net, stopping), daemon=True)
        asking.start()
        time.sleep(3 if change else 24)
        if change:
            server.terminate()
            server.wait()
            server = udhcpd(place, net.hosts["dhcp"], folder, second, net.mac["web"])
            client.send_signal(signal.SIGUSR2)  # releases the lease
            time.sleep(1)
            client.send_signal(signal.SIGUSR1)  # asks for another
            wait_for(web, second)
            time.sleep(4)
        stopping.set()
        asking.join()
        for talk in talks:
            talk.stop()
        client.terminate()
        server.terminate()
        client.wait()
        server.wait()
    place.stop_captures()
    return truth(net.hosts)


def skip(place, out):
    """c1 and c2 behind host's bridge; host publishes c1's port 80 as its own 8080."""
    host = place.host("host")
    host.run("ip", "link", "add", "docker0", "type", "bridge", "mcast_snooping", "0")
    host.run("ip", "link", "set", "docker0", "address", "02:42:00:00:00:01")
    host.run("ip", "link", "set", "docker0", "up")
    host.address("docker0", "172.17.0.1/16")
    host.address("lo", "203.0.113.7/32")
    host.sysctl("net.ipv4.ip_forward", 1)
    if os.path.exists("/proc/sys/net/bridge"):
        host.sysctl("net.bridge.bridge-nf-call-iptables", 0)
    ends = {}
    for name, number in (("c1", 2), ("c2", 3), ("c3", 4)):
        ends[name] = place.host(name)
        place.wire(ends[name], "eth0", host, name, mac_a=f"02:42:ac:11:00:{number:02x}")
        ends[name].address("eth0", f"172.17.0.{number}/16")
        ends[name].route("default", "172.17.0.1")
        ends[name].offload("eth0", "off", "tx", "tso", "gso", "gro")
        host.run("ip", "link", "set", name, "master", "docker0")
    host.nft("table ip nat {\n chain prerouting {\n type nat hook prerouting priority -100\n"
             " ip daddr 203.0.113.7 tcp dport 8080 dnat to 172.17.0.2:80\n }\n}\n")
    for name in ("c1", "c2"):
        place.capture(ends[name], "eth0", os.path.join(out, name + ".pcap"), snaplen=128)
    server = Server(ends["c1"], "172.17.0.2", 80)
    # c3 does it right: it asks c1 by its own address.
    well = Client(ends["c3"], "172.17.0.2", 80)
    for _ in range(3):
        well.converse([(180, 1200)] * 3, pause=0.1)
        with ends["c2"].socket() as end:
            end.settimeout(0.8)
            try:
                end.connect(("203.0.113.7", 8080))
                raise RuntimeError("connected although the answer was not translated")
            except OSError:
                pass
    server.stop()
    place.stop_captures()
    return truth(("c1", "c2"), "reset", "refused", "l2-asymmetric", expected=[
        {"kind": "reply-untranslated", "from": "c1", "to": "c2", "count": 3,
         "detail": {"asked": "203.0.113.7:8080", "answered": "172.17.0.2:80", "refused": 3}}])


class Bond(threading.Thread):
    """Between bond0 and its two links. One peer is told the second MAC by ARP and uses that link both ways;
    another gets frames from the second MAC, though ARP told it the first (transmit balancing)."""

    def __init__(self, host, first, second, told, balanced):
        super().__init__(daemon=True)
        self.first, self.second = (bytes.fromhex(mac.replace(":", "")) for mac in (first, second))
        self.told, self.balanced = (socket.inet_aton(ip) for ip in (told, balanced))
        self.ports = {}
        for name in ("bond", "s0", "s1"):
            raw = host.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            raw.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
            raw.bind((name, 3))
            self.ports[name] = raw
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            for raw in select.select(list(self.ports.values()), [], [], 0.05)[0]:
                frame = raw.recv(65536)
                if raw is self.ports["bond"]:
                    self.send(frame)
                else:
                    self.receive(frame, raw is self.ports["s1"])

    def send(self, frame):
        arp = frame[12:14] == b"\x08\x06"
        peer = frame[38:42] if arp else frame[30:34]
        if peer == self.told or (peer == self.balanced and not arp):
            frame = frame[:6] + self.second + frame[12:]
            if arp:
                frame = frame[:22] + self.second + frame[28:]
            self.ports["s1"].send(frame)
        else:
            self.ports["s0"].send(frame)

    def receive(self, frame, second):
        if second and frame[0] & 1:
            return  # the first link has it too
        if frame[:6] == self.second:
            frame = self.first + frame[6:]
        self.ports["bond"].send(frame)


def bond(place, out):
    net = Bridged(place, {"app": 7, "job": 8, "mon": 9})
    db, lag = place.host("db"), place.host("lag")
    first, second = "52:54:00:04:00:06", "52:54:00:04:01:06"
    place.wire(db, "bond0", lag, "bond", mac_a=first)
    db.address("bond0", "10.4.0.6/24")
    db.offload("bond0", "off", "tx", "tso", "gso", "gro")
    for name in ("s0", "s1"):
        place.wire(lag, name, net.fabric, "db-" + name)
        net.fabric.run("ip", "link", "set", "dev", "db-" + name, "master", "br0")
    driver = Bond(lag, first, second, told=net.ip["app"], balanced=net.ip["job"])
    driver.start()
    net.hosts["db"], net.ip["db"] = db, "10.4.0.6"
    net.capture(out, "app", "job")
    place.capture(db, "bond0", os.path.join(out, "db.pcap"), snaplen=128)
    server = Server(db, net.ip["db"])
    for name in ("app", "job", "mon"):
        Client(net.hosts[name], net.ip["db"]).mix([[(180, 1200)] * 3] * 3, stagger=0.1, linger=1.0)
    server.stop()
    place.quiet(db, *(net.hosts[name] for name in ("app", "job", "mon")))
    place.stop_captures()
    driver.stopping.set()
    driver.join()
    return truth(("app", "job", "db"), "l2-asymmetric")


def run(place, out, plot):
    if plot in ("renewal", "change"):
        return dhcp(place, out, plot == "change")
    return {"reboot": reboot, "skip": skip, "bond": bond}[plot](place, out)
