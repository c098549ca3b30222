"""What happened in a world, from the kernel's counters, copies of dropped packets and witnesses.

The program has no part in this. `derive()` gives a plain dictionary (README.md says what is in one); where
counters, copies and witnesses disagree the world is void.
"""
import collections
import itertools
import math
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

import lab  # noqa: E402
import packets  # noqa: E402
from packets import RST, SYN  # noqa: E402

JUDGED_NS = 2_200_000_000  # delay_max_s and a little: younger losses may stay unjudged
EDGE_NS = 50_000_000
TUNNEL_SNAPLEN = 150  # up to and with a TCP header inside VXLAN over IPv6
HEADERS_SNAPLEN = 80  # the same of IPv6 in a capture of any interface
# An interface has two taps on a way: before its node decides (in), after (out); what is dropped lies between.
TAP, DROP = 0.2, 0.1


class Ways:
    """Where captures and drops lie on the ways between hosts."""

    def __init__(self, net, spec):
        self.net, self.spec = net, spec
        hosts = spec["topology"]["hosts"]
        self.between = {(a, b): net.ways(a, b) for a, b in itertools.permutations(hosts, 2)}

    def ends(self, packet):
        """(from, to) hosts that a packet may be of: several where an address is of several."""
        for a in self.net.owners.get(packet.source, ()):
            for b in self.net.owners.get(packet.target, ()):
                if a != b:
                    yield a, b

    def candidates(self, packet):
        """The same as an upper bound: multicast is for all; whose a link-local address is nobody knows."""
        hosts = self.spec["topology"]["hosts"]
        if packet.source is None:
            return []
        return [(a, b) for a in self.net.owners.get(packet.source, hosts)
                for b in self.net.owners.get(packet.target, hosts) if a != b]

    def taps(self, capture, way):
        """Positions at which a capture sees what goes this way."""
        if capture["node"] not in way:
            return []
        at, found = way.index(capture["node"]), []
        name, any_interface = capture["node"], capture["interface"] == "any"
        own = self.net.interfaces(name)[0]
        if at > 0 and (any_interface or self.net.port[name, way[at - 1]] == own):
            found.append(at - TAP)
        if at + 1 < len(way) and (any_interface or self.net.port[name, way[at + 1]] == own):
            found.append(at + TAP)
        return found

    def drop(self, place, way):
        """Position of a place that drops, None where the way does not pass it."""
        if place["node"] not in way:
            return None
        at = way.index(place["node"])
        if place["hook"] == "ingress":
            return at - DROP if at > 0 and way[at - 1] == place["toward"] else None
        return at + DROP if at + 1 < len(way) and way[at + 1] == place["toward"] else None

    def legs(self, place, packet):
        """Pairs of captured nodes between which a packet was dropped at a place; all, and the innermost."""
        found, inner = set(), set()
        for way in (way for ends in self.candidates(packet) for way in self.between[ends]):
            position = self.drop(place, way)
            if position is None:
                continue
            taps = [(c["node"], p) for c in self.spec["captures"] for p in self.taps(c, way)]
            found |= {(a, b) for a, p in taps for b, q in taps if p < position < q}
            before = [(p, name) for name, p in taps if p < position]
            behind = [(p, name) for name, p in taps if p > position]
            inner |= {(max(before)[1], min(behind)[1])} if before and behind else {None}
        return sorted(found), inner


def derive(net, spec, fault, taps, witnesses, edits):
    """The truth of a world whose captures have ended."""
    ways = Ways(net, spec)
    seen = {place: packets.load(path) for place, path in witnesses.paths.items()}
    counted = fault.counted()
    dropped = read_copies(spec, fault, ways, seen, counted)
    if not spec["topology"]["offload"]:
        missing = differences(ways, spec, seen, witnesses.until_ns)
        if fault.by_rule():
            agree(missing, seen)
        else:
            dropped = read_missing(missing, spec, fault, ways, counted)
    return {
        "seed": spec["seed"], "spec": spec, "counted": counted, "dropped": dropped,
        "owners": {ip: sorted(names) for ip, names in net.owners.items()},
        "inputs": [{"name": tap.capture["node"], "file": os.path.basename(tap.path)} for tap in taps],
        "captures": {tap.capture["node"]: about_capture(tap, edits[tap.capture["node"]], seen)
                     for tap in taps},
        "facts": facts(net, seen),
        "sent": sent(ways, seen, spec),
        "began_ns": fault.began_ns, "ended_ns": fault.ended_ns,
    }


def about_capture(tap, edited, seen):
    capture, (first, last) = tap.capture, edited["span_ns"]
    outside = sum(not first <= packet.time_ns <= last for (node, interface), listed in seen.items()
                  if node == capture["node"] and interface != "gone0" for packet in listed)
    topology = tap.spec["topology"]
    short = (topology["kind"] == "vxlan" and capture["snaplen"] < TUNNEL_SNAPLEN
             or topology["family"] == 6 and capture["snaplen"] < HEADERS_SNAPLEN)
    whole = not (capture["direction"] or capture["filter"] or capture["late"] or capture["early"] or short)
    return {**edited, "kernel_dropped": tap.dropped, "outside": outside, "whole": whole,
            "stepped": bool(capture["clock"] and capture["clock"]["step_ms"])}


