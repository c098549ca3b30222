"""Play a scenario: points along a path, packets sent at a time, and what each point records of them.

A small event simulation. It knows what truly happens (that is the point: expectations are about the
truth), so acknowledgments, SACK blocks and echoed time stamps that a script does not write are those
which a correct receiver would send."""
import collections
import heapq
import itertools

import frames
from topology import Flow, Leg, Place, Point, endpoint
from frames import ACK, FIN, PSH, RST, SYN, Options
from script import seconds

REACTION = 100e-6  # a host's, between a packet and its answer
DELAYED_ACK = 40e-3

# A packet as it travels. twist: where its payload differs from what belongs there.
# sum: good, bad, partial, flip (that of the bytes before they changed). missing: the fragment that is lost.
Seen = collections.namedtuple(
    "Seen", "time order flow side flags lo length ack options window ttl tos ip_id twist number"
    " origin label dst_mac src_mac fragment missing lost break_before sum outer_bad piece")
# A packet of no flow as a point sees it: ICMP error, ARP, ND. ethertype: None for IP.
Aside = collections.namedtuple("Aside", "time order packet src_mac dst_mac outgoing ethertype", defaults=(False, None))
# What concerns every point of a host; else a host's name means the first of its places that a packet comes to.
AT_EACH_POINT = {"miss", "twice", "mac", "src", "lost", "break"}


