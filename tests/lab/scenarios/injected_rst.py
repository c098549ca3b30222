"""A third party on the path injects RSTs that neither end has sent.

The router forges a RST from the server to the client in two of the connections, and one
from the client to the server in a third, each with a TTL that no real sender uses here.
The ends react as real stacks do; everything they really sent arrives.
"""
import os
import select
import socket
import struct
import threading

import lab
import pcapfile
import routed
import segments
from scenarios.seq_rewrite import checksum
from traffic import HEADER, payload

VARIANTS = {"injected-rst": {}}

AFTER = 4          # data segments from the server before the forged one
TTL = 201
VICTIMS = (("s2c", 8000), ("s2c", 8000), ("c2s", 8000))


def forged(frame, tcp, toward_client):
    """A RST in sequence, made from a data segment of the server on its way to the client."""
    out = bytearray(frame[:tcp.at_tcp] + bytes(20))
    after = (tcp.seq + tcp.length) % 2**32
    src, dst, sport, dport = tcp.src, tcp.dst, tcp.sport, tcp.dport
    seq, ack = after, tcp.ack
    if not toward_client:
        src, dst, sport, dport = dst, src, dport, sport
        seq, ack = tcp.ack, after
    struct.pack_into("!HHHBBH4s4s", out, 16, 40, 0x1234, 0, TTL, 6, 0, src, dst)
    struct.pack_into("!H", out, 24, checksum(bytes(out[14:34])))
    struct.pack_into("!HHIIBBHHH", out, 34, sport, dport, seq, ack, 5 << 4,
                     pcapfile.RST | pcapfile.ACK, 0, 0, 0)
    pseudo = src + dst + struct.pack("!HH", 6, 20)
    struct.pack_into("!H", out, 50, checksum(pseudo + bytes(out[34:54])))
    return bytes(out)


class Injector(threading.Thread):
    """Watches the router's port to the client for one connection, and strikes once."""

    def __init__(self, router, server_mac, router_mac, client_port, direction):
        super().__init__(daemon=True)
        self.macs = server_mac + router_mac
        self.client_port, self.direction = client_port, direction
        self.watch = router.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.watch.bind(("c0", 3))
        self.exit = self.watch
        if direction == "c2s":
            self.exit = router.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self.exit.bind(("s0", 0))
        self.struck = 0
        self.start()

    def run(self):
        seen = 0
        while select.select([self.watch], [], [], 5.0)[0]:
            frame = self.watch.recv(65536)
            tcp = pcapfile.tcp(pcapfile.Frame(0, len(frame), frame))
            if not tcp or tcp.dport != self.client_port or not tcp.length:
                continue
            seen += 1
            if seen == AFTER:
                rst = forged(frame, tcp, self.direction == "s2c")
                self.exit.send(rst if self.direction == "s2c" else self.macs + rst[12:])
                self.struck = 1
                break
        self.watch.close()
        self.exit.close()


def mac(host, interface):
    words = host.run("ip", "-o", "link", "show", "dev", interface).split()
    return bytes.fromhex(words[words.index("link/ether") + 1].replace(":", ""))


def victim(net, direction):
    """A slow exchange of requests, cut short by the forged RST."""
    connection = net.client.socket(socket.AF_INET, socket.SOCK_STREAM)
    net.talking.flows += 1
    with connection:
        connection.settimeout(5)
        connection.connect((net.address, 8000))
        injector = Injector(net.router, mac(net.server, "eth0"), mac(net.router, "s0"),
                            connection.getsockname()[1], direction)
        try:
            for _ in range(20):
                connection.sendall(HEADER.pack(50, 400) + payload(50))
                threading.Event().wait(0.02)
                if not connection.recv(4096):
                    break
        except ConnectionError:
            pass
        injector.join()
        return injector.struck


def run(place, out):
    net = routed.Routed(place)
    net.capture(out)
    around = threading.Thread(target=net.talking.mix, args=([[(200, 30_000)] * 2] * 12, 0.1), daemon=True)
    around.start()
    struck = {"s2c": 0, "c2s": 0}
    for direction, _ in VICTIMS:
        struck[direction] += victim(net, direction)
    around.join()
    count, _ = net.finish()
    if struck != {"s2c": 2, "c2s": 1}:
        raise lab.Void(f"not every connection was struck: {struck}")
    pairing = segments.pair_files(os.path.join(out, "client.pcap"),
                                  os.path.join(out, "server.pcap"))
    paths = []
    for way, half in pairing.items():
        seen = (len(half.sent), len(half.received), len(half.missing), len(half.extra))
        counted = (count[way + "_sent"], count[way + "_received"], 0, struck[way])
        if seen != counted or seen[1] != seen[0] + seen[3]:
            raise lab.Void(f"captures and counters differ: {way} {seen}, {counted}")
        paths.append(routed.path(way, count, injected=struck[way]))
    forbidden = [kind for kind in routed.NEVER
                 if kind not in ("injected-segment", "modified-in-path", "reset")]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows, "paths": paths,
        "events": [{"from": ends[0], "to": ends[1], "direction": way, "kinds": ["injected"],
                    "at": "receiver", "check": "equal",
                    "frames": sorted(one.frame for one in pairing[way].extra)}
                   for way, ends in (("c2s", ("client", "server")), ("s2c", ("server", "client")))],
        "findings": {
            "expected": [{"kind": "injected-segment", "from": "server", "to": "client",
                          "count": struck["s2c"]},
                         {"kind": "injected-segment", "from": "client", "to": "server",
                          "count": struck["c2s"]}],
            "forbidden": routed.forbid(*forbidden, *routed.LOSSES)},
        "counters": {**count, "rst_to_client": struck["s2c"], "rst_to_server": struck["c2s"]}}}
