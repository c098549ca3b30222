#!/usr/bin/env python3
"""Run scenario scripts: run.py [--keep] [--jobs N] BOTHENDS CASE.scn|FOLDER ...

Plays each script, writes what every point recorded to capture files, runs `bothends analyze` on them
in both orders of the arguments, and checks the database. Prints `ok CASE`, `not ok CASE` with a line
`file:line: what: expected X, got Y` for each mismatch, or `skip CASE # reason` for a script that is
marked pending. Ends with status 1 if any is not ok."""
import argparse
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from recording import write_all
from script import Script, Wrong
from verdict import Verdict, agrees
from world import World

MEMORY_FOLDER = "/dev/shm"


def analyze(bothends, inputs, database):
    done = subprocess.run([bothends, "analyze", "-q", "--threads", "1", "-o", database, *inputs],
                          capture_output=True, text=True, timeout=60)
    return None if done.returncode in (0, 1) else f"status {done.returncode}: {done.stderr.strip()}"


def play(path, bothends, folder, one_order):
    """Mismatches of one case as lines, and the script."""
    script = Script(path)
    world = World(script)
    inputs = write_all(world, folder)
    if not script.expected:
        return [f"{path}:1: the script expects nothing"], script
    refusal = next((s for s in script.expected if s.words[0] == "refused"), None)
    lines = []
    given = script.given
    for order, arguments in (("", given + inputs), (" (arguments reversed)", given + inputs[::-1])):
        if order and (one_order or len(inputs) < 2):
            break
        database = os.path.join(folder, f"out{len(order)}.db")
        failed = analyze(bothends, arguments, database)
        if refusal:
            if not failed or not agrees(refusal.words[1], failed):
                lines.append(f"{path}:{refusal.line}: analyze{order}: expected {refusal.words[1]}, got {failed or 'a database'}")
            continue
        if failed:
            return [f"{path}:1: analyze{order}: expected a database, got {failed}"], script
        lines += [f"{path}:{m.line}: {m.what}{order}: expected {m.expected}, got {m.got}"
                  for m in Verdict(script, world, database).check()]
        if lines:
            break
    return lines, script


def run(job):
    """One case: (state, name, lines)."""
    path, bothends, keep, one_order = job
    name = "/".join(path.removesuffix(".scn").split(os.sep)[-2:])
    parent = MEMORY_FOLDER if os.access(MEMORY_FOLDER, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix="scenario-", dir=parent)
    try:
        lines, script = play(path, bothends, folder, one_order)
    except Wrong as error:
        return "not ok", name, [str(error)]
    except subprocess.TimeoutExpired:
        return "not ok", name, [f"{path}:1: analyze: expected an end, got none in a minute"]
    finally:
        if keep:
            print(f"kept {name}: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if script.pending:
        return "skip", name, [script.pending if lines else f"{script.pending} (it passes now: drop the mark)"]
    return ("not ok" if lines else "ok"), name, lines


def is_packet_script(path):
    """Scripts of facts, for the rules alone, lie in the same tree; theirs have no points."""
    with open(path, encoding="utf-8") as file:
        return any(line.startswith("point ") for line in file)


def cases(places):
    found = []
    for place in places:
        if os.path.isdir(place):
            for folder, _, names in os.walk(place):
                found += [os.path.join(folder, name) for name in names if name.endswith(".scn")]
        else:
            found.append(place)
    return sorted(path for path in found if is_packet_script(path))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--keep", action="store_true", help="keep captures and databases")
    parser.add_argument("--one-order", action="store_true", help="the arguments in one order only")
    parser.add_argument("--verbose", action="store_true", help="show why a pending case fails")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("bothends")
    parser.add_argument("places", nargs="+")
    o = parser.parse_args()
    states = {"ok": 0, "not ok": 0, "skip": 0}
    with multiprocessing.Pool(o.jobs) as pool:
        jobs = [(path, o.bothends, o.keep, o.one_order) for path in cases(o.places)]
        for state, name, lines in pool.imap(run, jobs):
            states[state] += 1
            print(f"skip {name} # {lines[0]}" if state == "skip" else f"{state} {name}")
            for line in lines if state == "not ok" else ():
                print(f"  {line}")
    print(f"{states['ok']} passed, {states['not ok']} failed, {states['skip']} skipped")
    sys.exit(1 if states["not ok"] or not states["ok"] else 0)


if __name__ == "__main__":
    main()
