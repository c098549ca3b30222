#!/usr/bin/env python3
"""Change recorded and simulated captures in ways whose effect on the answer is known, and compare the answers.

    run.py BOTHENDS [--relation NAME ...] [--case NAME ...] [--sample N] [--seed S] [--jobs N] [--keep DIR]

NAME may hold * and ?; a case is named as in the output, with or without what was changed (no-loss:server.pcap).
Prints `ok RELATION CASE` or `not ok RELATION CASE: CLASS: why` with the two answers side by side, then counts by
relation and by class, and ends with status 1 if a relation does not hold. --list names the relations and why they
must hold; --runs FILE runs the pairs `RELATION CASE` that stand in a file."""
import argparse
import collections
import fnmatch
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import traceback
import zlib

sys.dont_write_bytecode = True
import answer
import cases
import of_captures, of_frames, of_inputs, of_parts  # each adds its relations to the table
from relation import RELATIONS, Unfit

Outcome = collections.namedtuple("Outcome", "relation case state kind text")  # state: ok, not ok, unfit
LINES = 8  # of the two answers side by side
WIDTH = 78


def title(relation, case, which):
    label = relation.label(case, which)
    return case.name + (f":{label}" if label is not None else "")


def write(case, folder):
    """The inputs of a case as files in a folder, and as arguments."""
    os.makedirs(folder)
    arguments = []
    for number, each in enumerate(case.inputs):
        place = folder
        if os.path.exists(os.path.join(place, each.file)):
            place = os.path.join(folder, str(number))
            os.makedirs(place)
        path = os.path.join(place, each.file)
        with open(path, "wb") as file:
            file.write(each.content())
        arguments.append(f"{each.host}={path}" if each.host else path)
    return arguments


def ask(bothends, case, folder, naming=answer.Naming()):
    """The program's answer to a case."""
    arguments = write(case, folder)
    options = case.options if "--threads" in case.options else ("--threads", "1", *case.options)
    database = os.path.join(folder, "out.db")
    answer.run(bothends, arguments, options, database)
    return answer.read(database, naming)


def side_by_side(differences):
    lines = [f"    {d.before[:WIDTH]:<{WIDTH}} | {d.after[:WIDTH]}".rstrip() for d in differences[:LINES]]
    more = len(differences) - LINES
    return lines + ([f"    and {more} more"] if more > 0 else [])


class Bench:
    """Runs of one case: the unchanged answer is asked for once."""

    def __init__(self, name, o):
        self.case, self.o = cases.load(name), o
        self.folder = tempfile.mkdtemp(prefix="relations-", dir=cases.MEMORY_FOLDER)
        self.before = None

    def close(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, relation, which):
        label = title(relation, self.case, which)
        rng = random.Random(zlib.crc32(f"{relation.name} {label} {self.o.seed}".encode()))
        changed_folder = os.path.join(self.folder, "changed")
        try:
            changed = relation.change(self.case, which, rng)
            before = self._before(changed)
            if changed.unfit(before):
                raise Unfit(changed.unfit(before))
            after = ask(self.o.bothends, changed.case, changed_folder, changed.naming)
            differences = answer.compare(before, after, changed.permit)
            differences += answer.beyond_truth(self.case.truth, after)
        except Unfit as reason:
            return Outcome(relation.name, label, "unfit", None, str(reason))
        except answer.Failed as error:
            differences = [answer.Difference("changed", str(error), "a database", str(error))]
        if differences and self.o.keep:
            self._keep(relation, label, differences)
        shutil.rmtree(changed_folder, ignore_errors=True)
        if not differences:
            return Outcome(relation.name, label, "ok", None, "")
        worst = differences[0]
        return Outcome(relation.name, label, "not ok", worst.kind,
                       "\n".join([worst.text, *side_by_side(differences)]))

    def _before(self, changed):
        if changed.base:
            shutil.rmtree(os.path.join(self.folder, "base"), ignore_errors=True)
            return ask(self.o.bothends, changed.base, os.path.join(self.folder, "base"))
        if self.before is None:
            self.before = ask(self.o.bothends, self.case, os.path.join(self.folder, "unchanged"))
        return self.before

    def _keep(self, relation, label, differences):
        place = os.path.join(self.o.keep, relation.name, label.replace("/", "-"))
        shutil.rmtree(place, ignore_errors=True)
        os.makedirs(place)
        for name in ("unchanged", "base", "changed"):
            if os.path.isdir(os.path.join(self.folder, name)):
                shutil.copytree(os.path.join(self.folder, name), os.path.join(place, name))
        with open(os.path.join(place, "differences.txt"), "w", encoding="utf-8") as file:
            for d in differences:
                file.write(f"{d.kind}: {d.text}\n  unchanged: {d.before}\n  changed:   {d.after}\n")


