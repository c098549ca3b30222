#!/usr/bin/env python3
"""Worlds made by chance: chance.py [--seed N] [--count N] [--keep] BOTHENDS

Plays conversations in which chance decides what each packet suffers: lost, sent again, missed by either
capture or by both, copied, held up. The simulation knows all of it, and no answer may contradict it:
what was lost is never said to have been missed by a capture, nor the other way round, and nothing was injected. What is
proven by acknowledgments has to be said; the rest may stay unjudged. The same seeds give the same worlds.
"""
import argparse
import collections
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from frames import FIN, SYN
from recording import write_all
from script import Fate, Script
from world import World

Sent = collections.namedtuple("Sent", "flow side flags low length span pieces gone at fates label")


class Chance:
    """How often what happens in one world."""

    def __init__(self, generator):
        share = lambda *choices: generator.choice(choices)
        self.drop, self.miss = share(0, 0.01, 0.05, 0.15), share(0, 0, 0.02, 0.1)
        self.both, self.dup = share(0, 0, 0.02), share(0, 0, 0.02)
        self.delay = share(0, 0, 0.02)
        self.merge = share(False, False, True)
        # A record merged in the middle stands for several that were sent: no telling which is meant.
        self.points = "AB" if self.merge else share("AB", "ARB")
        # Offload merges only what has identifications that count up.
        self.no_ts = generator.random() < 0.3
        self.ids = "count" if self.merge else share("count", "count", "random")


