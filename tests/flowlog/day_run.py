#!/usr/bin/env python3
"""Quiet days and days with an incident, judged. usage: day_run.py BOTHENDS [--seeds A-B] [--lines N] [--incidents [NAME ...]] [--keep DIR] [-v]

A quiet day of 200,000 lines may have 3 warnings and 30 notices at most, and nothing critical. An incident must be found
with a right kind, at its place, with its beginning within two minutes (Azure: seven, its records span five), in 3 findings (warning or critical) at most.
"""
import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile

from day import Day
from incidents import all_incidents

STRENGTHS = (1.0, 0.5, 0.25)


def findings(bothends, folder, day):
    path, db = os.path.join(folder, "day.log"), os.path.join(folder, "day.db")
    with open(path, "w", encoding="ascii") as f:
        f.write("\n".join(day.lines()) + "\n")
    done = subprocess.run([bothends, "analyze", "--quiet", "--force", "-o", db, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.returncode}: {done.stderr}")
    connection = sqlite3.connect(db)
    rows = connection.execute("SELECT kind, severity, summary, first_ns / 1000000000, last_ns / 1000000000, coalesce(src_ip, ''), coalesce(dst_ip, '') "
                              "FROM finding ORDER BY id").fetchall()
    connection.close()
    return rows


def judge_quiet(found):
    warnings = [f for f in found if f[1] == "warning"]
    return [f for f in found if f[1] == "critical"] or warnings[3:] or [f for f in found if f[1] == "notice"][30:]


def judge_incident(incident, found, window):
    """What is wrong, or None."""
    loud = [f for f in found if f[1] != "notice"]
    if not incident.kinds:
        return f"{len(loud)} findings, none is right" if loud else None
    first, last = incident.hits or (incident.first, incident.last)
    right = [f for f in loud if f[0] in incident.kinds and incident.place in " ".join((f[2], f[5], f[6]))
             and abs(f[3] - first) <= 60 + window and (not incident.last or abs(f[4] - last) <= 180 + window)]
    if not right:
        return "not found"
    return f"{len(loud)} findings" if len(loud) > 3 else None


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bothends")
    p.add_argument("--seeds", default="1-2")
    p.add_argument("--lines", type=int, default=200000)
    p.add_argument("--incidents", nargs="*")
    p.add_argument("--strength", type=float, nargs="*", default=STRENGTHS)
    p.add_argument("--cloud", choices=("aws", "azure", "gcp"), default="aws")
    p.add_argument("--keep")
    p.add_argument("-v", action="store_true")
    a = p.parse_args()
    first, _, last = a.seeds.partition("-")
    bad = count = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = a.keep or temporary
        os.makedirs(folder, exist_ok=True)
        for seed in range(int(first), int(last or first) + 1):
            tasks = [("quiet", None)] if a.incidents is None else [
                (f"{name} {strength:g}", all_incidents(strength)[name]) for name in (a.incidents or all_incidents()) for strength in a.strength]
            for name, incident in tasks:
                found = findings(os.path.abspath(a.bothends), folder, Day(seed, a.lines, incidents=[incident] if incident else [], cloud=a.cloud))
                wrong = judge_incident(incident, found, 360 if a.cloud == "azure" else 60) if incident else judge_quiet(found)
                count += 1
                bad += bool(wrong)
                print("BAD" if wrong else "ok ", f"seed {seed}", name, wrong if incident and wrong else "",
                      {s: sum(f[1] == s for f in found) for s in ("critical", "warning", "notice")}, flush=True)
                if wrong or a.v:
                    for f in found:
                        print("     ", f[1], f[0], (f[3] - 1790000040) // 60, (f[4] - 1790000040) // 60, f[2][:200])
    print(f"{count - bad} of {count} hold")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
