"""Who and what stands where in a scenario: clocks, points that capture, their places on the path, legs, flows."""
import collections
import math

import frames
from script import seconds

BASE_NS = 1767225600 * 10**9  # 2026-01-01T00:00:00Z at true time 0


class Clock:
    def __init__(self, options):
        self.offset = sum(seconds(value) for value in options.get("offset", ()))
        self.drift = float(options.get("drift", ["0ppm"])[0].removesuffix("ppm")) * 1e-6
        self.steps = sorted((seconds(at), seconds(size)) for size, at in (
            value.split("@") for value in options.get("step", ())))

    def shown_ns(self, time):
        """What it shows at a true time."""
        stepped = sum(size for at, size in self.steps if at <= time)
        return BASE_NS + round(time * 1e9) + round((self.offset + stepped) * 1e9) + round(time * self.drift * 1e9)

    def true_times(self, shown):
        """The true times, in seconds, at which it shows a time: none, one, or two after a step back."""
        found = []
        starts = [float("-inf")] + [at for at, _ in self.steps]
        for i, start in enumerate(starts):
            stepped = sum(size for _, size in self.steps[:i])
            time = ((shown - BASE_NS - round((self.offset + stepped) * 1e9)) / 1e9) / (1 + self.drift)
            end = starts[i + 1] if i + 1 < len(starts) else float("inf")
            if start <= time < end:
                found.append(time)
        return found


def spans(text):
    """'1s..20s': [start, end] in seconds; open ends are infinite."""
    start, end = text.split("..")
    return [seconds(start) if start else float("-inf"), seconds(end) if end else float("inf")]


class Point:
    """An interface at which somebody captures. Interfaces of one host say host=; those beside each other share a place."""
    FLAGS = {"absent", "gro", "tso", "records", "unnamed", "partial"}
    OPTIONS = {"offset", "drift", "step", "window", "pause", "link", "vlan", "snaplen", "unit", "without", "only",
               "format", "drops", "filter", "ip", "host", "interface", "ifindex", "faces", "beside", "takes", "mac",
               "gateway", "file", "rotate", "zeros", "vxlan", "copy"}

    def __init__(self, name, index, flags, options):
        unknown = set(flags) - self.FLAGS | set(options) - self.OPTIONS
        if unknown:
            raise ValueError(f"unknown {', '.join(sorted(unknown))}")
        self.name, self.index = name, index
        self.place = None
        self.options = options
        self.absent, self.gro, self.tso, self.records, self.unnamed, self.partial = (
            word in flags for word in ("absent", "gro", "tso", "records", "unnamed", "partial"))
        self.clock = Clock(options)
        self.link = frames.LINKS[self.one("link", "ethernet")]
        self.snaplen = int(self.one("snaplen", "262144"))
        self.vlan = int(self.one("vlan")) if self.one("vlan") else None
        self.vxlan = int(self.one("vxlan")) if self.one("vxlan") else None
        self.ifindex = int(self.one("ifindex", "1"))
        self.unit_ns = {"ns": 1, "us": 1000, "ms": 1000000}[self.one("unit", "ns")]
        self.window = spans(self.one("window", ".."))
        self.pause = [seconds(time) if time != "inf" else float("inf") for time in self.one("pause", "inf..inf").split("..")]
        self.rotate = [seconds(time) for time in self.list("rotate")]
        self.without, self.only, self.takes = set(self.list("without")), self.list("only"), self.list("takes")
        self.faces = self.one("faces")
        self.mac = self.one("mac", f"02:00:00:00:00:{index + 1:02x}")
        self.gateway = self.one("gateway", f"02:00:00:00:01:{index + 1:02x}")
        self.file = self.one("file", name + ".pcap")
        stem = self.file.split("/")[-1].partition(".")[0]
        self.host = self.one("host", stem if self.unnamed else name)
        self.seen = []

    def one(self, key, default=None):
        return self.options.get(key, [default])[0]

    def list(self, key):
        return self.one(key).split(",") if self.one(key) else []

    def own_side(self):
        """The side whose packets leave the interface here: at a path's end its host's, else what comes from behind it."""
        if self.faces:
            return "s" if self.faces == "client" else "c"
        return "c" if self.place.is_first else "s"

    def sends(self, p):
        """Whether a packet leaves by this interface; a tap in the middle only receives."""
        return (self.faces or self.place.is_first or self.place.is_last) and p.side == self.own_side()

    def selects(self, selectors, p):
        """c2s, s2c, in, out, FLOW or FLOW:c2s ...: whether one fits; those that name the packet's flow come before the others."""
        words = {"c2s" if p.side == "c" else "s2c", "out" if self.sends(p) else "in"}
        own = [s for s in selectors if s.split(":")[0] == p.flow.name]
        if own:
            return any(":" not in s or s.split(":")[1] in words for s in own)
        return any(s in words for s in selectors)

    def records_packet(self, p):
        """Whether its capture was running and had ears for this packet."""
        restricted = any(":" not in s or s.split(":")[0] == p.flow.name for s in self.only)
        return (self.window[0] <= p.time <= self.window[1] and not self.pause[0] <= p.time <= self.pause[1]
                and p.flow.name not in self.without and (not restricted or self.selects(self.only, p)))


