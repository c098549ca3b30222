#!/usr/bin/env python3
"""What dies by chance has no pattern, and what dies by a trait has: chance_patterns.py [--random N] [--traits N] BOTHENDS

Plays worlds whose losses chance alone decides (those of chance.py without its faults): none may get a loss-pattern of
a confidence above 0.5. Then worlds in which everything with one trait dies: where ten died that are no one burst, and
ten lived, the trait has to be named in 95 of 100. The same seeds give the same worlds.
"""
import argparse
import json
import multiprocessing
import os
import random
import shutil
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
from chance import new_folder
from chance_world import Chance, ChanceWorld
from recording import write_all
from script import Fate

SURE = 0.5
ENOUGH = 10
NAMED = 0.95
SIZES = (10, 300, 600, 1000, 1400)
LOW_TTL, MARKED = 3, 46 << 2
# What dies, and the traits that say so.
TRAITS = {
    "size": {"size"},
    "dscp": {"dscp"},
    "ttl": {"ttl"},
    "moment": {"moment"},
    "burst": {"burst"},
    "port": {"client-port-mod-2", "xor-mod-2"},
}


class TraitChance(Chance):
    """Conversations of datagrams, and one trait that kills."""

    def __init__(self, seed):
        super().__init__(seed, set())
        g = random.Random(f"trait {seed}")
        self.trait = g.choice(sorted(TRAITS))
        self.middle = self.merge = False
        self.size, self.share = g.choice(SIZES[2:]), g.uniform(0.3, 0.8)
        self.marks = {}
        self.flows = self._conversations(g)

    def _conversations(self, g):
        flows = []
        for n in range(24 if self.trait == "port" else g.randint(3, 8)):
            lines, at = [], round(g.uniform(0, 2), 3)
            start = at
            for _ in range(g.randint(8, 16)):
                at = round(at + g.uniform(0.2, 0.9), 3)
                many = g.randint(2, 14) if self.trait == "burst" else g.randint(1, 3)
                lines.append((at, g.choice("ccs"), many, g.choice(SIZES), 900))
                self.marks[f"f{n}", at] = g.choice(("", "", f" tos={MARKED}", f" ttl={LOW_TTL}"))
            flows.append([f"f{n}", "udp", start, (0, 0), 1, lines, at + 0.1])
        return flows

    def script_lines(self):
        """Those of Chance, with the marks of each line of packets."""
        marks = {f"{at:.4f} {name}:": mark for (name, at), mark in self.marks.items()}
        return [line + marks.get(line.split(":")[0] + ":", "") if "> (" in line else line for line in super().script_lines()]

    def moment(self):
        ends = [line[0] for flow in self.flows for line in flow[5]]
        return min(ends) + self.share * (max(ends) - min(ends))


class TraitWorld(ChanceWorld):
    def __init__(self, script, chance):
        self.fell, self.burst, self.died = {"bursts that died": 0, "lived": 0}, {}, {}
        super().__init__(script, chance)

    def send(self, time, flow, side, flags, low, length, attributes, fates, number, label, sack=None):
        self.packet = (time, length, attributes)
        super().send(time, flow, side, flags, low, length, attributes, fates, number, label, sack)

    def _dies(self, flow, side):
        time, length, attributes = self.packet
        last, place = self.burst.get((flow.name, side), (-1, 0))
        place = place + 1 if time - last < 0.01 else 1
        self.burst[flow.name, side] = time, place
        return side == "c" and flow.name != "last" and {
            "size": length >= self.chance.size,
            "dscp": int(attributes.get("tos", 0)) == MARKED,
            "ttl": int(attributes.get("ttl", 64)) == LOW_TTL,
            "moment": time >= self.chance.moment(),
            "burst": place > 6,
            "port": int(flow.name[1:]) % 2 == 1 if flow.name != "last" else False,
        }[self.chance.trait]

    def _count(self, flow, time, dies):
        self.fell["lived"] += not dies
        self.fell["bursts that died"] += dies and time - self.died.get(flow, -1) >= 0.5
        self.died[flow] = time if dies else -1

    def _fate(self, g, key, flow, side, flags, route, number, pieces):
        dies = self._dies(flow, side)
        if side == "c" and flow.name != "last":
            self._count(flow.name, self.packet[0], dies)
        return [Fate("drop", route[-1], None, None)] * dies, {1} if dies else set(), route[-1]


def patterns(world, bothends, folder):
    """(confidence, what separates, summary) of every pattern that is told."""
    database = os.path.join(folder, "out.db")
    subprocess.run([bothends, "analyze", "-q", "--force", "--threads", "1", "-o", database, *write_all(world, folder)],
                   check=True, capture_output=True, timeout=60)
    db = sqlite3.connect(database)
    rows = db.execute("SELECT confidence, detail, summary FROM finding WHERE kind = 'loss-pattern'").fetchall()
    db.close()
    return [(confidence, {detail["trait"]} | {one["trait"] for one in detail["equal"]}, summary)
            for confidence, detail, summary in ((c, json.loads(d), s) for c, d, s in rows)]


def by_chance(job):
    """The patterns of a world without one: lines, and how many of them are sure."""
    seed, bothends = job
    folder = new_folder()
    chance = Chance(seed, set())
    found = patterns(ChanceWorld(chance.script(folder), chance), bothends, folder)
    shutil.rmtree(folder)
    return [f"{'not ok' if sure > SURE else 'faint'} seed {seed}: {sure:.2f}: {summary}" for sure, _, summary in found]


def by_trait(job):
    """The trait of a world, whether enough died and lived, whether it is named, and what is said."""
    seed, bothends = job
    folder = new_folder()
    chance = TraitChance(seed)
    world = TraitWorld(chance.script(folder), chance)
    found = patterns(world, bothends, folder)
    shutil.rmtree(folder)
    return (seed, chance.trait, min(world.fell.values()) >= ENOUGH, any(traits & TRAITS[chance.trait] for _, traits, _ in found),
            world.fell, [summary for _, _, summary in found])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--random", type=int, default=40, help="worlds by chance alone")
    parser.add_argument("--traits", type=int, default=30, help="worlds with a trait that kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("bothends")
    o = parser.parse_args()
    sure = enough = named = 0
    with multiprocessing.Pool(o.jobs) as pool:
        for lines in pool.imap(by_chance, [(o.seed + n, o.bothends) for n in range(o.random)]):
            sure += sum(line.startswith("not ok") for line in lines)
            for line in lines:
                print(line, flush=True)
        for seed, trait, counts, said, fell, found in pool.imap(by_trait, [(o.seed + n, o.bothends) for n in range(o.traits)]):
            enough += counts
            named += counts and said
            if counts and not said:
                print(f"unnamed seed {seed}: {trait} {fell}: {found}", flush=True)
    print(f"{o.random} worlds by chance: {sure} patterns above {SURE}; of {enough} worlds with a trait, {named} name it")
    sys.exit(sure > 0 or named < NAMED * enough or (o.traits >= 10 and not enough))


if __name__ == "__main__":
    main()
