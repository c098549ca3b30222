#!/usr/bin/env python3
"""--keep proof: sums by pair and hour, and the records that findings cite, in place of all. usage: keep_test.py BOTHENDS"""
import gzip
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from adverse_test import between, tier
from aggregate import T0, Host, at

BOTHENDS = None
FINDINGS = "SELECT kind, severity, src_ip, dst_ip, first_ns, last_ns, count, total, summary FROM finding ORDER BY kind, first_ns, summary"
HOURS = "SELECT * FROM flow_log_pair_hours ORDER BY interface, src_ip, dst_ip, protocol, port, start_ns"
COLUMNS = "log_file_id, line, l.interface, src_ip, src_port, dst_ip, dst_port, protocol, packets, bytes, start_ns, end_ns, action, tcp_flags, direction, v.interface"


class Keep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        log = tier(150, fate=between(60, 90, "rejected-in", lambda c, s, port: port == 5432))
        log.state(Host("10.0.0.1", "dns"), "SKIPDATA", at(40))
        cls.lines = log.rows()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, lines, opened=open):
        with opened(self.path(name), "wt", encoding="ascii") as f:
            f.write("\n".join(lines) + "\n")
        return self.path(name)

    def run_analyze(self, *args, status=0):
        done = subprocess.run([BOTHENDS, "analyze", "-q", *args], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr

    def rows(self, database, sql):
        self.assertEqual(subprocess.run([BOTHENDS, "query", self.path(database), "SELECT 1"], stdout=subprocess.DEVNULL, check=False).returncode, 0)
        out = subprocess.run([BOTHENDS, "query", self.path(database), sql, "--format", "csv"], stdout=subprocess.PIPE, text=True, check=True).stdout
        return out.splitlines()[1:]

    def check_cited(self, all_db, proof_db):
        """Each line that a finding cites is there, as --keep all has it, and no other."""
        cited = self.rows(proof_db, "SELECT DISTINCT log_file_id, line FROM evidence WHERE line IS NOT NULL ORDER BY 1, 2")
        sql = f"SELECT {COLUMNS} FROM flow_log l LEFT JOIN vantage v ON v.id = l.vantage_id "
        kept = self.rows(proof_db, sql + "ORDER BY 1, 2")
        self.assertEqual([",".join(k.split(",")[:2]) for k in kept], cited)
        self.assertGreater(len(cited), 10)
        everything = set(self.rows(all_db, sql))
        self.assertLessEqual(set(kept), everything)
        self.assertLess(len(kept), len(everything) / 20)

    def test_the_same_answer(self):
        for name, opened in (("flow.log", open), ("flow.log.gz", gzip.open)):
            source = self.write(name, self.lines, opened)
            self.run_analyze("--force", "-o", self.path("all.db"), source)
            self.run_analyze("--force", "-o", self.path("proof.db"), "--keep", "proof", source)
            self.assertEqual(self.rows("proof.db", FINDINGS), self.rows("all.db", FINDINGS))
            self.assertIn("flowlog-reject", " ".join(self.rows("proof.db", FINDINGS)))
            self.assertEqual(self.rows("proof.db", HOURS), self.rows("all.db", HOURS))
            self.check_cited("all.db", "proof.db")
        text = subprocess.run([BOTHENDS, "report", self.path("proof.db")], stdout=subprocess.PIPE, text=True, check=True).stdout
        self.assertIn("sums by pair and hour are kept", text)
        self.assertLess(os.path.getsize(self.path("proof.db")), os.path.getsize(self.path("all.db")))

    def parts(self):
        header, rows = self.lines[0], self.lines[1:]
        start = self.lines[0].split().index("start")
        parts = {}
        for row in rows:
            parts.setdefault((int(row.split()[start]) - T0) // 1800, []).append(row)
        return [self.write(f"{n + 9:03}.log", [header] + p) for n, p in sorted(parts.items())]

    def test_run_by_run(self):
        self.run_by_run()

    def run_by_run(self):
        paths = self.parts()
        for path in paths:
            self.run_analyze("--since", "last", "--keep", "proof", "-o", self.path("many.db"), path)
        self.run_analyze("-o", self.path("all.db"), *paths)
        self.assertEqual(self.rows("many.db", FINDINGS), self.rows("all.db", FINDINGS))
        hours = "SELECT interface, src_ip, dst_ip, protocol, port, hour, records, packets, bytes FROM flow_log_pair_hours ORDER BY 1, 2, 3, 4, 5, 6"
        self.assertEqual(self.rows("many.db", hours), self.rows("all.db", hours))
        self.assertEqual(self.rows("many.db", "SELECT sum(records) FROM flow_log_pair_hour"), self.rows("all.db", "SELECT sum(records) FROM flow_log_interface"))
        return paths

    def test_what_comes_too_late(self):
        paths = self.run_by_run()
        with open(paths[1], encoding="ascii") as f:
            late = f.read().splitlines()
        before = self.rows("many.db", FINDINGS), self.rows("many.db", HOURS)
        self.run_analyze("--since", "last", "-o", self.path("many.db"), self.write("late.log", late + [late[-1]]))
        self.assertEqual((self.rows("many.db", FINDINGS), self.rows("many.db", HOURS)), before)
        self.assertEqual(self.rows("many.db", "SELECT lines FROM log_account JOIN log_file f ON f.id = log_file_id "
                                   "WHERE disposition = 'late' AND path LIKE '%late.log'"), [str(len(late))])
        self.assertIn("too late", " ".join(self.rows("many.db", "SELECT reason FROM log_problem")))

    def test_an_interrupted_run_leaves_nothing(self):
        """A run that fails half way (its second input is no flow log) adds no file, and the next reads them all."""
        paths = self.parts()
        self.run_analyze("--since", "last", "--keep", "proof", "-o", self.path("a.db"), paths[0])
        broken = self.write("empty.log", [])
        open(broken, "w", encoding="ascii").close()
        self.run_analyze("--since", "last", "-o", self.path("a.db"), *paths[1:], broken, status=2)
        self.assertEqual(self.rows("a.db", "SELECT count(*) FROM log_file"), ["1"])
        self.run_analyze("--since", "last", "-o", self.path("a.db"), *paths[1:])
        self.run_analyze("-o", self.path("all.db"), *paths)
        self.assertEqual(self.rows("a.db", FINDINGS), self.rows("all.db", FINDINGS))

    def test_refusals(self):
        source = self.write("flow.log", self.lines[:500])
        self.run_analyze("-o", self.path("p.db"), "--keep", "proof", source)
        self.assertIn("analyze everything again", self.run_analyze("--since", "last", "-o", self.path("p.db"), self.write("more.log", self.lines[:300]), status=2))
        self.run_analyze("-o", self.path("a.db"), "--since", "last", source)
        self.assertIn("keeps all records", self.run_analyze("--since", "last", "--keep", "proof", "-o", self.path("a.db"), self.path("more.log"), status=2))
        self.assertIn("--keep takes all or proof", self.run_analyze("--keep", "some", source, status=2))
        capture = self.path("a.pcap")
        with open(capture, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + struct.pack("<IIII", T0, 0, 60, 60) + bytes(60))
        self.assertIn("for files of flow logs alone", self.run_analyze("--keep", "proof", "-o", self.path("s.db"), source, "a=" + capture, status=2))

    def test_a_file_that_is_gone(self):
        """Evidence keeps the file's name and the line where the record cannot be read again."""
        paths = self.parts()
        self.run_analyze("--since", "last", "--keep", "proof", "-o", self.path("a.db"), paths[0], paths[1])
        os.remove(paths[0])
        os.remove(paths[1])
        self.run_analyze("--since", "last", "-o", self.path("a.db"), *paths[2:])
        self.assertGreater(int(self.rows("a.db", "SELECT count(*) FROM evidence e WHERE line IS NOT NULL")[0]), 10)


if __name__ == "__main__":
    BOTHENDS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
