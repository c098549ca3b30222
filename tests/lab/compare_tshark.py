#!/usr/bin/env python3
"""The join that people write by hand, beside bothends: compare_tshark.py [DIR ...]

Both captures through `tshark -T fields` into SQLite, joined on addresses, ports, sequence
number and length. `absent` asks which frames of the sender's file have no equal in the
receiver's; `copies` also minds how many there are of each. Prints a Markdown table of the
segments that each way calls lost, with the truth; DIR is by default every recording.
"""
import argparse
import glob
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

import check

FIXTURES = os.path.normpath(os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "fixtures", "capture"))
FIELDS = ("frame.number", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst",
          "tcp.srcport", "tcp.dstport", "tcp.seq_raw", "tcp.len")

ABSENT = """
SELECT count(*) FROM segment a WHERE a.file = :sender AND {way} AND {who} AND NOT EXISTS (
    SELECT 1 FROM segment b WHERE b.file = :receiver AND b.src = a.src AND b.dst = a.dst
    AND b.sport = a.sport AND b.dport = a.dport AND b.seq = a.seq AND b.length = a.length)
"""
COPIES = """
SELECT coalesce(sum(max(0, sent - arrived)), 0) FROM (
    SELECT count(*) AS sent, (
        SELECT count(*) FROM segment b WHERE b.file = :receiver AND b.src = a.src
        AND b.dst = a.dst AND b.sport = a.sport AND b.dport = a.dport AND b.seq = a.seq
        AND b.length = a.length) AS arrived
    FROM segment a WHERE a.file = :sender AND {way} AND {who}
    GROUP BY a.src, a.dst, a.sport, a.dport, a.seq, a.length)
"""


def segments(path):
    """What tshark says of every TCP segment, as the hand-written script would ask."""
    command = ["tshark", "-n", "-r", path, "-Y", "tcp", "-T", "fields", "-E", "occurrence=f"]
    for field in FIELDS:
        command += ["-e", field]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in text.splitlines():
        frame, src4, dst4, src6, dst6, sport, dport, seq, length = line.split("\t")
        yield (int(frame), src4 or src6, dst4 or dst6, int(sport), int(dport), int(seq),
               int(length or 0))


def naive(directory, truth):
    """{path number: (absent, copies)} by the join."""
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE segment (file TEXT, frame INTEGER, src TEXT, dst TEXT,"
               " sport INTEGER, dport INTEGER, seq INTEGER, length INTEGER)")
    for entry in truth["inputs"]:
        if "frames" in entry:
            rows = segments(os.path.join(directory, entry["file"]))
            db.executemany("INSERT INTO segment VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                           ((entry["name"], *row) for row in rows))
    db.execute("CREATE INDEX by_key ON segment (file, src, dst, sport, dport, seq, length)")
    answers = {}
    for number, spec in enumerate(truth.get("paths", [])):
        client = "src" if spec["direction"] == "c2s" else "dst"
        way = "a.dport < a.sport" if spec["direction"] == "c2s" else "a.sport < a.dport"
        who = " OR ".join(f"a.{client} = '{ip}'" for ip in spec.get("clients", [])) or "1"
        if "server_port" in spec:
            who = f"({who}) AND {spec['server_port']} IN (a.sport, a.dport)"
        names = {"sender": spec["from"], "receiver": spec["to"]}
        answers[number] = tuple(
            db.execute(sql.format(way=way, who=f"({who})"), names).fetchone()[0]
            for sql in (ABSENT, COPIES))
    return answers


def ours(program, directory, truth):
    """{path number: lost} by bothends, or {} where it gave no answer."""
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "incident.db")
        try:
            done = check.analyze(program, directory, truth, output)
        except FileNotFoundError:
            return {}
        if done.returncode != 0:
            return {}
        with sqlite3.connect(output) as db:
            answers = {}
            for number, spec in enumerate(truth.get("paths", [])):
                where, values = check.path_rows(spec)
                answers[number], = db.execute("SELECT sum(p.lost)" + where, values).fetchone()
        db.close()
        return answers


def shown(lost):
    """The truth as text: where classes of segments cannot be told apart it is a range."""
    if not isinstance(lost, dict):
        return str(lost)
    return str(lost["min"]) if lost["min"] == lost["max"] else f"{lost['min']} to {lost['max']}"


def right(lost, answer):
    low, high = (lost["min"], lost["max"]) if isinstance(lost, dict) else (lost, lost)
    return answer is not None and low <= answer <= high


def marked(lost, answer):
    """Wrong answers in bold; none at all as a dash."""
    if answer is None:
        return "-"
    return str(answer) if right(lost, answer) else f"**{answer}**"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bothends", default=os.environ.get("BOTHENDS", "bothends"))
    parser.add_argument("directories", nargs="*", metavar="DIR")
    args = parser.parse_args()
    directories = args.directories or sorted(
        os.path.dirname(path) for path in glob.glob(os.path.join(FIXTURES, "*", "truth.json")))
    print("| scenario | path | truly lost | tshark join: absent | tshark join: copies | bothends |")
    print("|---|---|---:|---:|---:|---:|")
    score, rows = [0, 0, 0], 0
    for directory in directories:
        with open(os.path.join(directory, "truth.json")) as file:
            truth = json.load(file)
        by_hand, by_us = naive(directory, truth), ours(args.bothends, directory, truth)
        for number, spec in enumerate(truth.get("paths", [])):
            lost = spec["counts"]["lost"]
            answers = (*by_hand[number], by_us.get(number))
            rows += 1
            score = [sum(pair) for pair in zip(score, (right(lost, one) for one in answers))]
            print(f"| {truth['scenario']} | {spec['from']} -> {spec['to']} | {shown(lost)} | "
                  + " | ".join(marked(lost, one) for one in answers) + " |")
    print("| right | | " + f"of {rows} | " + " | ".join(str(one) for one in score) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
