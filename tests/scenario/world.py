"""Play a scenario: points along a path, packets sent at a time, and what each point records of them.

A small event simulation. It knows what truly happens (that is the point: expectations are about the
truth), so acknowledgments, SACK blocks and echoed time stamps that a script does not write are those
which a correct receiver would send."""
import collections
import heapq
import ipaddress
import itertools
import random

import frames
from frames import ACK, FIN, PSH, RST, SYN, Options
from script import seconds

BASE_NS = 1767225600 * 10**9  # 2026-01-01T00:00:00Z at true time 0
TABLE = 1 << 20
_table = random.Random(7).randbytes(TABLE)
CONTENT = _table + _table[:1 << 17]
REACTION = 100e-6  # a host's, between a packet and its answer
DELAYED_ACK = 40e-3
GRO_GAP = 1e-3

# A packet as it travels; at_points: changes from a leg on.
Seen = collections.namedtuple(
    "Seen", "time order flow side flags lo length ack options window ttl tos ip_id twist number"
    " origin label dst_mac fragment lost break_before")


def content(flow, side, offset, length):
    at = (flow.salt + (500009 if side == "s" else 0) + offset) % TABLE
    return CONTENT[at:at + length]


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


class Point:
    def __init__(self, name, index, flags, options):
        self.name, self.index = name, index
        self.absent = "absent" in flags
        self.gro = "gro" in flags
        self.records = "records" in flags
        self.options = options
        self.clock = Clock(options)
        self.link = frames.LINKS[self.one("link", "ethernet")]
        self.snaplen = int(self.one("snaplen", "262144"))
        self.vlan = int(self.one("vlan")) if self.one("vlan") else None
        self.unit_ns = {"ns": 1, "us": 1000}[self.one("unit", "ns")]
        window = self.one("window", "..").split("..")
        self.window = [seconds(window[0]) if window[0] else float("-inf"),
                       seconds(window[1]) if window[1] else float("inf")]
        pause = self.one("pause", "inf..inf").split("..")
        self.pause = [seconds(time) if time != "inf" else float("inf") for time in pause]
        self.without = set(self.one("without", "").split(","))
        self.mac = f"02:00:00:00:00:{index + 1:02x}"
        self.gateway = f"02:00:00:00:01:{index + 1:02x}"
        self.seen = []

    def one(self, key, default=None):
        return self.options.get(key, [default])[0]


class Leg:
    def __init__(self):
        self.delay, self.back, self.hops = 5e-3, 5e-3, 1
        self.mss = self.dscp = self.ecn = None
        self.strip = set()

    def set(self, options):
        for key, (value, *_) in options.items():
            if key == "delay":
                self.delay = self.back = seconds(value)
            elif key == "back":
                self.back = seconds(value)
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