class Place:
    """Where on the path: the points that stand in parallel there. Each packet passes one of them."""

    def __init__(self, index):
        self.index, self.points = index, []
        self.is_first, self.is_last = index == 0, True

    def add(self, point):
        self.points.append(point)
        point.place = self

    def holds(self, name):
        return any(name in (point.name, point.host) for point in self.points)

    def point_of(self, p, via):
        """The one that a packet passes: named by it, or by what a point takes, else the first."""
        for point in self.points:
            if point.name in via:
                return point
        return next((point for point in self.points[1:] if point.selects(point.takes, p)), self.points[0])


class Leg:
    def __init__(self):
        self.delay, self.back, self.hops = 5e-3, 5e-3, 1
        self.mss = self.dscp = self.ecn = None
        self.strip = set()
        self.batch, self.slots = 0, collections.Counter()

    def batched(self, time):
        """What came within a batch leaves together at its end, one behind the other."""
        if not self.batch:
            return time
        slot = math.ceil(time / self.batch - 1e-6)
        self.slots[slot] += 1
        return slot * self.batch + self.slots[slot] * 1e-7

    def set(self, options):
        for key, (value, *_) in options.items():
            if key == "delay":
                self.delay = self.back = seconds(value)
            elif key == "back":
                self.back = seconds(value)
            elif key == "batch":
                self.batch = seconds(value)
            elif key == "strip":
                self.strip = set(value.split(","))
            elif key in ("hops", "mss", "dscp", "ecn"):
                setattr(self, key, int(value))
            else:
                raise ValueError(f"unknown '{key}'")


class Side:
    def __init__(self):
        self.next, self.expected = 0, 0
        self.ooo = []           # [low, high], the newest first
        self.echo = 0           # TSval to echo
        self.waiting = 0        # arrivals not yet acknowledged
        self.ident = 0
        self.number = 0         # of datagrams
        self.acks = 0           # automatic ones sent
        self.ack_fates = []


def endpoint(text):
    if text.startswith("["):
        address, _, port = text[1:].partition("]")
        return address, int(port[1:] or 0)
    address, _, port = text.partition(":") if text.count(":") == 1 else (text, "", "0")
    return address, int(port or 0)


class Flow:
    def __init__(self, words, options):
        self.name, self.protocol = words[1], words[2]
        self.ends = {"c": endpoint(words[3]), "s": endpoint(words[5])}
        self.six = ":" in self.ends["c"][0]
        self.salt = sum(ord(c) * 7919 * (i + 1) for i, c in enumerate(self.name))
        pair = lambda key, default: dict(zip("cs", (options.get(key, [default])[0] + "/").split("/")))
        both = lambda key, default: {k: int(v) if v else None for k, v in (
            (k, v or pair(key, default)["c"]) for k, v in pair(key, default).items())}
        isn = pair("isn", f"{1000003 * (self.salt % 977 + 1)}/{7000003 * (self.salt % 577 + 1)}")
        self.isn = {k: int(v) for k, v in isn.items()}
        self.mss = both("mss", "1460")
        self.wscale = both("wscale", "7")
        self.ttl = both("ttl", "64")
        self.tos = int(options.get("tos", ["0"])[0])
        self.ts, self.sack = "no-ts" not in words, "no-sack" not in words
        self.ids = options.get("ids", ["count"])[0]
        self.acks = int(options.get("acks", ["0"])[0])
        self.sides = {"c": Side(), "s": Side()}
        self.sides["c"].ident, self.sides["s"].ident = self.salt % 5000, self.salt % 9000 + 20000
        if "established" in words:
            for side in self.sides.values():
                side.next = side.expected = 1
        self.views = collections.defaultdict(dict)  # point name -> how it looks there

    def segment(self):
        return min(self.mss.values()) - (12 if self.ts else 0)
