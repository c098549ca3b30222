#!/usr/bin/env python3
"""Incidents from what their people had at hand: cause, times and remedy, and their controls. usage: test.py BOTHENDS FOLDER [NAME...]"""
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

RANK = {"critical": 3, "warning": 2, "notice": 1}
SECOND = 1_000_000_000


def analyze(bothends, folder, truth, database):
    done = subprocess.run([bothends, "analyze", "-q", "-o", database, *truth["arguments"]], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"exit status {done.returncode}: {done.stderr}"


def findings(database):
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        found = [dict(row) for row in db.execute(
            "SELECT f.*, h.name AS host FROM finding f LEFT JOIN host h ON h.id = f.host_id ORDER BY f.id")]
        for finding in found:
            finding["detail"] = json.loads(finding["detail"])
            finding["notes"] = " | ".join(row[0] for row in db.execute("SELECT note FROM evidence WHERE finding_id = ?", [finding["id"]]))
    return found


def near(told, wanted, seconds):
    return told is not None and abs(told / SECOND - wanted) <= seconds


def mismatch(finding, wanted, found):
    """What a finding lacks of what is wanted, or None."""
    checks = {
        "severity": lambda v: finding["severity"] == v,
        "host": lambda v: finding["host"] == v,
        "count": lambda v: finding["count"] == v,
        "spans": lambda v: finding["count"] == v,
        "summary": lambda v: v in finding["summary"],
        "remedy": lambda v: v in finding["remedy"],
        "evidence": lambda v: v in finding["notes"],
        "direction": lambda v: finding["detail"].get("direction") == v,
        "alive": lambda v: finding["detail"].get("alive") == v,
        "first": lambda v: near(finding["first_ns"], v, 2),
        "last": lambda v: near(finding["last_ns"], v, 2),
        # counters are read every ten seconds
        "windows": lambda v: len(finding["detail"].get("windows", [])) == len(v) and all(
            near(told["from_ns"], at[0], 11) and near(told["to_ns"], at[1], 11) for told, at in zip(finding["detail"]["windows"], v)),
        "cause": lambda v: any(c["id"] == finding["cause_id"] and not mismatch(c, v, found) for c in found),
    }
    for name, value in wanted.items():
        if name != "kind" and not checks[name](value):
            return f"{name}: wanted {value}"
    return None if finding["kind"] == wanted["kind"] else "kind"


def missing(found, truth):
    for wanted in truth["expected"]:
        ways = [mismatch(f, wanted, found) for f in found if f["kind"] == wanted["kind"]]
        if not ways:
            yield f"no {wanted['kind']}"
        elif None not in ways:
            yield f"{wanted['kind']}: {ways}"
    for unwanted in truth["none_of"]:
        for f in found:
            if (unwanted in RANK and RANK[f["severity"]] >= RANK[unwanted]) or unwanted in (f["kind"], f"{f['kind']}@{f['host']}"):
                yield f"must not be there: {f['severity']} {f['kind']}: {f['summary']}"


def exposure(bothends, database, truth):
    """The fleet's view: which hosts a known defect is found on."""
    wanted = truth.get("exposure", {})
    if not wanted:
        return
    rows = json.loads(subprocess.run([bothends, "query", database, "--saved", "exposure", "--format", "json"],
                                     check=True, capture_output=True, text=True, timeout=60).stdout)
    for defect, hosts in wanted.items():
        told = {row["defect"]: row["hosts"] for row in rows}.get(defect)
        if told != hosts:
            yield f"exposure to {defect}: {told}, wanted {hosts}"


def no_agent_file(folder):
    """The point of these: nothing in them was made by the agent."""
    for where, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".facts.jsonl", ".pcapng")):
                yield f"{os.path.join(where, name)}: an agent's file"


def check(bothends, folder):
    with open(os.path.join(folder, "truth.json"), encoding="utf-8") as file:
        truth = json.load(file)
    assert truth["expected"] or truth["none_of"], "a truth that claims nothing"
    with tempfile.TemporaryDirectory() as place:
        database = os.path.join(place, "incident.db")
        analyze(bothends, folder, truth, database)
        found = findings(database)
        wrong = [*missing(found, truth), *exposure(bothends, database, truth), *no_agent_file(folder)]
    if wrong:
        wrong += [f"    found: {f['severity']} {f['kind']} {f['host']} {f['first_ns']} {f['count']} cause {f['cause_id']}: {f['summary']}" for f in found]
    return wrong


def main():
    bothends, root, *names = sys.argv[1:]
    bothends = os.path.abspath(bothends)
    failed = False
    for name in names or sorted(os.listdir(root)):
        folder = os.path.join(root, name)
        if not os.path.isfile(os.path.join(folder, "truth.json")):
            continue
        wrong = check(bothends, folder)
        failed |= bool(wrong)
        print(f"{name}: {'wrong' if wrong else 'as it was'}")
        print("".join(f"  {line}\n" for line in wrong), end="")
    return 1 if failed else 0


sys.exit(main())
