#!/usr/bin/env python3
"""check.py itself: it accepts a database that says the truth, and names every lie.

The database is made from a recorded truth.json and the program's own schema, so a column
that is renamed there fails here.
"""
import json
import os
import sqlite3
import sys
import unittest

import check

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, "..", ".."))
FIXTURES = os.path.join(TOP, "fixtures", "capture")


def chosen(counts):
    """One number for each count, where a range or a sum leaves a choice."""
    numbers = {name: value["max"] if isinstance(value, dict) else value
               for name, value in counts.items()}
    for name, total in counts.items():
        if name == "lost+capture_missed+unjudged":
            numbers["lost"] = 0
            numbers["unjudged"] = total - numbers["capture_missed"]
    return numbers


def insert(db, table, **values):
    """A row; columns that must be there and are not given get a harmless value."""
    for _, name, kind, needed, default, key in db.execute(f"PRAGMA table_info({table})"):
        if needed and default is None and name not in values and not key:
            values[name] = "" if kind == "TEXT" else 0
    marks = ",".join("?" * len(values))
    return db.execute(f"INSERT INTO {table} ({','.join(values)}) VALUES ({marks})",
                      list(values.values())).lastrowid


class Honest:
    """A database that answers as truth.json asks."""

    def __init__(self, truth):
        self.db = sqlite3.connect(":memory:")
        self.db.execute("PRAGMA foreign_keys = OFF")
        self.db.execute("PRAGMA ignore_check_constraints = ON")
        for name in ("001_facts.sql", "002_derived.sql"):
            with open(os.path.join(TOP, "schema", name)) as file:
                self.db.executescript(file.read())
        self.vantage = {}
        for entry in truth["inputs"]:
            self._input(entry)
        for spec in truth.get("paths", []):
            self._path(spec)
        for spec in truth.get("events", []):
            if spec["check"] == "equal":
                self._events(spec)
        self._findings(truth["findings"]["expected"])
        for name, pieces in truth.get("clocks", {}).items():
            self._clock(name, pieces, truth["to_ns"])
        if "flows" in truth:
            made = check.one(self.db, "SELECT count(*) FROM flow")
            for _ in range(truth["flows"] - made):
                insert(self.db, "flow", protocol="tcp")

    def _input(self, entry):
        if entry["name"] not in self.vantage:
            host = insert(self.db, "host", name=entry["name"])
            self.vantage[entry["name"]] = insert(
                self.db, "vantage", host_id=host, name=entry["name"], kind="nic", trust="sound")
        if "frames" in entry:
            vantage = self.vantage[entry["name"]]
            number = insert(self.db, "capture_file", vantage_id=vantage, frames=entry["frames"],
                            path="some/where/" + entry["file"])
            for name, frames in (("joined", entry["frames"] - 2), ("arp", 2)):
                insert(self.db, "frame_account", capture_file_id=number, disposition=name,
                       frames=frames)

    def _path(self, spec):
        flow = insert(self.db, "flow", protocol="tcp", client_ip=spec.get("clients", [""])[0],
                      server_port=spec.get("server_port", 0))
        counts = {name: number for name, number in chosen(spec["counts"]).items()
                  if "+" not in name and not name.startswith("bytes_")}
        if "sent" in counts:
            counts.setdefault("unjudged", 0)
            counts["delivered"] = counts["sent"] - sum(
                counts[name] for name in ("misaddressed", "lost", "capture_missed", "unjudged"))
        counts["received"] = sum(counts.get(name, 0) for name in check.ARRIVALS)
        insert(self.db, "path", flow_id=flow, leg=0, direction=spec["direction"], **counts,
               owd_min_ns=20_000, owd_median_ns=30_000, owd_max_ns=900_000,
               from_vantage_id=self.vantage[spec["from"]], to_vantage_id=self.vantage[spec["to"]])

    def _events(self, spec):
        column = "received_frame" if spec.get("at") == "receiver" else "sent_frame"
        for frame in spec["frames"]:
            insert(self.db, "segment_event", direction=spec["direction"], kind=spec["kinds"][0],
                   from_vantage_id=self.vantage[spec["from"]],
                   to_vantage_id=self.vantage[spec["to"]], **{column: frame})

    def _findings(self, expected):
        numbers = {}
        for spec in expected:
            detail = dict(spec.get("detail", {}))
            if "step_at" in spec:
                detail["windows"] = [{"from_ns": spec["step_at"]["at_ns"], "to_ns": None}]
            numbers[spec["kind"]] = insert(
                self.db, "finding", kind=spec["kind"], severity=spec.get("severity", "warning"),
                confidence=0.9, count=spec.get("count"), total=spec.get("total"),
                from_vantage_id=self.vantage.get(spec.get("from")),
                to_vantage_id=self.vantage.get(spec.get("to")), detail=json.dumps(detail))
            insert(self.db, "evidence", finding_id=numbers[spec["kind"]])
        for spec in expected:
            if "cause" in spec:
                self.db.execute("UPDATE finding SET cause_id = ? WHERE kind = ?",
                                (numbers[spec["cause"]], spec["kind"]))

    def _clock(self, name, pieces, end):
        reference = next(v for other, v in self.vantage.items() if other != name)
        for piece, after in zip(pieces, pieces[1:] + [None]):
            offset = piece["offset_ns"]
            last = after["from_ns"] if after else end
            insert(self.db, "clock", vantage_id=self.vantage[name],
                   reference_vantage_id=reference, from_ns=piece["from_ns"] + offset,
                   to_ns=last + offset + 10**6, offset_ns=offset, offset_low_ns=offset - 50_000,
                   offset_high_ns=offset + 50_000, skew_ppm=piece["skew_ppm"])


