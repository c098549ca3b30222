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
from script import Fate, Script
from world import World

Sent = collections.namedtuple("Sent", "flow side flags low length span pieces gone fates label")
ENDS = {"c": ("A", "B"), "s": ("B", "A")}


class Chance:
    """How often what happens in one world."""

    def __init__(self, generator):
        share = lambda *choices: generator.choice(choices)
        self.drop, self.miss = share(0, 0.01, 0.05, 0.15), share(0, 0, 0.02, 0.1)
        self.both, self.dup = share(0, 0, 0.02), share(0, 0, 0.02)
        self.delay = share(0, 0, 0.02)
        self.merge = share(False, False, True)
        # Offload merges only what has identifications that count up.
        self.no_ts = generator.random() < 0.3
        self.ids = "count" if self.merge else share("count", "count", "random")


class ChanceWorld(World):
    def __init__(self, script, generator, chance):
        self.generator, self.chance, self.sent = generator, chance, []
        super().__init__(script)

    def send(self, time, flow, side, flags, low, length, attributes, fates, number, label, sack=None):
        near, far = ENDS[side]
        hit = lambda share: share and self.generator.random() < share
        made = [Fate("miss", near, None, None)] * bool(hit(self.chance.miss))
        made += [Fate("miss", far, None, None)] * bool(hit(self.chance.miss))
        if not made and hit(self.chance.both):
            made = [Fate("miss", near, None, None), Fate("miss", far, None, None)]
        pieces, gone = max(1, -(-length // flow.segment())), set()
        # Who answers a handshake answers it by the script, not by what arrived: it has to arrive.
        if flags & SYN:
            pass
        elif pieces > 1:
            gone = {piece for piece in range(1, pieces + 1) if hit(self.chance.drop)}
            made += [Fate("drop", far, {(number, piece) for piece in gone}, None)] * bool(gone)
        elif hit(self.chance.drop):
            gone = {1}
            made.append(Fate("drop", far, None, None))
        elif hit(self.chance.dup):
            made.append(Fate("dup", far, None, f"{self.generator.choice((0.05, 3, 40))}ms"))
        elif hit(self.chance.delay):
            made.append(Fate("delay", far, None, f"{self.generator.choice((1, 15))}ms"))
        if length or flags & (SYN | FIN):
            attributes = {**attributes, "resend": f"{self.generator.choice((20, 45, 230))}ms"}
        label = f"t{len(self.sent)}"
        span = length + bool(flags & SYN) + bool(flags & FIN)
        self.sent.append(Sent(flow, side, flags, low, length, span, pieces, gone,
                              {(f.name, f.point) for f in made}, label))
        super().send(time, flow, side, flags, low, length, attributes, made, number, label, sack)


def script_of(generator, chance, path):
    lines = ["# chance", f"point A offset={generator.choice((0, -7, 3600))}s{' gro' * chance.merge}",
             "point B" + " gro" * chance.merge]
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


def kinds_at(db, host, frame_column):
    """{frame: kinds of the events about it}, where it was recorded by that host."""
    found = collections.defaultdict(set)
    for frame, kind in db.execute(
            f"SELECT e.{frame_column}_frame, e.kind FROM segment_event e JOIN capture_file f"
            f" ON f.id = e.{frame_column}_file_id JOIN host h ON h.id = f.host_id WHERE h.name = ?", (host,)):
        found[frame].add(kind)
    return found


def unknowable(world, one, far):
    """What no evidence tells: a copy sent again that neither capture has, or that the network doubled and the
    receiving one missed; acknowledgments alone that a capture missed which lacks nothing else."""
    seen = lambda other, point: ("miss", point) not in other.fates
    arrived = lambda other: len(other.gone) < other.pieces
    if one.gone:
        return any(other is not one and other.flow is one.flow and other.side == one.side and other.low < one.low + one.span and
                   other.low + other.span > one.low and arrived(other) and not seen(other, far) and
                   (not seen(other, ENDS[other.side][0]) or ("dup", far) in other.fates)
                   for other in world.sent if one.span)
    # What passes at the very end is too near to it to prove anything.
    return not one.span and not any(other.span and other.flow.name != "last" and not seen(other, far) and
                                    seen(other, ENDS[other.side][0])
                                    for other in world.sent if ENDS[other.side][1] == far)


def wrong_about(world, db):
    """Every answer that contradicts what happened."""
    events = {(host, column): kinds_at(db, host, column) for host in "AB" for column in ("sent", "received")}
    wrong = []
    for one in world.sent:
        near, far = ENDS[one.side]
        sent = world.labels.get((near, one.label)) if ("miss", near) not in one.fates else None
        arrived = len(one.gone) < one.pieces
        got = arrived and ("miss", far) not in one.fates
        received = world.labels.get((far, one.label)) if got else None  # None too where it was merged
        said = events[near, "sent"][sent] if sent else set()
        said_far = events[far, "received"][received] if received else set()
        what = f"{one.flow.name} {one.side}> {one.flags:#x} {one.low}+{one.length} {sorted(one.fates)} " \
               f"{near} {sent} {far} {received}: said {sorted(said | said_far)}"
        if sent and got and one.gone:
            unknown = said and unknowable(world, one, far)
            wrong += [] if unknown or said & {"lost", "unjudged"} else ["lost in part, but " + what]
        elif sent and got and said & {"lost", "capture_missed", "unjudged"}:
            wrong.append("delivered, but " + what)
        elif sent and not arrived and ("capture_missed" in said or not said):
            wrong += [] if said and unknowable(world, one, far) else ["lost, but " + what]
        elif sent and arrived and not got and not one.gone and ("lost" in said or not said):
            wrong += [] if said and unknowable(world, one, far) else ["missed, but " + what]
        elif "injected" in said_far:
            wrong.append("sent, but " + what)
        elif not sent and received and not said_far & {"sender_missed", "duplicated"}:
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
    inputs = [f"{point.name}={path}" for point in world.points
              for path in world.write(point, os.path.join(folder, point.name + ".pcap"))]
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
