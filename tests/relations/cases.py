"""The cases: what was recorded in the lab, and what the scenarios' simulation writes; each as inputs in memory."""
import functools
import glob
import json
import os
import re
import struct
import tempfile
from dataclasses import dataclass, field, replace

import packets
from capture import ETHERNET, IF_MAC, Capture, parse, serialise
from pcapfile import content
from recording import write_all
from script import Script
from world import World

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MEMORY_FOLDER = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@dataclass
class Input:
    """One argument of analyze. What is no capture (facts, a neighbour table) is raw bytes."""
    host: str            # the NAME of NAME=FILE; "" gives the file without one
    file: str
    capture: Capture = None
    raw: bytes = None

    def content(self):
        return self.raw if self.raw is not None else serialise(self.capture)


@dataclass
class Case:
    name: str
    inputs: list
    options: tuple = ()
    truth: dict = field(default_factory=dict)  # of a lab capture
    one_clock: bool = False                    # all captures were stamped by one kernel

    def hosts(self):
        return sorted({i.host for i in self.inputs})

    def captures(self):
        return [n for n, i in enumerate(self.inputs) if i.capture]

    def with_inputs(self, inputs):
        return replace(self, inputs=list(inputs))

    def changed(self, change, only=None):
        """Each capture changed by a function of it; only: numbers of those that change."""
        return self.with_inputs(replace(i, capture=change(i.capture)) if i.capture and (only is None or n in only)
                                else i for n, i in enumerate(self.inputs))


def _input(host, path):
    raw = content(path)
    name = os.path.basename(path).removesuffix(".zst").removesuffix(".gz")
    try:
        return Input(host, name, capture=parse(raw))
    except (ValueError, struct.error):
        return Input(host, name, raw=raw)


def _lab(path):
    with open(path, encoding="utf-8") as file:
        truth = json.load(file)
    folder = os.path.dirname(path)
    return Case(_lab_name(path), [_input(i["name"], os.path.join(folder, i["file"])) for i in truth["inputs"]],
                tuple(truth.get("options", ())), truth, "clocks" not in truth)


def _lab_name(path):
    return os.path.basename(os.path.dirname(path)) + os.path.basename(path)[len("truth"):-len(".json")]


def _scenario(path):
    world = World(Script(path))
    with tempfile.TemporaryDirectory(dir=MEMORY_FOLDER) as folder:
        inputs = [_input(*argument.split("=", 1)) for argument in write_all(world, folder)]
    one_clock = not any({"offset", "drift", "step"} & set(point.options) for point in world.points)
    return Case(_scenario_name(path), inputs, (), {}, one_clock)


def _scenario_name(path):
    return "/".join(path.removesuffix(".scn").split(os.sep)[-2:])


# Files without a host's name, damaged or given twice: what such inputs mean is no matter of packets.
ODD_POINT = re.compile(r"^point .*\b(unnamed|zeros=|copy=)", re.MULTILINE)


