#!/usr/bin/env python3
"""Change one line of the program at a time, and name the changes that no test notices.

    mutate.py FOLDER [--count N] [--seed S] [--in FOLDER,...] [--only PATH:LINE] [--jobs N]

FOLDER becomes a copy of the tree with a build of its own. Changes are chosen by the seed among all lines of the C
files in --in that a rule of sites.py can change. Each is built and put to the tests until one fails: unit tests, scenarios,
worlds by chance, recorded captures. A change that does not compile, or gives the same program, is drawn again. Ends with
status 1 if a change went unnoticed."""
import argparse
import filecmp
import glob
import hashlib
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(1, os.path.join(ROOT, "tests", "scenario"))
import chance
import run as scenarios
from recording import write_all
from script import Script
from sites import changes
from verdict import Verdict
from world import World

UNIT = ("nearness", "survey", "track", "steady", "clock", "match")
PROGRAM = "analyzer/bothends"
FOLDERS = "analyzer/join,analyzer/flow,analyzer/survey"
WORLDS = [(seed, set(chance.HOLDING)) for seed in range(1, 13)] + \
    [(seed, {"any", "bursts", "headers", "nat", "parallel", "ties"}) for seed in range(1, 9)]
RECORDED = sorted(os.path.dirname(path) for path in glob.glob(os.path.join(ROOT, "fixtures", "capture", "*", "truth.json")))[::4]
BATCH = 8
PATIENCE = 30  # seconds that a program may take before it counts as hung


def copy(one, other):
    """Unless they are the same: what is as it was is not built again."""
    if not os.path.exists(other) or not filecmp.cmp(one, other, shallow=False):
        shutil.copy2(one, other)
        os.utime(other)