def read_copies(spec, fault, ways, seen, counted):
    """Every dropped packet, by its copy; as many at each node as the kernel counted."""
    dropped = []
    for node in fault.nodes():
        copies = [p for p in seen[node, "gone0"]]
        places = [(n, place) for n, place in enumerate(fault.places) if place["node"] == node]
        if len(copies) != sum(counted[n] for n, _ in places):
            raise lab.Void(f"{node}: {len(copies)} copies, {[counted[n] for n, _ in places]} counted")
        for copy in copies:
            dropped.append(entry_of(copy, spec, ways, [place for _, place in places]))
    return dropped


def entry_of(packet, spec, ways, places):
    legs, inner = set(), set()
    for place in places:
        all_legs, innermost = ways.legs(place, packet)
        legs.update(all_legs)
        inner |= innermost
    return {"at_ns": packet.time_ns, "protocol": packet.protocol, "kind": packet.kind,
            "flow": [packet.source, packet.sport, packet.target, packet.dport],
            "wire": wire_segments(packet, spec), "length": packet.length, "legs": sorted(legs),
            "inner": list(inner)[0] if len(inner) == 1 else None, "identity": packets.identity(packet)}


def wire_segments(packet, spec):
    """Segments on the wire that a record of an offloading host stands for."""
    if packet.protocol != "tcp" or not packet.length:
        return 1
    full = 1428 if spec["topology"]["family"] == 6 else 1448
    if spec["topology"]["kind"] == "vxlan":
        full -= 70 if spec["topology"]["family"] == 6 else 50
    return math.ceil(packet.length / full)


def outgoing(packet, name, net):
    return packet.source is not None and name in net.owners.get(packet.source, ())


def sent(ways, seen, spec):
    """Packets by the hosts that they went from and to, as their sender's witness has them."""
    count = collections.Counter()
    for (node, interface), listed in seen.items():
        if node not in spec["topology"]["hosts"] or interface == "gone0":
            continue
        for packet in listed:
            for a, b in ways.ends(packet) if packet.protocol else ():
                if a == node:
                    count[f"{a}>{b}"] += wire_segments(packet, spec)
    return dict(count)


def differences(ways, spec, seen, until_ns):
    """What the hosts' witnesses have sent, and those of the hosts it went to lack: [packet].

    Witnesses end one after the other, from until_ns on, while hosts go on to talk. Translation hides who
    sent what, and a router may speak in a host's name then: so all hosts are taken together.
    """
    owners = ways.net.owners
    own = {node: listed for (node, interface), listed in seen.items()
           if node in spec["topology"]["hosts"] and interface != "gone0"}
    known = lambda p: p.key and p.source in owners and p.target in owners
    out = [p for node, listed in own.items() for p in listed if known(p) and outgoing(p, node, ways.net)]
    arrived = [p for node, listed in own.items() for p in listed
               if known(p) and node in owners[p.target] and not outgoing(p, node, ways.net)]
    settled = lambda listed: [p for p in listed if p.time_ns < until_ns - EDGE_NS]
    extra = collections.Counter(p.key for p in settled(arrived)) - collections.Counter(p.key for p in out)
    if extra and all(len(names) == 1 for names in owners.values()):
        raise lab.Void(f"{sum(extra.values())} arrived that were never sent")
    there, missing = collections.Counter(p.key for p in arrived), []
    for packet in settled(out):
        if there[packet.key]:
            there[packet.key] -= 1
        else:
            missing.append(packet)
    return missing


def agree(missing, seen):
    """Nothing is missing but what was dropped, by its copy."""
    gone = collections.Counter(p.key for (_, interface), listed in seen.items() if interface == "gone0"
                               for p in listed if p.key)
    unexplained = collections.Counter(p.key for p in missing) - gone
    if unexplained:
        raise lab.Void(f"{sum(unexplained.values())} neither arrived nor were dropped")


def read_missing(missing, spec, fault, ways, counted):
    """What a queue or a router dropped: what is missing, and no more or less than it counted."""
    own = [p for p in missing if any(ways.drop(place, way) for place in fault.places
                                     for ends in ways.ends(p) for way in ways.between[ends])]
    if len(own) != len(missing) or abs(len(own) - sum(counted)) > 1:
        raise lab.Void(f"{len(missing)} missing, {len(own)} of them on the way, {counted} counted")
    return [entry_of(p, spec, ways, fault.places) for p in own]


def facts(net, seen):
    """What hosts did that may be the subject of a verdict, as their own witnesses show it."""
    found = {name: collections.Counter() for name in net.topology["hosts"]}
    for (node, interface), listed in seen.items():
        if node not in found or interface == "gone0":
            continue
        answered = {(p.target, p.dport, p.source, p.sport) for p in listed
                    if p.protocol == "tcp" and p.flags & SYN and not outgoing(p, node, net)}
        for packet in listed:
            if packet.protocol != "tcp" or not outgoing(packet, node, net):
                continue
            flow = (packet.source, packet.sport, packet.target, packet.dport)
            found[node]["resets"] += bool(packet.flags & RST)
            found[node]["refused"] += bool(packet.flags & RST and flow in answered)
            found[node]["zero_window"] += packet.window == 0 and not packet.flags & (RST | SYN)
    return {name: dict(count) for name, count in found.items()}
