#!/usr/bin/env python3
"""Worlds made by chance: chance.py [--seed N] [--count N] [--faults NAME,...|all] [--keep] [--smallest] BOTHENDS

Plays conversations in which chance decides what each packet suffers: lost, sent again, missed by either
capture or by both, copied, held up, and what kind of captures there are (--list names the faults). The simulation
knows all of it, and no answer may contradict it: what was lost is never said to have been missed by a capture, nor the
other way round, nothing was injected or changed, and no warning lacks a reason. What is proven by acknowledgments has to
be said; the rest may stay unjudged. The same seeds and faults give the same worlds; each is described in one line.
"""
import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from chance_oracle import contradictions, opened, payload_judged
from chance_world import FAULTS, Chance, ChanceWorld
from recording import write_all
from smallest import smallest

# What holds today, and is tried by ./test.sh; --faults all is the long run.
HOLDING = ("bursts", "datagrams", "short", "ties")
# With these as without: nearly all lost payload can be judged.
JUDGED = {"bursts", "ties"}
SHOWN = 6
MEMORY_FOLDER = "/dev/shm"


def play(bothends, chance, folder):
    """Contradictions of one world, (unjudged, lost) payload, and the world."""
    world = ChanceWorld(chance.script(folder), chance)
    inputs = write_all(world, folder)
    database = os.path.join(folder, "out.db")
    try:
        done = subprocess.run([bothends, "analyze", "-q", "--force", "--threads", "1", "-o", database, *inputs],
                              capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return ["no end in a minute"], (0, 0), world
    if done.returncode not in (0, 1):
        return [f"status {done.returncode}: {done.stderr.strip()}"], (0, 0), world
    db = opened(database)
    wrong, judged = contradictions(world, db), payload_judged(db)
    db.close()
    return wrong, judged, world


def new_folder():
    return tempfile.mkdtemp(prefix="chance-", dir=MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None)


def fails(bothends):
    """For smallest(): whether a world fails, and whom something befalls in it."""
    def tried(chance):
        folder = new_folder()
        wrong, _, world = play(bothends, chance, folder)
        shutil.rmtree(folder)
        return bool(wrong), [one.label for one in world.sent if one.fates]
    return tried


def one_world(job):
    seed, allowed, bothends, keep, cut = job
    chance = Chance(seed, allowed)
    folder = new_folder()
    wrong, judged, world = play(bothends, chance, folder)
    lines = [f"{'not ok' if wrong else 'ok'} seed {seed}: {chance.describe()}" + f" ({folder})" * (keep and bool(wrong))]
    if wrong and cut:
        chance = smallest(chance, fails(bothends))
        wrong, _, world = play(bothends, chance, folder)
        lines.append(f"  smallest: {chance.describe()}")
        lines += ["    " + line for line in chance.script_lines()[1:]]
        lines += [f"    {one.label}: {' '.join(sorted(f'{n}@{p}' for n, p in one.fates))}" for one in world.sent if one.fates]
    lines += ["  " + line for line in wrong[:SHOWN]]
    lines += [f"  and {len(wrong) - SHOWN} more"] * (len(wrong) > SHOWN)
    if not (keep and wrong):
        shutil.rmtree(folder)
    return bool(wrong), judged, chance.faults, lines


def allowed_faults(text):
    names = set(FAULTS) if text == "all" else set(text.split(",")) - {""}
    if names - set(FAULTS):
        sys.exit(f"unknown fault: {', '.join(sorted(names - set(FAULTS)))}")
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--faults", default=",".join(HOLDING), help="NAME,... or all")
    parser.add_argument("--list", action="store_true", help="what each fault is")
    parser.add_argument("--keep", action="store_true", help="keep the captures of worlds that fail")
    parser.add_argument("--smallest", action="store_true", help="cut failing worlds down")
    parser.add_argument("--verbose", action="store_true", help="a line for each world that holds, too")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("bothends", nargs="?")
    o = parser.parse_args()
    if o.list:
        sys.exit(print("\n".join(f"{name:10} {text}" for name, text in FAULTS.items())))
    if not o.bothends:
        parser.error("BOTHENDS is missing")
    allowed, failed, total = allowed_faults(o.faults), 0, [0, 0]
    worlds = [(seed, allowed, o.bothends, o.keep, o.smallest) for seed in range(o.seed, o.seed + o.count)]
    with multiprocessing.Pool(o.jobs) as pool:
        for wrong, judged, faults, lines in pool.imap(one_world, worlds):
            total = [a + b for a, b in zip(total, judged)] if faults <= JUDGED else total
            failed += wrong
            if wrong or o.verbose:
                print("\n".join(lines), flush=True)
    print(f"{o.count - failed} passed, {failed} failed; of lost payload {total[1]} judged lost, {total[0]} not judged")
    # An answer that is always "unknown" contradicts nothing, and is worth nothing. One in fifty may be unknown: what was
    # sent last before a capture ends, or beside frames that it provably missed, nobody can judge.
    sys.exit(bool(failed) or total[0] * 50 > total[1])


if __name__ == "__main__":
    main()
