#!/usr/bin/env python3
"""The oracle of chance.py must find out what is not so: chance_test.py BOTHENDS plays worlds, puts a lie into the
database of each, and wants a contradiction; the same seed twice must give the same captures; a world cut down must still fail."""
import glob
import os
import sqlite3
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
import chance
from chance_oracle import contradictions
from chance_world import FAULTS, Chance, ChanceWorld
from recording import write_all
from smallest import smallest

# What the database says instead.
LIES = [
    ("lost is called missed", "UPDATE segment_event SET kind = 'capture_missed' WHERE kind = 'lost' AND length > 0"),
    ("missed is called lost", "UPDATE segment_event SET kind = 'lost' WHERE kind = 'capture_missed'"),
    ("an arrival is called injected", "UPDATE segment_event SET kind = 'injected' WHERE kind = 'sender_missed'"),
    ("losses are not mentioned", "DELETE FROM segment_event WHERE kind = 'lost'"),
    ("what a capture missed is not mentioned", "DELETE FROM segment_event WHERE kind = 'capture_missed'"),
    ("a finding has no reason", "UPDATE finding SET kind = 'injected-segment', severity = 'critical'"),
]


def some_world(folder, bothends):
    """A world with losses and misses, and its database."""
    for seed in range(1, 200):
        made = Chance(seed, set())
        if made.drop >= 0.05 and made.miss >= 0.02 and not made.middle:
            wrong, _, world = chance.play(bothends, made, folder)
            assert not wrong, f"seed {seed} fails by itself: {wrong[0]}"
            return world, os.path.join(folder, "out.db")
    raise AssertionError("no seed has losses and misses")


def lies_are_found_out(bothends):
    with tempfile.TemporaryDirectory() as folder:
        world, path = some_world(folder, bothends)
        for what, lie in LIES:
            db = sqlite3.connect(path, isolation_level=None)
            db.execute("PRAGMA foreign_keys = OFF")
            db.execute("BEGIN")
            changed = db.execute(lie).rowcount
            assert changed > 0, f"nothing to lie about: {what}"
            assert contradictions(world, db), f"believed: {what} ({changed} rows)"
            db.execute("ROLLBACK")
            db.close()


def seeds_are_replayed(_):
    for seed in (3, 4):
        contents = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as folder:
                made = Chance(seed, set(FAULTS))
                write_all(ChanceWorld(made.script(folder), made), folder)
                contents.append([open(path, "rb").read() for path in sorted(glob.glob(folder + "/*.pcap"))])
        assert contents[0] == contents[1] and len(contents[0]) > 1, f"seed {seed} gave two worlds"


def every_fault_is_made(_):
    seen = set()
    for seed in range(1, 60):
        made = Chance(seed, set(FAULTS))
        seen |= made.faults
        assert made.describe().count("\n") == 0
    assert seen == set(FAULTS), f"never made: {set(FAULTS) - seen}"


def a_world_is_cut_down(_):
    """Fails while it loses one packet of the client's: little else may be left."""
    def fails(made):
        with tempfile.TemporaryDirectory() as folder:
            world = ChanceWorld(made.script(folder), made)
        gone = [one for one in world.sent if one.gone and one.side == "c"]
        return bool(gone), [one.label for one in world.sent if one.fates]

    made = next(made for made in (Chance(seed, set()) for seed in range(1, 200))
                if made.drop and made.miss and len(made.flows) > 2 and fails(made)[0])
    left = smallest(made, fails)
    before, after = (sum(line[2] for flow in each.flows for line in flow[5]) for each in (made, left))
    assert fails(left)[0] and len(left.flows) == 1 and len(fails(left)[1]) <= 3 and not left.miss, left.describe()
    assert after * 2 < before, f"{before} packets, and still {after}"


def main():
    failed = 0
    for test in (lies_are_found_out, seeds_are_replayed, every_fault_is_made, a_world_is_cut_down):
        try:
            test(sys.argv[1])
        except AssertionError as error:
            failed += 1
            print(f"not ok {test.__name__}: {error}")
    print(f"{4 - failed} passed, {failed} failed")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