def _plays(path):
    """A script of packets (others are facts for the rules alone) that the program answers rightly."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    return re.search("^point ", text, re.MULTILINE) and not ODD_POINT.search(text) and not re.search(
        "^(pending:|refused )", text, re.MULTILINE)


@functools.cache
def places():
    """Name of each case to the file that describes it."""
    lab = sorted(glob.glob(os.path.join(ROOT, "fixtures", "capture", "*", "truth*.json")))
    scripts = sorted(glob.glob(os.path.join(ROOT, "fixtures", "scenario", "*", "*.scn")))
    return {**{_lab_name(path): path for path in lab},
            **{_scenario_name(path): path for path in scripts if _plays(path)}}


@functools.lru_cache(maxsize=4)
def load(name):
    path = places()[name]
    return _lab(path) if path.endswith(".json") else _scenario(path)


# --- what the packets themselves say, for relations that hold only then ---

def packets_of(case, host):
    """What captures of a host hold, as (marks, addresses): a mark tells a TCP segment behind NAT too."""
    seen = set()
    for i in case.inputs:
        for frame in i.capture.frames if i.capture and i.host == host else ():
            link = i.capture.interfaces[frame.interface].link
            ip = packets.layout(link, frame.data)
            if ip:
                seen.add((ip.src, ip.dst))
                tcp = packets.segment(link, frame.data)
                if tcp and (tcp.length or tcp.flags & 2):
                    seen.add(("segment", tcp.seq, tcp.ack, tcp.length, tcp.tsval))
                    seen.add(("sender", tcp.seq, tcp.ack, tcp.length, tcp.tsval, ip.src < ip.dst))
    return seen


def _both_ways(one, other):
    shared = {x for x in one & other if x[0] not in ("segment", "sender")}
    if any((dst, src) in shared for src, dst in shared):
        return True
    marks = {x[1:] for x in one & other if x[0] == "segment"}
    ways = {x[5] for x in one if x[0] == "sender" and x[1:5] in marks}
    return len(ways) == 2


def clocks_related(case):
    """Whether exchanges of packets, both ways, chain the captures of all hosts together: without them nothing but
    the clocks themselves tells how the clocks lie to each other."""
    hosts = [h for h in case.hosts() if any(i.capture and i.capture.frames for i in case.inputs if i.host == h)]
    seen = {h: packets_of(case, h) for h in hosts}
    reached, todo = set(hosts[:1]), hosts[:1]
    while todo:
        near = todo.pop()
        found = {h for h in hosts if h not in reached and _both_ways(seen[near], seen[h])}
        reached |= found
        todo += found
    return len(reached) == len(hosts)


def _identity(link, data):
    """(what tells a packet whatever its addresses, its addresses and ports), or None."""
    tcp = packets.segment(link, data)
    if tcp:
        return (tcp[1:], tcp.key) if tcp.length or tcp.flags & 2 else None
    ip = packets.layout(link, data)
    ends = ip and packets.ports(data, ip)
    if not ends or len(data) < ip.transport + 16:
        return None
    number = data[ip.ip + 4:ip.ip + 6] if ip.ethertype == packets.IPV4 else b""
    return (number, data[ip.transport + 8:ip.transport + 40]), (ip.src, ip.dst, *ends)


def translated(case):
    """Whether a packet goes by other addresses or ports in another capture: a filter by these hides it there."""
    ends = {}
    for n in case.captures():
        c = case.inputs[n].capture
        for frame in c.frames:
            found = _identity(c.interfaces[frame.interface].link, frame.data)
            if found:
                ends.setdefault(found[0], {}).setdefault(n, set()).add(found[1])
    return any(not one & other for seen in ends.values() for one in seen.values() for other in seen.values())


def own_mac(capture_):
    """The MAC of the interface that recorded: of those in every unicast frame, the one whose packets have not been
    forwarded. None where the frames do not tell."""
    if capture_.link != ETHERNET:
        return None
    recorded = capture_.interfaces[0].option(IF_MAC)
    if recorded:
        return recorded
    common, ttl = None, {}
    for frame in capture_.frames:
        dst, src = frame.data[:6], frame.data[6:12]
        if not dst[0] & 1:
            common = {dst, src} if common is None else common & {dst, src}
        ip = packets.layout(ETHERNET, frame.data)
        if ip:
            at = ip.ip + (8 if ip.ethertype == packets.IPV4 else 7)
            ttl.setdefault(src, set()).add(frame.data[at])
    common = {mac for mac in common or () if ttl.get(mac, {0}) & {64, 128, 255}}
    return common.pop() if len(common) == 1 else None


def own_addresses(capture_):
    """Addresses whose packets leave the interface that recorded, as far as its MAC is known."""
    mac, found = own_mac(capture_), set()
    for frame in capture_.frames if mac else ():
        ip = packets.layout(ETHERNET, frame.data)
        if ip and frame.data[6:12] == mac:
            found.add(ip.src)
    return found
