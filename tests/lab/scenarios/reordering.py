"""The network duplicates and reorders, and loses nothing; both are counted exactly.

A forwarder sends a second copy of every 43rd data segment of a flow 4 ms later, and holds
every 37th back until two more of its flow have passed. Reordered is counted by RFC 4737
over the first copies: a packet that arrives after one that was sent later.
"""
import collections
import os

import lab
import pcapfile
import routed
import segments
from wired import Wired

VARIANTS = {"duplicates-reordering": {}}

COPY_EACH, HOLD_EACH, COPY_AFTER_S, HOLD_AT_MOST_S = 43, 37, 0.004, 0.02


class Disorder:
    """Policy that duplicates and reorders, and keeps the books of it."""

    def __init__(self):
        self.count = collections.Counter()
        self.sent = collections.Counter()   # TCP packets of a flow so far
        self.data = collections.Counter()   # of these, with payload
        self.latest = {}                    # highest packet number of a flow sent onward
        self.held = {}                      # flow: [number, frame, packets it still lets pass]

    def pass_on(self, direction, frame):
        tcp = pcapfile.tcp(pcapfile.Frame(0, len(frame), frame))
        if not tcp:
            return [(0.0, frame)]
        flow = (direction, tcp.sport, tcp.dport)
        number = self.sent[flow] = self.sent[flow] + 1
        self.count[direction + "_sent"] += 1
        if tcp.length:
            self.data[flow] += 1
            if self.data[flow] % HOLD_EACH == 0 and flow not in self.held:
                self.held[flow] = entry = [number, frame, 2]
                return [(HOLD_AT_MOST_S, lambda: self._overdue(flow, entry))]
        leaving = [(0.0, self._onward(flow, number, frame))]
        if tcp.length and self.data[flow] % COPY_EACH == 0:
            self.count[direction + "_duplicated"] += 1
            leaving.append((COPY_AFTER_S, frame))
        if flow in self.held:
            entry = self.held[flow]
            entry[2] -= 1
            if entry[2] == 0:
                del self.held[flow]
                leaving.append((0.0, self._onward(flow, entry[0], entry[1])))
        return leaving

    def _overdue(self, flow, entry):
        """Nothing more came to let the held packet go: send it anyway, if it is still here."""
        if self.held.get(flow) is not entry:
            return None
        del self.held[flow]
        return self._onward(flow, entry[0], entry[1])

    def _onward(self, flow, number, frame):
        if number < self.latest.get(flow, 0):
            self.count[flow[0] + "_reordered"] += 1
        self.latest[flow] = max(number, self.latest.get(flow, 0))
        return frame


def run(place, out):
    policy = Disorder()
    net = Wired(place, policy)
    net.capture(out)
    net.talking.mix()
    net.finish()
    count = policy.count
    pairing = segments.pair_files(os.path.join(out, "client.pcap"),
                                  os.path.join(out, "server.pcap"))
    for way, half in pairing.items():
        seen = (len(half.sent), len(half.missing), len(half.extra))
        if seen != (count[way + "_sent"], 0, count[way + "_duplicated"]):
            raise lab.Void(f"captures and forwarder differ: {way} {seen}, {dict(count)}")
    if min(count[way + what] for way in ("c2s", "s2c")
           for what in ("_duplicated", "_reordered")) < 2:
        raise lab.Void(f"too little disorder: {dict(count)}")
    paths = []
    for way, ends in (("c2s", ("client", "server")), ("s2c", ("server", "client"))):
        sent, copies = count[way + "_sent"], count[way + "_duplicated"]
        paths.append({"from": ends[0], "to": ends[1], "direction": way, "counts": {
            **routed.CLEAN, "sent": sent, "delivered": sent, "lost": 0, "received": sent + copies,
            "duplicated": copies, "reordered": count[way + "_reordered"]}})
    expected = [{"kind": kind, "from": "server", "to": "client", "count": count["s2c_" + name]}
                for kind, name in (("duplication", "duplicated"), ("reordering", "reordered"))]
    forbidden = [kind for kind in routed.NEVER if kind not in ("duplication", "reordering")]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows, "paths": paths,
        "findings": {"expected": expected,
                     "forbidden": routed.forbid(*forbidden, *routed.LOSSES)},
        "counters": dict(count)}}
