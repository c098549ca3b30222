#!/usr/bin/env python3
"""The HTML report of a database with 1 million flows and 10,000 findings: how large, how soon it is there.

usage: scale.py BOTHENDS DBTOOL [FLOWS [FINDINGS]]

Makes the database (tests/bench/rules.py), judges it, adds findings with proof, and writes the report. Prints the
seconds that takes, the size of the file, and what chromium measures when it opens it five times. Times are told,
not judged; it fails when the file is beyond 4 MB, or does not say how to get the rest.
"""
import os
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))
from rules import FACTS  # noqa: E402

# Beside what the rules found: as many more, of five kinds, from both ends, each with twelve frames of a flow.
FINDINGS = """
CREATE TEMP TABLE b AS SELECT coalesce(max(id), 0) AS id FROM finding;
CREATE TEMP TABLE kinds AS SELECT column1 AS i, column2 AS kind, column3 AS severity FROM (VALUES
	(0, 'synack-lost', 'critical'), (1, 'asymmetric-loss', 'warning'), (2, 'refused', 'notice'),
	(3, 'reset', 'notice'), (4, 'host-dark', 'critical'));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :findings)
INSERT INTO finding SELECT b.id + n.i, k.kind, k.severity, 0.9, NULL, 1 + n.i % 2, 2 - n.i % 2,
	'10.1.' || (n.i % 1000 / 250) || '.' || (n.i % 250 + 1), '10.2.0.' || (n.i % 50 + 1), n.i * 360000000,
	n.i * 360000000 + 8000000000, n.i % 40, 79,
	n.i % 40 || ' of 79 segments from 10.2.0.' || (n.i % 50 + 1) || ':27017 never reached 10.1.0.' || (n.i % 250 + 1),
	'look at the switch between them', NULL,
	json_object('windows', json_array(json_object('from_ns', n.i * 360000000, 'to_ns', n.i * 360000000 + 8000000000)))
FROM n, b JOIN kinds k ON k.i = n.i % 5;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)
INSERT INTO evidence SELECT f.id, 2, f.id * 12 + n.i, NULL, NULL, f.id * 97 % :flows + 1, 'segment ' || n.i || ', never arrived'
FROM finding f, b, n WHERE f.id > b.id;
"""


def main():
    bothends, dbtool = (os.path.abspath(p) for p in sys.argv[1:3])
    flows, findings = ([int(a) for a in sys.argv[3:]] + [1000000, 10000][len(sys.argv) - 3:])[:2]
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        db, html, facts = (os.path.join(folder, n) for n in ("scale.db", "scale.html", "facts.sql"))
        with open(facts, "w", encoding="utf-8") as f:
            f.write(FACTS.replace(":flows", str(flows)).replace(":events", str(max(flows // 10, 1))))
        subprocess.run([dbtool, "facts", db, facts], check=True)
        subprocess.run([bothends, "judge", db], check=True, stdout=subprocess.DEVNULL)
        sql = FINDINGS.replace(":findings", str(findings)).replace(":flows", str(flows))
        subprocess.run(["sqlite3", db], input=sql, text=True, check=True)
        print(f"database: {os.path.getsize(db) / 1e6:.0f} MB, {flows} flows, {findings} findings and those of the rules")
        for kind in ("html", "text", "md", "json"):
            out = os.path.join(folder, f"scale.{kind}")
            began = time.monotonic()
            subprocess.run([bothends, "report", "--format", kind, "-o", out, db], check=True)
            print(f"{kind}: written in {time.monotonic() - began:.2f} s, {os.path.getsize(out) / 1e6:.2f} MB", flush=True)
        with open(html, encoding="utf-8") as f:
            text = f.read()
        for words in ("more. All of them", "more findings of this story", "more of", "bothends query"):
            if words not in text:
                wrong += print(f"not said: {words}") or 1
        if len(text.encode()) > 4e6:
            wrong += print("the file is beyond 4 MB") or 1
        wrong += subprocess.run(["node", os.path.join(HERE, "load.mjs"), html], check=False).returncode
    sys.exit(1 if wrong else 0)


main()
