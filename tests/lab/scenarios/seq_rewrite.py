"""A firewall that moves sequence numbers by a constant and leaves SACK as it is.

The forwarder adds a constant of its own to each flow's sequence numbers in either
direction and takes it off the acknowledgements that come back; SACK blocks keep the
numbers of the far side, as middleboxes of this kind forget them. 2 % of the segments from
server to client are dropped, so that there are SACK blocks.
"""
import collections
import os
import random
import struct

import lab
import pcapfile
import routed
import segments
from wired import Wired

VARIANTS = {"sequence-rewrite": {}}

SEED = 19810901
SHARE = 0.02


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def moved(frame, tcp, add_seq, add_ack):
    """The frame with other sequence and acknowledgement numbers and a right checksum."""
    out = bytearray(frame)
    at = tcp.at_tcp
    seq = (tcp.seq + add_seq) % 2**32
    ack = (tcp.ack + add_ack) % 2**32 if tcp.flags & pcapfile.ACK else tcp.ack
    struct.pack_into("!II", out, at + 4, seq, ack)
    struct.pack_into("!H", out, at + 16, 0)
    end = tcp.at_ip + struct.unpack_from("!H", out, tcp.at_ip + 2)[0]
    pseudo = tcp.src + tcp.dst + struct.pack("!HH", 6, end - at)
    struct.pack_into("!H", out, at + 16, checksum(pseudo + bytes(out[at:end])))
    return bytes(out)


class Rewriting:
    """Policy: constants for each client port, and seeded loss from server to client."""

    def __init__(self):
        self.generator = random.Random(SEED)
        self.count = collections.Counter()
        self.deltas = {}

    def pass_on(self, direction, frame):
        tcp = pcapfile.tcp(pcapfile.Frame(0, len(frame), frame))
        if not tcp:
            return [(0.0, frame)]
        port = tcp.sport if direction == "c2s" else tcp.dport
        if port not in self.deltas:
            self.deltas[port] = {way: self.generator.randrange(1, 2**32) for way in ("c2s", "s2c")}
        delta = self.deltas[port]
        self.count[direction + "_sent"] += 1
        if direction == "s2c" and self.generator.random() < SHARE:
            self.count["s2c_lost"] += 1
            return []
        back = "s2c" if direction == "c2s" else "c2s"
        self.count[direction + "_received"] += 1
        return [(0.0, moved(frame, tcp, delta[direction], -delta[back]))]


def run(place, out):
    policy = Rewriting()
    net = Wired(place, policy)
    net.capture(out)
    net.talking.mix()
    net.finish()
    count = policy.count
    for name, toward, counter in (("client", True, "c2s_sent"), ("server", True, "c2s_received"),
                                  ("server", False, "s2c_sent"), ("client", False, "s2c_received")):
        frames = sum((one.tcp.dport == 8000) == toward
                     for one in segments.load(os.path.join(out, name + ".pcap")))
        if frames != count[counter]:
            raise lab.Void(f"captures and forwarder differ: {counter} {frames}, {dict(count)}")
    forbidden = [*(kind for kind in routed.NEVER if kind != "modified-in-path"), "symmetric-loss", "syn-lost"]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows,
        "rewritten": [{"port": port, **delta} for port, delta in sorted(policy.deltas.items())],
        "paths": [routed.path(way, count) for way in ("c2s", "s2c")],
        "findings": {"expected": [routed.loss_finding(count), {"kind": "modified-in-path", "from": "client", "to": "server"}],
                     "forbidden": routed.forbid(*forbidden)},
        "counters": dict(count)}}