def run_case(job):
    """All chosen runs of one case."""
    name, chosen, o = job
    bench = Bench(name, o)
    try:
        return [bench.run(RELATIONS[relation], which) for relation, which in chosen]
    except Exception as error:
        raise RuntimeError(f"{name}: {error}\n{traceback.format_exc()}") from error
    finally:
        bench.close()


def variants(job):
    name, patterns, relation_names = job
    case, found = cases.load(name), []
    for relation in (RELATIONS[r] for r in relation_names):
        for which in relation.variants(case):
            label = title(relation, case, which)
            if any(fnmatch.fnmatch(label, p) or fnmatch.fnmatch(name, p) for p in patterns):
                found.append((name, relation.name, which, label))
    return found


def runs_in(path):
    """The pairs (relation, case) that a file lists, one a line."""
    with open(path, encoding="utf-8") as file:
        return {tuple(line.split()) for line in file if line.strip() and not line.startswith("#")}


def choose(o, pool):
    """The runs that were asked for, as (case, [(relation, which)])."""
    wanted = runs_in(o.runs) if o.runs else None
    if wanted:
        o.relation, o.case = ([pair[n] for pair in wanted] for n in (0, 1))
    names = [r for r in RELATIONS if any(fnmatch.fnmatch(r, p) for p in o.relation or ["*"])]
    if not names:
        sys.exit(f"no relation is called so: {' '.join(o.relation)} (--list names them)")
    patterns = o.case or ["*"]
    likely = [c for c in cases.places() if any(fnmatch.fnmatch(c, p.split(":")[0]) for p in patterns)]
    every = [run for found in pool.imap(variants, [(c, patterns, names) for c in likely], 4) for run in found]
    if wanted:
        unknown = wanted - {(relation, label) for _, relation, _, label in every}
        if unknown:
            sys.exit(f"{o.runs}: no such run: {' '.join(sorted(unknown)[0])}")
        every = [run for run in every if (run[1], run[3]) in wanted]
    if o.sample and o.sample < len(every):
        every = sorted(random.Random(o.seed).sample(every, o.sample), key=every.index)
    by_case = {}
    for name, relation, which, _ in every:
        by_case.setdefault(name, []).append((relation, which))
    return sorted(by_case.items(), key=lambda item: list(cases.places()).index(item[0]))


def summary(outcomes, seconds):
    """Counts by relation, then by class."""
    table = collections.defaultdict(collections.Counter)
    for each in outcomes:
        table[each.relation][each.kind or each.state] += 1
    columns = ("ok", *answer.CLASSES, "unfit")
    print(f"\n{'':<26}" + "".join(f"{c:>20}" for c in columns))
    for name in (n for n in RELATIONS if n in table):
        print(f"{name:<26}" + "".join(f"{table[name][c] or '.':>20}" for c in columns))
    total = sum(table.values(), collections.Counter())
    runs = total["ok"] + sum(total[c] for c in answer.CLASSES)
    for kind in answer.CLASSES:
        print(f"{kind}: {total[kind]}")
    print(f"{runs} runs, {total['ok']} hold, {runs - total['ok']} do not; {total['unfit']} were not fit; "
          f"{seconds:.0f} s")
    return runs, runs - total["ok"]


def report(outcome, quiet):
    if outcome.state == "ok" and not quiet:
        print(f"ok {outcome.relation} {outcome.case}")
    elif outcome.state == "not ok":
        print(f"not ok {outcome.relation} {outcome.case}: {outcome.kind}: {outcome.text}")


def options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--relation", nargs="+", metavar="NAME")
    parser.add_argument("--case", nargs="+", metavar="NAME")
    parser.add_argument("--runs", metavar="FILE", help="only the pairs RELATION CASE in FILE")
    parser.add_argument("--sample", type=int, metavar="N", help="N runs by chance of those chosen")
    parser.add_argument("--seed", type=int, default=1, help="of chance, within runs too")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--keep", metavar="DIR", help="keep the files of runs that fail")
    parser.add_argument("--quiet", action="store_true", help="say nothing of runs that hold")
    parser.add_argument("--list", action="store_true", help="name the relations, and why they must hold")
    parser.add_argument("bothends", metavar="BOTHENDS", nargs="?")
    o = parser.parse_args()
    if not o.list and not o.bothends:
        parser.error("BOTHENDS is missing: it comes first")
    return o


def main():
    o = options()
    if o.list:
        for relation in RELATIONS.values():
            print(f"{relation.name}: {relation.why}")
        return 0
    began, outcomes = time.monotonic(), []
    with multiprocessing.Pool(o.jobs) as pool:
        for done in pool.imap(run_case, [(name, chosen, o) for name, chosen in choose(o, pool)]):
            for outcome in done:
                report(outcome, o.quiet)
            outcomes += done
            sys.stdout.flush()
    runs, failed = summary(outcomes, time.monotonic() - began)
    return 1 if failed or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