class ChanceWorld(World):
    def __init__(self, script, generator, chance):
        self.generator, self.chance, self.sent = generator, chance, []
        super().__init__(script)

    def route(self, side):
        names = [point.name for point in self.points]
        return names if side == "c" else names[::-1]

    def send(self, time, flow, side, flags, low, length, attributes, fates, number, label, sack=None):
        route = self.route(side)
        hit = lambda share: share and self.generator.random() < share
        made = [Fate("miss", point, None, None) for point in route if hit(self.chance.miss)]
        if not made and hit(self.chance.both):
            made = [Fate("miss", point, None, None) for point in route]
        pieces, gone, at = max(1, -(-length // flow.segment())), set(), self.generator.choice(route[1:])
        # Who answers a handshake answers it by the script, not by what arrived: it has to arrive.
        if flags & SYN:
            pass
        elif pieces > 1:
            gone = {piece for piece in range(1, pieces + 1) if hit(self.chance.drop)}
            made += [Fate("drop", at, {(number, piece) for piece in gone}, None)] * bool(gone)
        elif hit(self.chance.drop):
            gone = {1}
            made.append(Fate("drop", at, None, None))
        elif hit(self.chance.dup):
            made.append(Fate("dup", at, None, f"{self.generator.choice((0.05, 3, 40))}ms"))
        elif hit(self.chance.delay):
            made.append(Fate("delay", at, None, f"{self.generator.choice((1, 15))}ms"))
        if length or flags & (SYN | FIN):
            attributes = {**attributes, "resend": f"{self.generator.choice((20, 45, 230))}ms"}
        label = f"t{len(self.sent)}"
        span = length + bool(flags & SYN) + bool(flags & FIN)
        self.sent.append(Sent(flow, side, flags, low, length, span, pieces, gone, at,
                              {(f.name, f.point) for f in made}, label))
        super().send(time, flow, side, flags, low, length, attributes, made, number, label, sack)

    def reaches(self, one, point):
        """How much of a transmission gets to a point: all, some or none of its wire segments."""
        route = self.route(one.side)
        if not one.gone or route.index(point) < route.index(one.at):
            return "all"
        return "none" if len(one.gone) == one.pieces else "some"


def script_of(generator, chance, path):
    lines = ["# chance"]
    for point in chance.points:
        clock = f" offset={generator.choice((0, -7, 3600))}s" * (point != "B")
        lines.append(f"point {point}{clock}{' gro' * chance.merge}")
    flows = generator.randint(1, 4)
    for n in range(flows):
        options = f"ids={chance.ids} acks={generator.choice((1, 2, 2))}"
        numbers = generator.choice((4294960000, 77)) + n * 3000, generator.choice((4294960290, 123456)) + n * 1777
        options += f" isn={numbers[0]}/{numbers[1]}"
        lines.append(f"flow f{n} tcp 10.0.0.1:{40000 + n} > 10.0.0.2:80 {options}{' no-ts' * chance.no_ts}")
    at = 0.0
    for n in range(flows):
        lines.append(f"{at:.3f} f{n}:open")
        for _ in range(generator.randint(1, 5)):
            at += generator.choice((0.05, 0.3))
            many, size = generator.randint(1, 60), generator.choice((10, 1000, 1448, 1448) + (5000, 14480) * chance.merge)
            side, every = generator.choice("cs"), generator.choice((50, 900))
            lines.append(f"{at:.3f} f{n}:{side}> P. ({many}x{size}) every={every}us")
        at += 1.0
        lines.append(f"{at:.3f} f{n}:close")
        at += generator.choice((-0.9, 0.5))
    # What has not arrived two seconds before the end may be on its way: somebody has to go on.
    lines.append("flow last tcp 10.0.0.1:50000 > 10.0.0.2:81 acks=1")
    lines += [f"{at + 4:.3f} last:open", f"{at + 5:.3f} last:close"]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return Script(path)


def kinds_at(db, near, far, column):
    """{frame: kinds of the events about it} of a leg; the frame where it was sent, or where it was received."""
    found = collections.defaultdict(set)
    for frame, kind in db.execute(
            f"SELECT e.{column}_frame, e.kind FROM segment_event e"
            " JOIN vantage v ON v.id = e.from_vantage_id JOIN host h ON h.id = v.host_id"
            " JOIN vantage w ON w.id = e.to_vantage_id JOIN host i ON i.id = w.host_id"
            " WHERE h.name = ? AND i.name = ?", (near, far)):
        found[frame].add(kind)
    return found


def unknowable(world, one, near, far):
    """What no evidence tells: a copy sent again that neither capture has, or that the network doubled and the
    receiving one missed; acknowledgments alone that a capture missed which lacks nothing else."""
    seen = lambda other, point: ("miss", point) not in other.fates and world.reaches(other, point) != "none"
    if world.reaches(one, far) != "all":
        return any(other is not one and other.flow is one.flow and other.side == one.side and
                   other.low < one.low + one.span and other.low + other.span > one.low and
                   world.reaches(other, far) != "none" and not seen(other, far) and
                   (not seen(other, near) or any(name == "dup" for name, _ in other.fates))
                   for other in world.sent if one.span)
    if one.gone:
        return True  # it was lost further on: where, is not known
    # What passes at the very beginning or end is too near to it to prove anything.
    return not one.span and not any(other.span and not other.flags & SYN and other.flow.name != "last" and other.side == one.side and
                                    world.reaches(other, far) == "all" and not seen(other, far) and seen(other, near)
                                    for other in world.sent)


def wrong_about(world, db):
    """Every answer that contradicts what happened."""
    wrong = []
    for side in "cs":
        route = world.route(side)
        for near, far in zip(route, route[1:]):
            wrong += wrong_on_leg(world, db, side, near, far)
    return wrong


def wrong_on_leg(world, db, side, near, far):
    events = {column: kinds_at(db, near, far, column) for column in ("sent", "received")}
    wrong = []
    for one in world.sent:
        if one.side != side or one.flow.name == "last" or world.reaches(one, near) == "none":
            continue
        sent = world.labels.get((near, one.label)) if ("miss", near) not in one.fates else None
        arrives = world.reaches(one, far)
        got = arrives != "none" and ("miss", far) not in one.fates
        received = world.labels.get((far, one.label)) if got else None  # None too where it was merged
        said = events["sent"][sent] if sent else set()
        said_far = events["received"][received] if received else set()
        what = f"{one.flow.name} {one.side}> {one.flags:#x} {one.low}+{one.length} {sorted(one.fates)} " \
               f"{near} {sent} {far} {received}: said {sorted(said | said_far)}"
        lost_here = arrives != world.reaches(one, near)
        unknown = bool(said) and unknowable(world, one, near, far)
        if sent and got and lost_here:
            wrong += [] if unknown or said & {"lost", "unjudged"} else ["lost in part, but " + what]
        elif sent and got and said & {"lost", "capture_missed", "unjudged"}:
            wrong.append("delivered, but " + what)
        elif sent and arrives == "none" and ("capture_missed" in said or not said):
            wrong += [] if unknown else ["lost, but " + what]
        elif sent and not got and not lost_here and ("lost" in said or not said):
            wrong += [] if unknown else ["missed, but " + what]
        elif "injected" in said_far:
            wrong.append("sent, but " + what)
        elif not sent and received and one.pieces == 1 and not said_far & {"sender_missed", "duplicated"}:
            wrong.append("not recorded at its sender, but " + what)
    return wrong


def payload_judged(db):
    """Events of payload: (unjudged, lost)."""
    return db.execute("SELECT coalesce(sum(kind = 'unjudged'), 0), coalesce(sum(kind = 'lost'), 0)"
                      " FROM segment_event WHERE length > 0").fetchone()


def play(bothends, seed, folder):
    generator = random.Random(seed)
    chance = Chance(generator)
    world = ChanceWorld(script_of(generator, chance, os.path.join(folder, "chance.scn")), generator, chance)
    inputs = write_all(world, folder)
    database = os.path.join(folder, "out.db")
    done = subprocess.run([bothends, "analyze", "-q", "--threads", "1", "-o", database, *inputs],
                          capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        return [f"status {done.returncode}: {done.stderr.strip()}"], (0, 0), chance
    db = sqlite3.connect(database)
    wrong = wrong_about(world, db)
    judged = payload_judged(db)
    for row in db.execute("PRAGMA integrity_check"):
        wrong += [] if row[0] == "ok" else [row[0]]
    db.close()
    return wrong, judged, chance


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("bothends")
    o = parser.parse_args()
    failed = 0
    total = [0, 0]
    for seed in range(o.seed, o.seed + o.count):
        folder = tempfile.mkdtemp(prefix="chance-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        wrong, judged, chance = play(o.bothends, seed, folder)
        total = [a + b for a, b in zip(total, judged)]
        failed += bool(wrong)
        if wrong:
            print(f"not ok seed {seed} {vars(chance)}" + (f" ({folder})" if o.keep else ""))
            for line in wrong[:8]:
                print("  " + line)
            if len(wrong) > 8:
                print(f"  and {len(wrong) - 8} more")
        if not (o.keep and wrong):
            shutil.rmtree(folder)
    print(f"{o.count - failed} passed, {failed} failed; of lost payload {total[1]} judged lost, {total[0]} not judged")
    # An answer that is always "unknown" contradicts nothing, and is worth nothing.
    sys.exit(bool(failed) or total[0] * 100 > total[1])


if __name__ == "__main__":
    main()
