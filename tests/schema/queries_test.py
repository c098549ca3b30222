#!/usr/bin/env python3
"""Every saved query runs on every golden case and in every format, and the loadable extension gives the
same functions to other programs. usage: queries_test.py BOTHENDS DBTOOL GOLDEN_DIR EXTENSION
"""
import csv
import glob
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import tempfile


def run(*command, status=0):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != status:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr}")
    return done.stdout


def parameters(sql):
    """Values for what a query asks for."""
    names = set(re.findall(r":([a-z_]+)\b", re.sub(r"--[^\n]*|'[^']*'", "", sql)))
    return [a for n in sorted(names & {"flow", "finding"}) for a in ("--param", f"{n}=1")]


def main():
    bothends, dbtool, golden, extension = sys.argv[1:5]
    names = [line.split()[0] for line in run(bothends, "query", "--list").splitlines()]
    assert len(names) >= 20, names
    queries = {n: run(bothends, "query", "--show", n) for n in names}
    rows = 0
    with tempfile.TemporaryDirectory() as folder:
        for facts in sorted(glob.glob(golden + "/*.sql")):
            db = os.path.join(folder, os.path.basename(facts) + ".db")
            run(dbtool, "make", db, facts)
            assert json.loads(run(bothends, "query", db, "--saved", "conservation", "-f", "json")) == [], facts
            for name, sql in queries.items():
                options = [db, "--saved", name, *parameters(sql)]
                run(bothends, "query", *options)
                as_json = json.loads(run(bothends, "query", *options, "-f", "json"))
                as_csv = list(csv.DictReader(io.StringIO(run(bothends, "query", *options, "-f", "csv"), newline="")))
                assert len(as_json) == len(as_csv), f"{name}: {len(as_json)} rows as JSON, {len(as_csv)} as CSV"
                rows += len(as_json)
    assert rows > 1000, rows
    db = sqlite3.connect(":memory:")
    if extension == "-" or not hasattr(db, "enable_load_extension"):
        print("this python loads no extensions: skipped that part")
    else:
        db.enable_load_extension(True)
        db.load_extension(extension)
        assert db.execute("SELECT tcp_flags(18), ip_in('10.1.2.3', '10.0.0.0/8')").fetchone() == ("SYN,ACK", 1)
        assert db.execute("SELECT community_id('tcp', '128.232.110.120', '66.35.250.204', 34855, 80)").fetchone() == (
            "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",)
        assert db.execute("SELECT 'abc' REGEXP '^a', iso(0)").fetchone() == (1, "1970-01-01T00:00:00.000000000Z")
    print(f"{len(names)} queries, {rows} rows")


main()
