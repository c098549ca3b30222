#!/usr/bin/env python3
"""Worlds made by chance on real stacks, and the program's answer held against what happened.

    run.py BOTHENDS [--seeds A-B | --seed S | --minutes M] [--keep DIR] [--smallest] [--jobs N]
    run.py BOTHENDS --specs FILE    worlds as written down, one a line; what fails once is made again
    run.py BOTHENDS --again DIR     judge a kept world again; nothing is built

Prints `ok world SEED: description` or `not ok world SEED: why`, void worlds as comments, and at the end
the failures by class. Status 1: a false critical finding, a wrong count or a crash.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "lab")]

import judge  # noqa: E402
import lab  # noqa: E402
import spec as specs  # noqa: E402

WORLD_LIMIT_S, ATTEMPTS, VOID = 60, 3, 3
GRAVE = ("false-critical", "wrong-count", "crash")
CLASSES = ("false-critical", "wrong-count", "crash", "false-warning", "missed")


class Broken(Exception):
    """The world itself failed: no answer of the program was asked."""


def make_world(spec, folder, processor):
    """Leave a world in a folder; False where it was void."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "spec.json")
    with open(path, "w") as file:
        json.dump(spec, file, indent=1)
    command = [sys.executable, os.path.join(HERE, "world.py"), path, folder]
    # unshare --kill-child ends everything in the world when its first process goes.
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "LAB_PROCESSOR": str(processor)},
                          start_new_session=True) as process:
        try:
            _, said = process.communicate(timeout=WORLD_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Broken("took too long") from None
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode == VOID:
        print(f"# world {spec['seed']} void: {' '.join(said.split())}", file=sys.stderr)
        return False
    if process.returncode:
        raise Broken((said.strip() or "nothing said").splitlines()[-1])
    return True


def try_world(program, spec, folder, processor=0):
    """Failures of a world, or None where every attempt was void."""
    for _ in range(ATTEMPTS):
        if make_world(spec, folder, processor):
            return judge.judge_folder(program, folder)
    return None


def smallest(program, spec, failure, folder):
    """The smallest world in which the same rule still fails; what chance decides is tried twice."""
    same = lambda listed: any((one.kind, one.rule) == (failure.kind, failure.rule) for one in listed or ())
    shrinking = True
    while shrinking:
        shrinking = False
        for what, smaller in specs.simplify(spec):
            try:
                if any(same(try_world(program, smaller, folder)) for _ in range(2)):
                    print(f"# without {what}", flush=True)
                    spec, shrinking = smaller, True
                    break
            except Broken as why:
                print(f"# without {what}: the world itself failed: {why}", flush=True)
    return spec


class Run:
    def __init__(self, args):
        self.args = args
        self.found = collections.defaultdict(list)
        self.count = collections.Counter()

    def one(self, number, spec):
        seed = spec["seed"]
        folder = os.path.join(self.args.keep or self.work, f"world-{seed}")
        try:
            failures = try_world(self.args.bothends, spec, folder, number)
            if failures and self.args.specs:
                print(f"# world {seed}, first run: {failures[0].kind} {failures[0].text}", flush=True)
                failures = try_world(self.args.bothends, spec, folder, number)
        except Broken as why:
            return spec, None, f"the world itself failed: {why}"
        if not self.args.keep:
            shutil.rmtree(folder, ignore_errors=True)
        return spec, failures, None

    def report(self, spec, failures, broken):
        seed = spec["seed"]
        self.count["worlds"] += 1
        if broken:
            self.count["broken"] += 1
            print(f"not ok world {seed}: {broken}", flush=True)
        elif failures is None:
            self.count["void"] += 1
            print(f"skip world {seed}: void each time", flush=True)
        elif failures:
            first = min(failures, key=lambda one: CLASSES.index(one.kind))
            print(f"not ok world {seed}: {first.kind} {first.rule}: {first.text}"
                  f" [{specs.describe(spec)}]", flush=True)
            for rule in sorted({(one.kind, one.rule) for one in failures}):
                self.found[rule].append(seed)
            self.shrink(spec, first)
        else:
            self.count["ok"] += 1
            print(f"ok world {seed}: {specs.describe(spec)}", flush=True)

    def shrink(self, spec, failure):
        if not self.args.smallest:
            return
        folder = os.path.join(self.args.keep or self.work, f"smallest-{spec['seed']}")
        small = smallest(self.args.bothends, spec, failure, folder)
        print(f"# smallest: {specs.describe(small)}\n# {json.dumps(small)}", flush=True)

    def specs(self):
        if self.args.specs:
            with open(self.args.specs) as file:
                yield from map(json.loads, file)
        elif self.args.seeds:
            first, _, last = self.args.seeds.partition("-")
            yield from map(specs.make, range(int(first), int(last or first) + 1))
        else:
            end, seed = time.monotonic() + self.args.minutes * 60, int(time.time())
            while time.monotonic() < end:
                yield specs.make(seed)
                seed += 1

    def all(self):
        with tempfile.TemporaryDirectory(prefix="worlds-") as self.work, \
                concurrent.futures.ThreadPoolExecutor(self.args.jobs) as pool:
            waiting = collections.deque()
            for number, spec in enumerate(self.specs()):
                waiting.append(pool.submit(self.one, number, spec))
                while len(waiting) > self.args.jobs:
                    self.report(*waiting.popleft().result())
            while waiting:
                self.report(*waiting.popleft().result())
        self.close()
        grave = any(kind in GRAVE for kind, _ in self.found)
        return 1 if grave or self.count["broken"] or not self.count["ok"] + len(self.found) else 0

    def close(self):
        print("# " + ", ".join(f"{value} {name}" for name, value in self.count.items()))
        for kind in CLASSES:
            rules = {rule: seeds for (k, rule), seeds in self.found.items() if k == kind}
            if rules:
                print(f"# {kind}: {len(set(sum(rules.values(), [])))} worlds")
                for rule, seeds in sorted(rules.items(), key=lambda item: -len(item[1])):
                    print(f"#   {rule}: {len(seeds)}, seeds {' '.join(map(str, seeds[:12]))}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("bothends", type=os.path.abspath)
    parser.add_argument("--seeds", "--seed", metavar="A-B")
    parser.add_argument("--specs", metavar="FILE")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--keep", metavar="DIR", type=os.path.abspath)
    parser.add_argument("--smallest", action="store_true")
    parser.add_argument("--jobs", type=int, default=3)
    parser.add_argument("--again", metavar="DIR")
    args = parser.parse_args()
    if args.again:
        failures = judge.judge_folder(args.bothends, args.again)
        print("\n".join(f"{one.kind} {one.rule}: {one.text}" for one in failures) or "ok")
        return 1 if failures else 0
    why = lab.obstacle()
    if why:
        print(f"skip worlds: {why}")
        return 0
    return Run(args).all()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