def copy_tree(folder):
    """The files that git knows, as they are now, and a build without the optimisations that take time. A folder that was
    used before keeps its build."""
    names = subprocess.run(["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True).stdout.split(b"\0")
    for name in (n.decode() for n in names if n):
        if os.path.isfile(os.path.join(ROOT, name)):
            os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
            copy(os.path.join(ROOT, name), os.path.join(folder, name))
    shutil.rmtree(os.path.join(folder, "cases"), ignore_errors=True)
    if os.path.exists(os.path.join(folder, "build", "build.ninja")):
        return
    subprocess.run(["meson", "setup", "build", "-Db_lto=false", "-Doptimization=1", "-Ddebug=false"], cwd=folder, check=True,
                   stdout=subprocess.DEVNULL)


def build(folder, jobs):
    targets = [PROGRAM, *(f"tests/unit/test_{name}" for name in UNIT)]
    done = subprocess.run(["ninja", "-C", os.path.join(folder, "build"), "-j", str(jobs), *targets], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout


def digest(folder):
    """Of all programs: what the compiler makes the same of is the same."""
    total = hashlib.sha256()
    for name in (PROGRAM, *(f"tests/unit/test_{name}" for name in UNIT)):
        with open(os.path.join(folder, "build", name), "rb") as file:
            total.update(file.read())
    return total.digest()


class Scenarios:
    """Every script, its world and its captures, made once; those that found something come first."""

    def __init__(self, folder, share):
        self.cases = []
        for path in scenarios.cases([os.path.join(folder, "fixtures", "scenario")])[::share]:
            script = Script(path)
            if script.pending or any(s.words[0] == "refused" for s in script.expected):
                continue
            place = os.path.join(folder, "cases", str(len(self.cases)))
            os.makedirs(place)
            world = World(script)
            self.cases.append((path, place, script, world, write_all(world, place)))

    def promote(self, name):
        self.cases.sort(key=lambda case: case[0] != name)


def try_unit(folder):
    for name in UNIT:
        program = os.path.join(folder, "build", "tests", "unit", "test_" + name)
        try:
            done = subprocess.run([program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE, cwd=folder)
        except subprocess.TimeoutExpired:
            return f"unit {name} (no end)"
        if done.returncode:
            return f"unit {name}"
    return None


def try_scenario(job):
    """The name of the case, if it fails."""
    bothends, path, place, script, world, inputs = job
    database = os.path.join(place, "out.db")
    try:
        failed = scenarios.analyze(bothends, ["--force", *script.given, *inputs], database)
        return path if failed or Verdict(script, world, database).check() else None
    except subprocess.TimeoutExpired:
        return path


def try_world(job):
    seed, faults, bothends = job
    wrong, _, _, _ = chance.one_world((seed, faults, bothends, False, False))
    return f"chance {seed} {','.join(sorted(faults))}" if wrong else None


def try_recorded(job):
    bothends, place = job
    try:
        done = subprocess.run([os.path.join(ROOT, "tests", "lab", "check.py"), "--bothends", bothends, place], timeout=2 * PATIENCE,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return place
    return f"recorded {os.path.basename(place)}" if done.returncode else None


def first(pool, function, jobs):
    """What the first failing test says; few are under way at a time, so that none outlives the program it tests."""
    for at in range(0, len(jobs), BATCH):
        for found in filter(None, pool.map(function, jobs[at:at + BATCH], 1)):
            return found
    return None


def noticed(folder, pool, cases, quick):
    """The first test that fails, or None."""
    bothends = os.path.join(folder, "build", PROGRAM)
    found = try_unit(folder)
    if found:
        return found
    found = first(pool, try_scenario, [(bothends, *case) for case in cases.cases])
    if found:
        cases.promote(found)
        return f"scenario {os.path.relpath(found, folder)}"
    return None if quick else first(pool, try_world, [(*world, bothends) for world in WORLDS]) or \
        first(pool, try_recorded, [(bothends, place) for place in RECORDED])


class Tree:
    """The copy with one line changed, and changed back."""

    def __init__(self, folder, jobs):
        self.folder, self.jobs = folder, jobs
        copy_tree(folder)
        good, output = build(folder, jobs)
        if not good:
            sys.exit(f"the unchanged tree does not build:\n{output[-2000:]}")
        self.unchanged = digest(folder)

    def put(self, change):
        """Whether the changed tree builds and is another program."""
        self._write(change, change.old, change.new)
        return build(self.folder, self.jobs)[0] and digest(self.folder) != self.unchanged

    def restore(self, change):
        self._write(change, change.new, change.old)

    def _write(self, change, old, new):
        path = os.path.join(self.folder, change.path)
        with open(path, encoding="utf-8") as file:
            lines = file.read().split("\n")
        assert lines[change.number - 1] == old
        lines[change.number - 1] = new
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines))


def chosen(o, rng):
    """Changes in the order of chance, never two of one line."""
    lines = changes(o.folder, o.folders.split(","))
    if o.only:
        return [c for line in lines for c in line if f"{c.path}:{c.number}" in o.only]
    rng.shuffle(lines)
    return (rng.choice(line) for line in lines)


def describe(change):
    return f"{change.path}:{change.number}: {change.rule}: {change.old.strip()}  ->  {change.new.strip()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--in", dest="folders", default=FOLDERS)
    parser.add_argument("--only", nargs="+", metavar="PATH:LINE", help="every change to these lines")
    parser.add_argument("--quick", action="store_true", help="unit tests and scenarios alone")
    parser.add_argument("--share", type=int, default=1, metavar="N", help="every Nth scenario alone")
    parser.add_argument("--unchecked", action="store_true", help="the unchanged tree is known to pass")
    parser.add_argument("--jobs", type=int, default=2)
    o = parser.parse_args()
    tree = Tree(os.path.abspath(o.folder), o.jobs)
    cases = Scenarios(tree.folder, o.share)
    tried, missed = 0, 0
    with multiprocessing.Pool(o.jobs) as pool:
        found = None if o.unchecked else noticed(tree.folder, pool, cases, o.quick)
        if found:
            sys.exit(f"the unchanged tree fails: {found}")
        for change in chosen(o, random.Random(o.seed)):
            if tried == o.count:
                break
            began = time.monotonic()
            if tree.put(change):
                found = noticed(tree.folder, pool, cases, o.quick)
                tried, missed = tried + 1, missed + (found is None)
                print(f"{found or 'UNNOTICED'}: {describe(change)} ({time.monotonic() - began:.0f} s)", flush=True)
            else:
                print(f"same or no program: {describe(change)}", flush=True)
            tree.restore(change)
    print(f"{tried} changes, {missed} unnoticed")
    return 1 if missed or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
