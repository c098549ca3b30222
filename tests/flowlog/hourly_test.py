#!/usr/bin/env python3
"""A day read in many runs with --since last is the same as in one. usage: hourly_test.py BOTHENDS

The tables that rules read are compared row by row, and the findings with them. Between the runs the records that were
read before are taken out of the database: what a run says then comes from what the last one left, not from reading
everything again.
"""
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from day import T0, Day
from incidents import all_incidents

BOTHENDS = None
TABLES = ("flow_log_interface", "flow_log_pair", "flow_log_window", "flow_log_request", "flow_log_request_minute", "flow_log_loss",
          "flow_log_source", "finding")


def content(database):
    """Rows, without what names files and lines, and without numbers."""
    out = {}
    connection = sqlite3.connect(database)
    for table in TABLES:
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [d[0] for d in cursor.description]
        keep = [i for i, n in enumerate(names) if not n.endswith(("file_id", "line", "host_id", "cause_id")) and (table, n) != ("finding", "id")]
        out[table] = sorted(repr([(names[i], row[i]) for i in keep]) for row in cursor)
    connection.close()
    return out


class Hourly(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.one, self.many = (os.path.join(self.folder, n) for n in ("one.db", "many.db"))
        self.exports = os.path.join(self.folder, "exports")
        os.mkdir(self.exports)

    def write(self, name, header, rows):
        path = os.path.join(self.exports, name)
        with open(path, "w", encoding="ascii") as f:
            f.write("\n".join(header + rows) + "\n")
        return path

    def analyze(self, database, *inputs):
        done = subprocess.run([BOTHENDS, "analyze", "-q", "--since", "last", "-o", database, *inputs], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def forget_records(self):
        connection = sqlite3.connect(self.many)
        connection.execute("DELETE FROM flow_log WHERE id < (SELECT max(id) FROM flow_log)")
        connection.commit()
        connection.close()

    def parts(self, seed, incident, cloud="aws", seconds=900):
        """The lines of a day, as files in the order in which they are delivered."""
        day = Day(seed, 40000, minutes=130, incidents=[all_incidents(1.0)[incident]] if incident else [], cloud=cloud)
        lines = day.lines()
        header = lines[:1] if cloud == "aws" else []
        parts = {}
        for at, row in day.rows:
            parts.setdefault((at - T0) // seconds, []).append(row)
        return [self.write(f"{n:03}.log", header, rows) for n, rows in sorted(parts.items())]

    def compare(self, paths, forget=True):
        for path in paths:
            self.analyze(self.many, path)
            if forget:
                self.forget_records()
        self.analyze(self.one, *paths)
        one, many = content(self.one), content(self.many)
        for table in TABLES:
            self.assertEqual(many[table], one[table], table)
        self.assertGreater(len(one["flow_log_request"]), 50)
        return one["finding"]

    def test_incident_with_flags(self):
        self.assertTrue(any("'warning'" in f or "'critical'" in f for f in self.compare(self.parts(2, "security-group"))))

    def test_silence(self):
        self.assertTrue(any("'warning'" in f or "'critical'" in f for f in self.compare(self.parts(3, "route-lost", seconds=1800))))

    def test_idle_connections(self):
        self.compare(self.parts(4, "idle-timeout"))

    def test_other_cloud(self):
        self.compare(self.parts(2, "one-zone", cloud="azure", seconds=1800))

    def test_records_that_come_late(self):
        """A part that is delivered an hour late: what was settled is judged again, from all records."""
        paths = self.parts(1, "security-group")
        self.compare(paths[:5] + paths[6:9] + paths[5:6] + paths[9:], forget=False)


if __name__ == "__main__":
    BOTHENDS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