class World:
    def __init__(self, script):
        self.script = script
        self.points, self.places, self.legs, self.flows = [], [], [], {}
        self.queue, self.order = [], itertools.count()
        self.labels = {}  # (point or host, label) -> frame, of the first record
        self.shown = {}   # (file, frame) -> (point, label), of every record
        for statement in script.world:
            try:
                getattr(self, "_" + statement.words[0])(statement)
            except (ValueError, KeyError, IndexError) as error:
                raise script.wrong(statement.line, f"{type(error).__name__}: {error}") from error
        self._play()

    def _point(self, s):
        name, flags = s.words[1], s.words[2:]
        if "any" in flags:
            self._router(name, [word for word in flags if word != "any"], s.options)
        else:
            self._stand(Point(name, len(self.points), flags, s.options))

    def _router(self, name, flags, options):
        """`-i any` of a router: both its interfaces into one file that says which, each packet on its way in and out."""
        inner = {key: options[key] for key in ("inside", "batch") if key in options}
        rest = {key: value for key, value in options.items() if key not in inner}
        for end, faces, ifindex in (("c", "client", "2"), ("s", "server", "3")):
            self._stand(Point(f"{name}.{end}", len(self.points), flags, {
                "host": [name], "faces": [faces], "ifindex": [ifindex], "link": ["sll2"], "file": [name + ".pcap"], **rest}))
        inner["delay"] = inner.pop("inside", ["20us"])
        self.legs[-1].set(inner)

    def _stand(self, point):
        self.points.append(point)
        beside = point.one("beside")
        if beside:
            self.points[self.index(beside)].place.add(point)
            return
        if self.places:
            self.places[-1].is_last = False
            self.legs.append(Leg())
        self.places.append(Place(len(self.places)))
        self.places[-1].add(point)

    def _leg(self, s):
        near, far = s.words[1].split("-")
        index = [place.index for place in self.places if place.holds(near)][-1]
        if not self.places[index + 1].holds(far):
            raise ValueError(f"{near} and {far} are not neighbours")
        self.legs[index].set(s.options)

    def _flow(self, s):
        self.flows[s.words[1]] = Flow(s.words, s.options)

    def _at(self, s):
        """How flows look from a point: addresses and sequence numbers."""
        points = [p.name for p in self.points if s.words[1] in (p.name, p.host)]
        if not points:
            raise ValueError(f"no point '{s.words[1]}'")
        for name, flow in self.flows.items():
            for point in points if s.words[2] in ("*", name) else ():
                flow.views[point].update({key: values[0] for key, values in s.options.items()})

    def _acks(self, s):
        flow, side = s.words[1].split(":")
        self.flows[flow].sides[side].ack_fates += self.script.fates(s)
        self._known(s.line, self.script.fates(s))

    def _known(self, line, fates):
        for fate in fates:
            if fate.point not in (None, "host") and not any(place.holds(fate.point) for place in self.places):
                raise self.script.wrong(line, f"no point '{fate.point}'")

    def index(self, name):
        """Of a point by its name, or the first of a host."""
        found = [i for i, p in enumerate(self.points) if p.name == name] or [
            i for i, p in enumerate(self.points) if p.host == name]
        if not found:
            raise ValueError(f"no point '{name}'")
        return found[0]

    # --- time ---

    def at(self, time, action, *arguments):
        heapq.heappush(self.queue, (time, next(self.order), action, arguments))

    def _play(self):
        for item in self.script.packets:
            if hasattr(item, "flags"):
                self._known(item.line, item.fates)
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
        """The longest that the way takes: nothing is answered before it has arrived."""
        return sum((leg.delay if side == "c" else leg.back) + leg.batch * 1.01 for leg in self.legs)

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
        if flow.six:
            body = frames.summed(option("from"), src[0], 58, body, "good")
        packet = frames.ip(option("from"), src[0], 58 if flow.six else 1, body, ttl=62)
        point.seen.append(Aside(time, next(self.order), packet, point.gateway, point.mac))

    def _macro_arp(self, s):
        """arp request|reply SENDER for TARGET seen=A,B: ARP, or ND between IPv6 addresses, from its sender's point on."""
        what, address, _, target = s.words[3:]
        points = [self.points[self.index(name)] for name in s.options["seen"][0].split(",")]
        request = {"request": True, "reply": False}[what]
        mac = s.options.get("mac", [points[0].mac])[0]
        target_mac = s.options.get("target-mac", [frames.NO_MAC if request else points[-1].mac])[0]
        to = frames.BROADCAST if request else target_mac
        if ":" in address:
            ethertype, packet = 0x86dd, frames.neighbor(request, mac, address, target)
            to = "33:33:ff:" + ":".join(f"{byte:02x}" for byte in packet[37:40]) if request else to
        else:
            ethertype, packet = 0x0806, frames.arp(request, mac, address, target_mac, target)
        for i, point in enumerate(points):
            point.seen.append(Aside(s.words[1] + i * 100e-6, next(self.order), packet, mac, to, mac == point.mac, ethertype))

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
            return Options(int(attributes.get("mss", flow.mss[side])), flow.sack, stamp, flow.wscale[side])
        blocks = state.ooo[:3] if flow.sack and sack is None and flags & ACK else sack or ()
        other = flow.isn["s" if side == "c" else "c"]
        return Options(timestamp=stamp, sack=tuple((other + low, other + high) for low, high in blocks))

    def send(self, time, flow, side, flags, low, length, attributes, fates, number, label, sack=None):
        state = flow.sides[side]
        tcp = flow.protocol == "tcp"
        size = flow.segment() if tcp else int(attributes.get("gso", max(length, 1)))
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
                    ip_id=int(attributes.get("id", ident)),
                    twist=int(attributes["twist"]) if "twist" in attributes else None,
                    number=int(attributes.get("n", state.number)), origin=True, label=label, dst_mac=None, src_mac=None,
                    fragment=int(attributes["frag"]) if "frag" in attributes else None, missing=None, lost=0,
                    break_before=False, sum=attributes.get("sum", "good"), outer_bad=False,
                    piece=int(attributes.get("gso", 0)))
        if "same" in attributes:
            base = base._replace(lo=0)
        self._travel(base, [f for f in fates if f.select is None or number in f.select or
                            any(isinstance(n, tuple) and n[0] == number for n in f.select)],
                     number, size, wire, attributes)

    def _travel(self, whole, fates, number, size, wire, attributes):
        """From place to place; a record that offload made leaves its host as wire segments."""
        route = self.places if whole.side == "c" else self.places[::-1]
        entry = next((f.point for f in fates if f.name == "inject"), None)
        first = next(i for i, place in enumerate(route) if place.holds(entry)) if entry else 0
        parts, cut, lost, met = [(1, whole._replace(origin=not entry))], False, [], set()
        for i in range(first, len(route)):
            mine = self._fates_at(route[i], fates, met, i == len(route) - 1)
            if i > first:
                if not cut:
                    parts, cut = list(enumerate(self._cut(whole, size, wire), 1)), True
                leg = self.legs[min(route[i].index, route[i - 1].index)]
                parts = [(k, self._cross(p, leg, whole.side)) for k, p in parts]
                parts = self._strike(parts, mine, number, lost)
            parts = [(k, self._change(p, [f for f in mine if self._picked(f, number, k)])) for k, p in parts]
            parts = [(k, p) for k, p in parts if self._record(
                p, [f for f in mine if self._picked(f, number, k)], route[i])]
            met |= {point.host for point in route[i].points}
        if not cut:
            parts = list(enumerate(self._cut(whole, size, wire), 1))
        # A host throws away what carries a wrong checksum, and says nothing.
        lost += [(p.lo, p.length, p.flags) for _, p in parts if p.sum != "good" or p.outer_bad]
        parts = [(k, p) for k, p in parts if p.sum == "good" and not p.outer_bad]
        for low, length, flags in lost if "resend" in attributes else ():
            self.at(whole.time + seconds(attributes["resend"]), self._resend, whole.flow, whole.side,
                    flags, low, length)
        for k, p in parts:
            if not any(f.name == "drop" and f.point == "host" and self._picked(f, number, k) for f in fates):
                self.at(p.time, self._arrive, p)

    @staticmethod
    def _fates_at(place, fates, met, last):
        """Those that befall a packet on its way to this place, and there. met: the hosts it has passed."""
        names = {point.name for point in place.points}
        hosts = {point.host for point in place.points}
        return [f for f in fates if f.point in names or f.point is None and last or
                f.point in hosts and (f.name in AT_EACH_POINT or f.point not in met)]

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
        return p._replace(options=o, tos=tos, ttl=p.ttl - leg.hops, origin=False, lost=0, dst_mac=None, src_mac=None,
                          break_before=False,
                          time=leg.batched(p.time + (leg.delay if side == "c" else leg.back)))

    def _strike(self, parts, mine, number, lost):
        """Parts that are lost before a place, held up, and copies that are made there."""
        found = []
        for k, p in parts:
            here = [f for f in mine if self._picked(f, number, k)]
            if any(f.name == "drop" for f in here):
                lost.append((p.lo, p.length, p.flags))
                continue
            p = p._replace(time=p.time + sum(seconds(f.value) for f in here if f.name == "delay"))
            found.append((k, p))
            found += [(k, p._replace(time=p.time + seconds(f.value or "50us"))) for f in here if f.name == "dup"]
        return found

    @staticmethod
    def _change(p, mine):
        for f in mine:
            if f.name in ("ttl", "tos", "ip_id", "window", "ack", "lost"):
                p = p._replace(**{f.name: int(f.value)})
            elif f.name in ("twist", "flip"):
                p = p._replace(twist=int(f.value or 0), sum="flip" if f.name == "flip" else p.sum)
            elif f.name == "sum":
                p = p._replace(sum=f.value or "bad")
            elif f.name == "outer-sum":
                p = p._replace(outer_bad=True)
            elif f.name == "mac":
                p = p._replace(dst_mac=f.value)
            elif f.name == "src":
                p = p._replace(src_mac=f.value)
            elif f.name == "break":
                p = p._replace(break_before=True)
            elif f.name == "no-ts":
                p = p._replace(options=p.options._replace(timestamp=None))
            elif f.name == "flags":
                p = p._replace(flags=sum(frames.FLAGS[c] for c in f.value))
        return p

    def _record(self, p, mine, place):
        """Writes a passing packet down, unless the capture misses it. False: it goes no further."""
        point = place.point_of(p, {f.point for f in mine if f.name == "via"})
        missing = next((int(f.value) for f in mine if f.name == "dropfrag"), None)
        if point.records_packet(p) and not any(f.name == "miss" for f in mine):
            for extra in [0.0] + [seconds(f.value or "5us") for f in mine if f.name == "twice"]:
                point.seen.append(p._replace(time=p.time + extra, order=next(self.order), missing=missing))
        return missing is None

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

    # --- how it looks from a point ---

    def ends(self, flow, point, side):
        view = flow.views[point.name]
        ends = {"c": endpoint(view["client"]) if "client" in view else flow.ends["c"],
                "s": endpoint(view["server"]) if "server" in view else flow.ends["s"]}
        return ends[side], ends["s" if side == "c" else "c"]

    def delta(self, flow, point, side):
        return int(flow.views[point.name].get("seq.c2s" if side == "c" else "seq.s2c", 0))
