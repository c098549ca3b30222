"""Worlds made by chance: what a seed and the faults allowed make of points, flows and what befalls each packet.

All that chance decides about a packet comes from the seed and the packet's own place in its flow, so that the rest of a
world can be taken away (see smallest.py) and what is left behaves as before."""
import collections
import os
import random

from frames import FIN, SYN
from script import Fate, Script
from world import World

# What a world can suffer beyond packets lost, missed, copied and held up between two or three points.
FAULTS = {
    "any": "the router in the middle captures all its interfaces: each packet twice, several In before their Out",
    "parallel": "the server's host has two interfaces, captured each by itself",
    "onesided": "one capture holds one direction alone",
    "moves": "the servers' address belongs to one host first, then to another, for flows of datagrams in their middle",
    "bursts": "losses come in rows of 5 to 40",
    "datagrams": "flows of datagrams too: identified, or not, or without the payload captured",
    "nat": "the server's side shows other addresses and ports",
    "steps": "a clock steps forward or back",
    "short": "all is over in less than 100 ms",
    "ties": "stamps are rounded: neighbours have the same time",
    "headers": "headers alone are captured, and records of offload so too",
}
SHAPES = ("any", "parallel", "moves")  # no more than one of these
Passing = collections.namedtuple("Passing", "flow side")
Sent = collections.namedtuple("Sent", "flow side flags low length span pieces gone at route fates label")