class World:
    def __init__(self, script):
        self.script = script
        self.points, self.legs, self.flows = [], [], {}
        self.queue, self.order = [], itertools.count()
        self.labels = {}
        for statement in script.world:
            try:
                getattr(self, "_" + statement.words[0])(statement)
            except (ValueError, KeyError, IndexError) as error:
                raise script.wrong(statement.line, f"{type(error).__name__}: {error}") from error
        self._play()

    def _point(self, s):
        self.points.append(Point(s.words[1], len(self.points), s.words[2:], s.options))
        if len(self.points) > 1:
            self.legs.append(Leg())

    def _leg(self, s):
        near, far = s.words[1].split("-")
        index = self.index(near)
        if self.points[index + 1].name != far:
            raise ValueError(f"{near} and {far} are not neighbours")
        self.legs[index].set(s.options)

    def _flow(self, s):
        self.flows[s.words[1]] = Flow(s.words, s.options)

    def _at(self, s):
        """How flows look from a point: addresses and sequence numbers."""
        for name, flow in self.flows.items():
            if s.words[2] in ("*", name):
                flow.views[s.words[1]].update({key: values[0] for key, values in s.options.items()})

    def _acks(self, s):
        flow, side = s.words[1].split(":")
        self.flows[flow].sides[side].ack_fates += self.script.fates(s)

    def index(self, name):
        return next(i for i, p in enumerate(self.points) if p.name == name)

    # --- time ---

    def at(self, time, action, *arguments):
        heapq.heappush(self.queue, (time, next(self.order), action, arguments))

    def _play(self):
        for item in self.script.packets:
            if hasattr(item, "flags"):
                flow = self.flows[item.flow]
                step = seconds(item.attributes.get("every", "100us"))
                for i in range(item.count):
                    self.at(item.at + i * step, self._send_line, flow, item, i + 1)
            else:
                getattr(self, "_macro_" + item.words[0])(item)
        while self.queue:
            time, _, action, arguments = heapq.heappop(self.queue)
            action(time, *arguments)

    def trip(self, side):
        return sum(leg.delay if side == "c" else leg.back for leg in self.legs)

    def _macro_open(self, s):
        flow, at = self.flows[s.words[2]], s.words[1]
        reply = at + self.trip("c") + REACTION
        self.at(at, self._bare, flow, "c", SYN)
        self.at(reply, self._bare, flow, "s", SYN | ACK)
        self.at(reply + self.trip("s") + REACTION, self._bare, flow, "c", ACK)

    def _macro_close(self, s):
        flow, at = self.flows[s.words[2]], s.words[1]
        reply = at + self.trip("c") + REACTION
        self.at(at, self._bare, flow, "c", FIN | ACK)
        self.at(reply, self._bare, flow, "s", FIN | ACK)
        self.at(reply + self.trip("s") + REACTION, self._bare, flow, "c", ACK)

    def _macro_icmp(self, s):
        """An ICMP error about a packet that a side sent, as the points named record it."""
        flow, option = self.flows[s.words[2]], lambda key, default=None: s.options.get(key, [default])[0]
        about = option("about", "c")
        for i, name in enumerate(option("seen").split(",")):
            self.at(s.words[1] + i * 1e-3, self._icmp_seen, flow, about, self.points[self.index(name)], s)

    def _icmp_seen(self, time, flow, about, point, s):
        option = lambda key, default=None: s.options.get(key, [default])[0]
        src, dst = self.ends(flow, point, about)
        seq = flow.isn[about] + int(option("seq", "1")) if flow.protocol == "tcp" else 0
        head = frames.tcp(src[1], dst[1], seq, 0, ACK, 500, Options(), b"")[:8]
        if flow.protocol == "udp":
            head = frames.udp(src[1], dst[1], b"")[:8]
        quote = frames.ip(src[0], dst[0], frames.PROTOCOLS[flow.protocol], head + bytes(32), ttl=60)
        body = frames.icmp_error(int(option("type")), int(option("code", "0")), int(option("mtu", "0")), quote)
        packet = frames.ip(option("from"), src[0], 58 if flow.six else 1, body, ttl=62)
        point.seen.append((time, next(self.order), packet, point.gateway, point.mac))

    # --- sending ---

    def _bare(self, time, flow, side, flags):
        self.send(time, flow, side, flags, flow.sides[side].next, 0, {}, [], 1, None)

    def _send_line(self, time, flow, item, number):
        state = flow.sides[item.side]
        flags = sum(frames.FLAGS[c] for c in item.flags or "")
        low = state.next if item.sequence is None else item.sequence + (number - 1) * item.length
        label = item.label and (f"{item.label}.{number}" if item.count > 1 else item.label)
        self.send(time, flow, item.side, flags, low, item.length, item.attributes, item.fates, number, label,
                  sack=item.sack)

    def options(self, flow, side, flags, time, attributes, sack):
        state = flow.sides[side]
        if flow.protocol != "tcp":
            return Options()
        if flags & RST:
            return Options()
        clock = int(attributes.get("tsval", (3000000 if side == "c" else 9000000) + round(time * 1000)))
        stamp = (clock, int(attributes.get("tsecr", state.echo if flags & ACK else 0))) if flow.ts else None
        if flags & SYN:
            return Options(flow.mss[side], flow.sack, stamp, flow.wscale[side])
        blocks = state.ooo[:3] if flow.sack and sack is None and flags & ACK else sack or ()
        other = flow.isn["s" if side == "c" else "c"]
        return Options(timestamp=stamp, sack=tuple((other + low, other + high) for low, high in blocks))

    def send(self, time, flow, side, flags, low, length, attributes, fates, number, label, sack=None):
        state = flow.sides[side]
        tcp = flow.protocol == "tcp"
        size = flow.segment() if tcp else max(length, 1)
        wire = max(1, -(-length // size))
        ident = {"count": state.ident, "zero": 0, "random": (state.ident * 40503 + 77) & 0xffff}[flow.ids]
        state.ident += wire
        if not tcp:
            state.number += 1
            low = state.next
        span = length + bool(flags & SYN) + bool(flags & FIN) if tcp else length
        inject = any(f.name == "inject" for f in fates)
        if flags & ACK and not inject:
            state.waiting = 0
        if not inject:
            state.next = max(state.next, low + span)
        options = self.options(flow, side, flags, time, attributes, sack)
        ack = attributes.get("ack", state.expected if flags & ACK else 0)
        base = Seen(time=time, order=0, flow=flow, side=side, flags=flags, lo=low, length=length, ack=ack,
                    options=options, window=attributes.get("win", 64240 if flags & SYN else 500),
                    ttl=int(attributes.get("ttl", flow.ttl[side])), tos=int(attributes.get("tos", flow.tos)),
                    ip_id=int(attributes.get("id", ident)), twist=int(attributes.get("twist", 0)),
                    number=int(attributes.get("n", state.number)), origin=True, label=label, dst_mac=None,
                    fragment=int(attributes["frag"]) if "frag" in attributes else None, lost=0,
                    break_before=False)
        if "same" in attributes:
            base = base._replace(lo=0)
        self._travel(base, [f for f in fates if f.select is None or number in f.select or
                            any(isinstance(n, tuple) and n[0] == number for n in f.select)],
                     number, size, wire, attributes)

    def _travel(self, whole, fates, number, size, wire, attributes):
        """From point to point; a record that offload made leaves its host as wire segments."""
        route = self.points if whole.side == "c" else self.points[::-1]
        entry = next((f.point for f in fates if f.name == "inject"), None)
        first = route.index(self.points[self.index(entry)]) if entry else 0
        parts, cut, lost = [(1, whole._replace(origin=not entry))], False, []
        for i in range(first, len(route)):
            if i > first:
                if not cut:
                    parts, cut = list(enumerate(self._cut(whole, size, wire), 1)), True
                leg = self.legs[min(route[i].index, route[i - 1].index)]
                parts = [(k, self._cross(p, leg, whole.side)) for k, p in parts]
                parts = self._strike(parts, fates, route[i], number, i == len(route) - 1, lost)
            parts = [(k, self._change(p, fates, route[i], number, k)) for k, p in parts]
            parts = [(k, p) for k, p in parts if self._record(p, fates, route[i], number, k)]
        if not cut:
            parts = list(enumerate(self._cut(whole, size, wire), 1))
        for low, length, flags in lost if "resend" in attributes else ():
            self.at(whole.time + seconds(attributes["resend"]), self._resend, whole.flow, whole.side,
                    flags, low, length)
        for k, p in parts:
            if not any(f.name == "drop" and f.point == "host" and self._picked(f, number, k) for f in fates):
                self.at(p.time, self._arrive, p)

    def _resend(self, time, flow, side, flags, low, length):
        self.send(time, flow, side, flags, low, length, {}, [], 0, None)

    @staticmethod
    def _picked(fate, number, piece):
        if fate.select is None:
            return True
        return number in fate.select or (number, piece) in fate.select

    def _cut(self, whole, size, wire):
        if wire == 1:
            return [whole]
        parts = []
        for k in range(wire):
            length = min(size, whole.length - k * size)
            flags = whole.flags if k == wire - 1 else whole.flags & ~(PSH | FIN)
            parts.append(whole._replace(lo=whole.lo + k * size, length=length, flags=flags,
                                        ip_id=whole.ip_id + k, time=whole.time + k * 1e-6, origin=False))
        return parts

    @staticmethod
    def _cross(p, leg, side):
        o = p.options
        if leg.mss is not None and o.mss is not None:
            o = o._replace(mss=min(o.mss, leg.mss))
        if "ts" in leg.strip:
            o = o._replace(timestamp=None)
        if "sack" in leg.strip:
            o = o._replace(sack=(), sack_ok=False)
        if "wscale" in leg.strip:
            o = o._replace(wscale=None)
        tos = p.tos
        if leg.dscp is not None:
            tos = leg.dscp << 2 | tos & 3
        if leg.ecn is not None:
            tos = tos & ~3 | leg.ecn
        return p._replace(options=o, tos=tos, ttl=p.ttl - leg.hops, origin=False, lost=0, dst_mac=None,
                          break_before=False,
                          time=p.time + (leg.delay if side == "c" else leg.back))

    def _strike(self, parts, fates, point, number, last, lost):
        """Parts that are lost before a point, held up, and copies that are made there."""
        found = []
        for k, p in parts:
            mine = [f for f in fates if (f.point == point.name or f.point is None and last)
                    and self._picked(f, number, k)]
            if any(f.name == "drop" for f in mine):
                lost.append((p.lo, p.length, p.flags))
                continue
            p = p._replace(time=p.time + sum(seconds(f.value) for f in mine if f.name == "delay"))
            found.append((k, p))
            found += [(k, p._replace(time=p.time + seconds(f.value or "50us"))) for f in mine if f.name == "dup"]
        return found

    def _change(self, p, fates, point, number, piece):
        for f in fates:
            if f.point != point.name or not self._picked(f, number, piece):
                continue
            if f.name in ("ttl", "tos", "ip_id", "window"):
                p = p._replace(**{f.name: int(f.value)})
            elif f.name == "twist":
                p = p._replace(twist=1)
            elif f.name == "mac":
                p = p._replace(dst_mac=f.value)
            elif f.name == "lost":
                p = p._replace(lost=int(f.value))
            elif f.name == "break":
                p = p._replace(break_before=True)
            elif f.name == "no-ts":
                p = p._replace(options=p.options._replace(timestamp=None))
            elif f.name == "ack":
                p = p._replace(ack=int(f.value))
            elif f.name == "flags":
                p = p._replace(flags=sum(frames.FLAGS[c] for c in f.value))
        return p

    def _record(self, p, fates, point, number, part):
        """Writes a passing packet down, unless the capture misses it. False: it goes no further."""
        mine = [f for f in fates if f.point == point.name and self._picked(f, number, part)]
        running = point.window[0] <= p.time <= point.window[1] and p.flow.name not in point.without
        running = running and not point.pause[0] <= p.time <= point.pause[1]
        incomplete = next((int(f.value) for f in mine if f.name == "dropfrag"), 0)
        if running and not any(f.name == "miss" for f in mine):
            for extra in [0.0] + [seconds(f.value or "5us") for f in mine if f.name == "twice"]:
                point.seen.append(p._replace(time=p.time + extra, order=next(self.order),
                                             twist=-incomplete or p.twist))
        return not incomplete

    # --- receiving ---

    def _arrive(self, time, p):
        side = "s" if p.side == "c" else "c"
        flow, state = p.flow, p.flow.sides["s" if p.side == "c" else "c"]
        if flow.protocol != "tcp" or p.flags & RST:
            return
        low = p.lo
        high = low + p.length + bool(p.flags & SYN) + bool(p.flags & FIN)
        stamp = p.options.timestamp
        if stamp and low <= state.expected and stamp[0] >= state.echo:  # RFC 7323 4.3: never an older one
            state.echo = stamp[0]
        if high == low:
            return
        if p.flags & SYN:
            state.expected = max(state.expected, 1)
            return
        blocks, at_once = None, True
        if high <= state.expected or any(b[0] <= low and high <= b[1] for b in state.ooo):
            blocks = [[low, high]] + state.ooo[:2]
        elif low > state.expected:
            joined = [b for b in state.ooo if b[0] <= high and low <= b[1]]
            state.ooo = [[min([low] + [b[0] for b in joined]), max([high] + [b[1] for b in joined])]] + [
                b for b in state.ooo if b not in joined]
        else:
            at_once = bool(state.ooo)
            state.expected = high
            for b in sorted(state.ooo):
                if b[0] <= state.expected:
                    state.expected = max(state.expected, b[1])
            state.ooo = [b for b in state.ooo if b[1] > state.expected]
        if not flow.acks or not p.length:
            return
        state.waiting += 1
        if at_once or state.waiting >= flow.acks:
            self._acknowledge(time + 20e-6, flow, side, blocks)
        else:
            self.at(time + DELAYED_ACK, self._delayed_ack, flow, side, state.acks)

    def _delayed_ack(self, time, flow, side, acks):
        if flow.sides[side].waiting and flow.sides[side].acks == acks:
            self._acknowledge(time, flow, side, None)

    def _acknowledge(self, time, flow, side, blocks):
        state = flow.sides[side]
        state.waiting = 0
        state.acks += 1
        # Numbered now, sent now: what arrives until then is not in it, as in a real stack.
        self.send(time, flow, side, ACK, state.next, 0, {}, state.ack_fates, state.acks, None,
                  sack=blocks if flow.sack else None)

    # --- writing ---

    def ends(self, flow, point, side):
        view = flow.views[point.name]
        ends = {"c": endpoint(view["client"]) if "client" in view else flow.ends["c"],
                "s": endpoint(view["server"]) if "server" in view else flow.ends["s"]}
        return ends[side], ends["s" if side == "c" else "c"]

    def delta(self, flow, point, side):
        return int(flow.views[point.name].get("seq.c2s" if side == "c" else "seq.s2c", 0))

    def _merged(self, seen):
        """Receive offload: neighbours of one direction that continue each other become one record."""
        out, open_at = [], {}
        for p in seen:
            if isinstance(p, tuple) and not isinstance(p, Seen):
                out.append(p)
                continue
            key = (p.flow.name, p.side)
            at = open_at.get(key)
            last = out[at] if at is not None else None
            if last and p.length and last.lo + last.length == p.lo and last.ack == p.ack and (
                    last.options == p.options) and p.time - last.time < GRO_GAP and (
                    last.flags == ACK) and p.flags & ~PSH == ACK and not p.break_before and (
                    last.length + p.length < 65000):
                out[at] = None
                out.append(last._replace(length=last.length + p.length, flags=p.flags, time=p.time))
                open_at[key] = len(out) - 1
                continue
            out.append(p)
            open_at[key] = len(out) - 1 if p.length and p.flags == ACK and not p.origin else None
        return [p for p in out if p]

    def packets(self, point, p):
        """The IP packets of what a point saw: several where it was fragmented."""
        flow = p.flow
        src, dst = self.ends(flow, point, p.side)
        body = content(flow, p.side, p.lo, p.length)
        if p.twist > 0:
            body = bytes([body[0] ^ 0x5a]) + body[1:]
        if flow.protocol == "tcp":
            other = "s" if p.side == "c" else "c"
            view = flow.views[point.name]
            o, back = p.options, self.delta(flow, point, other)
            if o.sack and view.get("sack") != "kept":
                o = o._replace(sack=tuple((low + back, high + back) for low, high in o.sack))
            ack = flow.isn[other] + p.ack + back if p.flags & ACK else 0
            body = frames.tcp(src[1], dst[1], flow.isn[p.side] + p.lo + self.delta(flow, point, p.side),
                              ack, p.flags, p.window, o, body)
        elif flow.protocol == "udp":
            body = frames.udp(src[1], dst[1], body)
        elif flow.protocol in ("icmp", "icmp6"):
            body = frames.echo(p.side == "c", flow.six, src[1] or dst[1] or 7, p.number, body)
        protocol = frames.PROTOCOLS.get(flow.protocol) or int(flow.protocol.removeprefix("ip"))
        if p.fragment is None:
            return [frames.ip(src[0], dst[0], protocol, body, p.ttl, p.tos, p.ip_id)]
        return [frames.ip(src[0], dst[0], protocol, body[at:at + p.fragment], p.ttl, p.tos, p.ip_id,
                          (at, at + p.fragment < len(body)))
                for n, at in enumerate(range(0, len(body), p.fragment), 1) if n != -p.twist]

    def write(self, point, path):
        """What a point recorded, into a file, or two where it paused; returns their paths."""
        seen = sorted(point.seen, key=lambda p: (p[0], p[1]))
        parts = {path: [p for p in seen if p[0] < point.pause[0]], path + ".2": [p for p in seen if p[0] > point.pause[0]]}
        paths = [path] + [path + ".2"] * (point.pause[0] < float("inf"))
        for each in paths:
            self._write(point, each, parts[each])
        return paths

    def _write(self, point, path, seen):
        if point.gro:
            seen = self._merged(seen)
        records = []
        for p in seen:
            shown = point.clock.shown_ns(p[0])
            if not isinstance(p, Seen):
                records.append(frames.Record(shown, frames.link(
                    point.link, p[2], p[3], p[4], False, point.vlan), 0))
                continue
            if p.label:
                self.labels.setdefault((point.name, p.label), len(records) + 1)
            own_is_source = p.side == "s" if 0 < point.index < len(self.points) - 1 else (
                p.side == ("c" if point.index == 0 else "s"))
            macs = (point.mac, point.gateway) if own_is_source else (point.gateway, p.dst_mac or point.mac)
            for packet in self.packets(point, p):
                records.append(frames.Record(shown, frames.link(
                    point.link, packet, *macs, p.origin, point.vlan), 0, p.lost))
        records = [r._replace(wire=len(r.data)) for r in records]
        if point.one("format") == "pcapng" or point.records or point.one("drops") or point.one("filter") or any(
                r.lost for r in records):
            running = None
            if point.window[0] > float("-inf") and point.window[1] < float("inf"):
                running = tuple(point.clock.shown_ns(time) for time in point.window)
            frames.write_pcapng(path, records, point.link, point.snaplen,
                                point.one("ip", "").split(",") if point.records and point.one("ip") else (),
                                point.mac if point.records else None, point.one("filter"),
                                int(point.one("drops")) if point.one("drops") else None, running)
        else:
            frames.write_pcap(path, records, point.link, point.snaplen, point.unit_ns)