def judge(truth, lie=None):
    honest = Honest(truth)
    if lie:
        assert honest.db.execute(lie).rowcount != 0, lie
    report = check.Report("x")
    check.check_conservation(honest.db, report)
    for step in check.CHECKS:
        step(honest.db, truth, report)
    return report.lines


def truth_of(name):
    with open(os.path.join(FIXTURES, name, "truth.json")) as file:
        return json.load(file)


LIES = {
    "stale-arp": [
        "UPDATE path SET lost = lost - 1, delivered = delivered + 1, received = received + 1"
        " WHERE lost > 0",
        "UPDATE path SET lost = lost - 1 WHERE lost > 0",
        "UPDATE path SET duplicated = 1, received = received + 1 WHERE direction = 'c2s'",
        "UPDATE path SET received = received + 1",
        "UPDATE path SET bytes_sent = 1",
        "UPDATE capture_file SET frames = frames - 1 WHERE id = 1",
        "UPDATE frame_account SET frames = frames - 1 WHERE disposition = 'arp'",
        "DELETE FROM capture_file WHERE id = 2",
        "DELETE FROM path WHERE lost > 0",
        "DELETE FROM finding WHERE kind = 'synack-lost'",
        "UPDATE finding SET count = count - 1 WHERE kind = 'synack-lost'",
        "UPDATE finding SET cause_id = NULL",
        "UPDATE finding SET severity = 'notice'",
        "UPDATE finding SET confidence = 1.5",
        "UPDATE finding SET detail = replace(detail, 'b3:48', 'b3:70')",
        "UPDATE finding SET to_vantage_id = from_vantage_id",
        "INSERT INTO finding SELECT id + 9, 'host-dark', severity, confidence, host_id,"
        " from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns, count, total,"
        " summary, remedy, cause_id, detail FROM finding LIMIT 1",
        "UPDATE finding SET dst_ip = '10.0.1.91'",
        "DELETE FROM evidence",
    ],
    "loss-2pct-s2c": [
        "UPDATE path SET lost = lost + 1, delivered = delivered - 1, received = received - 1"
        " WHERE direction = 'c2s'",
        "DELETE FROM flow WHERE id = 5",
        "UPDATE flow SET protocol = 'udp'",
    ],
    "clock-drift-step": [
        "UPDATE clock SET offset_low_ns = offset_low_ns + 60000",
        "UPDATE clock SET offset_high_ns = offset_high_ns - 60000",
        "UPDATE clock SET skew_ppm = -80",
        "UPDATE clock SET offset_high_ns = offset_high_ns + 1000000000",
        "DELETE FROM clock WHERE rowid = 1",
        "UPDATE path SET owd_min_ns = -1000000000",
        "UPDATE path SET owd_max_ns = 1000000000",
        "UPDATE finding SET detail = '{\"windows\": [{\"from_ns\": 1}]}' WHERE kind = 'clock-step'",
    ],
    "capture-damage": [
        "DELETE FROM segment_event WHERE kind = 'sender_missed' AND id % 9 = 0",
        "UPDATE segment_event SET kind = 'lost' WHERE kind = 'capture_missed' AND id % 5 = 0",
        "UPDATE segment_event SET sent_frame = sent_frame + 1 WHERE kind = 'capture_missed'",
    ],
}


class Check(unittest.TestCase):
    def test_truth_passes(self):
        for name in LIES:
            truth = truth_of(name)
            for spec in truth["paths"]:
                spec["counts"] = {key: value for key, value in spec["counts"].items()
                                  if not key.startswith("bytes_")}
            self.assertEqual(judge(truth), [], name)

    def test_each_lie_is_named(self):
        for name, lies in LIES.items():
            truth = truth_of(name)
            for spec in truth["paths"]:
                spec["counts"] = {key: value for key, value in spec["counts"].items()
                                  if not key.startswith("bytes_")}
            for lie in lies:
                with self.subTest(truth=name, lie=lie):
                    self.assertNotEqual(judge(truth, lie), [])

    def test_sums_that_are_not_those_of_the_rows_are_named(self):
        honest = Honest(truth_of("stale-arp"))
        with open(check.TOTALS, encoding="utf-8") as file:
            honest.db.executescript(file.read())
        report = check.Report("x")
        check.check_totals(honest.db, report)
        self.assertEqual(report.lines, [])
        for lie in ("UPDATE path_total SET sent = sent + 1", "DELETE FROM path_total"):
            self.assertGreater(honest.db.execute(lie).rowcount, 0, lie)
            report = check.Report("x")
            check.check_totals(honest.db, report)
            self.assertEqual(len(report.lines), 1, lie)

    def test_program_that_fails_is_a_mismatch(self):
        lines = check.check_truth("/bin/false", os.path.join(FIXTURES, "no-loss", "truth.json"))
        self.assertEqual(len(lines), 1)
        self.assertIn("exit status: expected 0, got 1", lines[0])

    def test_every_recording_is_whole(self):
        """Each fixture's files are there, with as many frames as its truth says."""
        import pcapfile
        for name in sorted(os.listdir(FIXTURES)):
            directory = os.path.join(FIXTURES, name)
            if not os.path.isdir(directory):
                continue
            for file in os.listdir(directory):
                if not (file.startswith("truth") and file.endswith(".json")):
                    continue
                with open(os.path.join(directory, file)) as text:
                    truth = json.load(text)
                for entry in truth["inputs"]:
                    path = os.path.join(directory, entry["file"])
                    self.assertTrue(os.path.exists(path), path)
                    if "frames" in entry:
                        self.assertEqual(sum(1 for _ in pcapfile.read(path)), entry["frames"])


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    unittest.main()