class Chance:
    """One world: what is where, and how often what happens."""

    def __init__(self, seed, allowed):
        g = random.Random(seed)
        share = lambda *choices: g.choice(choices)
        self.seed = seed
        self.faults = {name for name in FAULTS if name in allowed and name not in SHAPES and g.random() < 0.35}
        shapes = [name for name in SHAPES if name in allowed]
        if shapes and g.random() < 0.5:
            self.faults.add(g.choice(shapes))
        if allowed and not self.faults:
            self.faults.add(g.choice(sorted(allowed)))
        self.drop, self.miss = share(0, 0.01, 0.05, 0.15), share(0, 0, 0.02, 0.1)
        self.both, self.dup = share(0, 0, 0.02), share(0, 0, 0.02)
        self.delay = share(0, 0, 0.02)
        # A record merged in the middle stands for several that were sent: no telling which is meant.
        self.merge = share(False, False, True) and not self.faults & {"any", "ties"}
        self.middle = not self.merge and share(False, True) and not self.faults & set(SHAPES)
        self.no_ts = g.random() < 0.3
        # Offload merges only what has identifications that count up.
        self.ids = "count" if self.merge else share("count", "count", "random")
        self.offsets = [share(0, -7, 3600), share(0, -7, 3600)]
        self.step = (share(-30, -5.1, -2, -0.3, 0.3, 2, 30), round(g.uniform(0.2, 3), 3), share("A", "B"))
        self.onesided = (share("A", "B"), share("in", "out"))
        self.batch = share("20us", "300us", "1ms")
        self.rounding = share("us", "ms")
        # Headers alone, which datagrams suffer most; of TCP the options are cut.
        self.bare = share(False, False, True) and "datagrams" in self.faults and not self.merge or "headers" in self.faults
        self.spare = set()                     # packets that nothing befalls
        self.near = "short" in self.faults     # a handshake is over before data is sent, whatever is cut away
        self.flows = self._flows(g)

    def _flows(self, g):
        """[name, protocol, start, numbers, acks, [(time, side, packets, size, us apart)]]; times are relative."""
        flows, at = [], 0.0
        short = "short" in self.faults
        for n in range(g.randint(1, 4)):
            udp = bool(self.faults & {"datagrams", "moves"}) and g.random() < 0.6
            numbers = g.choice((4294960000, 77)) + n * 3000, g.choice((4294960290, 123456)) + n * 1777
            lines, start = [], at
            at += 0.006 * (short and not udp)  # of a handshake through a router that sends in batches
            for _ in range(g.randint(1, 2 if short else 5)):
                at += g.choice((0.002, 0.005)) if short else g.choice((0.05, 0.3))
                size = g.choice((10, 1000, 1448, 1448) + (5000, 14480) * (self.merge and not udp))
                lines.append((at, g.choice("cs"), g.randint(1, 10 if short else 60), size,
                              g.choice((0, 50, 900)) if "ties" in self.faults else g.choice((50, 900))))
            at += 0.01 if short else 1.0
            flows.append([f"f{n}", "udp" if udp else "tcp", start, numbers, g.choice((1, 2, 2)), lines, at])
            at += g.choice((-0.009, 0.001)) if short else g.choice((-0.9, 0.5))
        return flows

    def describe(self):
        """The world in one line."""
        names = "A R B" if self.middle else "A R.any B" if "any" in self.faults else "A B"
        shares = " ".join(f"{name} {getattr(self, name):g}" for name in ("drop", "miss", "both", "dup", "delay")
                          if getattr(self, name))
        extra = {"steps": "step {0[0]:+g}s at {0[1]} s of {0[2]}".format(self.step), "any": f"any batch {self.batch}",
                 "onesided": "{0[0]} records {0[1]} alone".format(self.onesided), "ties": f"stamps in {self.rounding}",
                 "datagrams": "datagrams" + " headers alone" * self.bare}
        flows = collections.Counter(flow[1] for flow in self.flows)
        packets = sum(line[2] for flow in self.flows for line in flow[5])
        return ", ".join([names, " ".join(f"{n} {name}" for name, n in sorted(flows.items())), f"{packets} packets",
                          f"ids {self.ids}" + " no-ts" * self.no_ts + " offload" * self.merge] + [shares] * bool(shares) +
                         [extra.get(name, name) for name in sorted(self.faults)])

    # --- as a script ---

    def point_lines(self):
        record = f" snaplen={66 if 'any' in self.faults else 60}" * self.bare
        record += f" unit={self.rounding}" * ("ties" in self.faults)
        step = f" step={self.step[0]}s@{self.step[1]}s"
        ends = {name: record + step * ("steps" in self.faults and self.step[2] == name) +
                f" only={self.onesided[1]}" * ("onesided" in self.faults and self.onesided[0] == name)
                for name in "AB"}
        gro = " gro" * self.merge
        lines = [f"point A offset={self.offsets[0]}s{gro}{ends['A']}"]
        if self.middle:
            lines.append(f"point R offset={self.offsets[1]}s{record}")
        if "any" in self.faults:
            lines.append(f"point R any batch={self.batch} offset={self.offsets[1]}s{record}")
        lines.append(f"point B{gro}{ends['B']}" + " host=B" * ("parallel" in self.faults))
        if "parallel" in self.faults:
            lines.append(f"point B2 host=B beside=B takes=c2s{gro}{ends['B']}")
        if "moves" in self.faults:
            late = [flow[0] for flow in self.flows[len(self.flows) // 2:] if flow[1] == "tcp"] or ["none"]
            lines.append(f"point C beside=B takes={','.join(late)}{gro}{record}")
        if self.near:
            places = ["A"] + ["R"] * (self.middle or "any" in self.faults) + ["B"]
            lines += [f"leg {near}-{far} delay=300us" for near, far in zip(places, places[1:])]
        return lines

    def script_lines(self):
        lines = [f"# seed {self.seed}: {self.describe()}"] + self.point_lines()
        end = 0.0
        for n, (name, protocol, start, numbers, acks, packets, close) in enumerate(self.flows):
            options = f" isn={numbers[0]}/{numbers[1]} acks={acks}" + " no-ts" * self.no_ts if protocol == "tcp" else ""
            lines.append(f"flow {name} {protocol} 10.0.0.1:{40000 + n} > 10.0.0.2:80 ids={self.ids}{options}")
            if "nat" in self.faults:
                # The router's way out already shows the new name.
                lines += [f"at {point} {name} client=192.0.2.7:{61000 + 7 * n}" for point in
                          ["R.s"] * ("any" in self.faults) + ["B"] + ["B2"] * ("parallel" in self.faults) +
                          ["C"] * ("moves" in self.faults)]
            lines += [f"{start:.4f} {name}:open"] * (protocol == "tcp")
            for at, side, many, size, every in packets:
                lines.append(f"{at:.4f} {name}:{side}> {'P. ' * (protocol == 'tcp')}({many}x{size}) every={every}us")
            lines += [f"{close:.4f} {name}:close"] * (protocol == "tcp")
            end = max(end, close)
        if "short" not in self.faults:
            # What has not arrived two seconds before the end may be on its way: somebody has to go on.
            lines.append("flow last tcp 10.0.0.1:50000 > 10.0.0.2:81 acks=1")
            lines += [f"{end + 4:.3f} last:open", f"{end + 5:.3f} last:close"]
        return lines

    def script(self, folder):
        path = os.path.join(folder, "chance.scn")
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(self.script_lines()) + "\n")
        return Script(path)


class ChanceWorld(World):
    def __init__(self, script, chance):
        self.chance, self.sent, self.by_label = chance, [], {}
        self.moves = {flow[0]: flow[5][len(flow[5]) // 2][0] for flow in chance.flows
                      if "moves" in chance.faults and flow[1] == "udp"}
        self.counts, self.rows = collections.Counter(), collections.Counter()
        super().__init__(script)

    def route_of(self, flow, side, time):
        """The points that a packet passes, in order."""
        places = self.places if side == "c" else self.places[::-1]
        return [place.point_of(Passing(flow, side), {self.moved(flow, time)}) for place in places]

    def moved(self, flow, time):
        """The new holder of the servers' address, once it has it."""
        return "C" if flow.name in self.moves and time >= self.moves[flow.name] else None

    def send(self, time, flow, side, flags, low, length, attributes, fates, number, label, sack=None):
        count = self.counts[flow.name, side]
        self.counts[flow.name, side] += 1
        key = f"{flow.name}{side}{count}"
        route = [point.name for point in self.route_of(flow, side, time)]
        fates = [Fate("via", "C", None, None)] * (self.moved(flow, time) is not None)
        pieces = max(1, -(-length // flow.segment())) if flow.protocol == "tcp" else 1
        made, gone, at = self._fate(random.Random(f"{self.chance.seed}/{key}"), key, flow, side, flags, route, number, pieces)
        if flow.protocol == "tcp" and (length or flags & (SYN | FIN)):
            again = (6, 9, 14) if "short" in self.chance.faults else (20, 45, 230)
            attributes = {**attributes, "resend": f"{again[count % 3]}ms"}
        span = length + bool(flags & SYN) + bool(flags & FIN)
        befell = {(f.name, f.point) for f in made}
        one = Sent(flow, side, flags, low, length, span, pieces, gone, at, route, befell, key)
        self.sent.append(one)
        self.by_label[key] = one
        super().send(time, flow, side, flags, low, length, attributes, made + fates, number, key, sack)

    def _fate(self, g, key, flow, side, flags, route, number, pieces):
        """What befalls a packet: its fates, which of its wire segments are lost, and where."""
        chance, hit = self.chance, lambda share: g.random() < share
        made = [Fate("miss", point, None, None) for point in route if hit(chance.miss)]
        if hit(chance.both) and not made:
            made = [Fate("miss", point, None, None) for point in route]
        at, dropped = g.choice(route[1:]), hit(chance.drop)
        gone = {piece for piece in range(1, pieces + 1) if hit(chance.drop)} if pieces > 1 else {1} if dropped else set()
        late, doubled, held = hit(chance.dup), hit(chance.delay), g.choice((0.05, 3, 40))
        if "bursts" in chance.faults:
            dropped, at = self._in_a_row(g, flow, side, at, route)
            gone = set(range(1, pieces + 1)) if dropped else set()
        if key in chance.spare:
            return [], set(), at
        # Who answers a handshake answers it by the script, not by what arrived: it has to arrive.
        if flags & SYN:
            return made, set(), at
        if gone:
            made.append(Fate("drop", at, {(number, piece) for piece in gone} if pieces > 1 else None, None))
        elif pieces == 1 and late:
            made.append(Fate("dup", at, None, f"{held}ms"))
        elif pieces == 1 and doubled:
            made.append(Fate("delay", at, None, f"{g.choice((1, 15))}ms"))
        return made, gone, at

    def _in_a_row(self, g, flow, side, at, route):
        """Losses in rows: (whether this one is in a row, where)."""
        key = (flow.name, side)
        if not self.rows[key] and g.random() < self.chance.drop / 10:
            self.rows[key] = g.randint(5, 40)
        if not self.rows[key]:
            return False, at
        self.rows[key] -= 1
        return True, route[-1]

    def reaches(self, one, name):
        """How much of a transmission gets to a point: all, some or none of its wire segments."""
        if name not in one.route:
            return "none"
        if not one.gone or one.route.index(name) < one.route.index(one.at):
            return "all"
        return "none" if len(one.gone) == one.pieces else "some"

    def recorded(self, one, name):
        """Whether the capture at a point holds it, or a record that it was merged into."""
        point = self.points[self.index(name)]
        return (self.reaches(one, name) != "none" and ("miss", name) not in one.fates and
                (not point.only or point.selects(point.only, Passing(one.flow, one.side))))
