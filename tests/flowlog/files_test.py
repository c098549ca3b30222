#!/usr/bin/env python3
"""Whole flow-log files against the truth. usage: files_test.py FLOWLOG_TOOL FIXTURES [--parquet LIBDUCKDB]

With --parquet only what needs DuckDB's library is tested; where it is not installed that ends with status 77.

fixtures/flowlog/truth.json has, for each file or folder, what must come out of it: the outcome, the
account of its lines, values of rows by SQL, and for stories the findings, all of them.
"""
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

TOOL = FIXTURES = None


def run(*arguments, check=True, env=None):
    return subprocess.run([TOOL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=check,
                          env=env)


def rows(database, sql, *bind):
    connection = sqlite3.connect(database)
    try:
        connection.create_function("iso", 1, str)
        return connection.execute(sql, bind).fetchall()
    finally:
        connection.close()


DERIVED = ("flow_log_interface", "flow_log_pair", "flow_log_window", "flow_log_loss", "flow_log_delivery",
           "flow_log_source", "flow_log_drop", "finding", "vantage", "host")


def content(database, tables=DERIVED):
    """Rows of the tables, without what names files and lines of evidence, and without numbers of hosts and findings."""
    out = {}
    for table in tables:
        connection = sqlite3.connect(database)
        cursor = connection.execute(f"SELECT * FROM {table}")
        names = [d[0] for d in cursor.description]
        left_out = ("file_id", "line", "host_id", "cause_id") + (("id",) if table in ("finding", "host") else ())
        keep = [i for i, n in enumerate(names) if not n.endswith(left_out[:4]) and n not in left_out]
        out[table] = sorted(repr([r[i] for i in keep]) for r in cursor)
        connection.close()
    return out


class FlowLogTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.db = os.path.join(self.folder, "out.db")

    def tearDown(self):
        shutil.rmtree(self.folder)

    def fixture(self, name):
        return os.path.join(FIXTURES, name)

    def files(self, name):
        path = self.fixture(name)
        if not os.path.isdir(path):
            return [path]
        return sorted(os.path.join(root, f) for root, _, files in os.walk(path) for f in files)

    def account(self, file_id=1):
        return dict(rows(self.db, "SELECT disposition, lines FROM log_account WHERE log_file_id = ?", file_id))


class Files(FlowLogTest):
    """One file at a time."""


class Stories(FlowLogTest):
    """Folders with a story, and the whole of their findings."""


def add_file_test(name, truth):
    def test(self):
        arguments = ["-f", truth["format_option"]] if "format_option" in truth else []
        out = run("-n", *arguments, self.db, self.fixture(name)).stdout.split()
        self.assertEqual(out[1], truth.get("outcome", "taken"))
        if "account" not in truth:
            self.assertEqual(rows(self.db, "SELECT count(*) FROM log_file"), [(0,)])
            return
        self.assertEqual(out[2], truth["format"])
        self.assertEqual(self.account(), truth["account"])
        for sql, expected in truth.get("sql", {}).items():
            self.assertEqual([list(r) for r in rows(self.db, sql)], expected, sql)
        damaged, = rows(self.db, "SELECT damaged FROM log_file")[0]
        self.assertEqual(damaged is not None, truth.get("damaged", False), damaged)
        problems = [list(r) for r in rows(self.db, "SELECT line, reason FROM log_problem ORDER BY rowid")]
        self.assertEqual(problems, truth.get("problems", []))

    setattr(Files, "test_" + name.replace("/", "_"), test)


def add_story_test(name, truth):
    def test(self):
        run(self.db, *self.files(name))
        found = [dict(zip(("kind", "severity", "src_ip", "dst_ip", "count", "total"), r)) for r in rows(
            self.db, "SELECT kind, severity, src_ip, dst_ip, count, total FROM finding ORDER BY kind, src_ip, dst_ip")]
        self.assertEqual(found, truth["findings"])
        self.assertEqual(rows(self.db, "SELECT id FROM finding WHERE id NOT IN (SELECT finding_id FROM evidence)"), [])
        for sql, expected in truth.get("sql", {}).items():
            self.assertEqual([list(r) for r in rows(self.db, sql)], expected, sql)

    setattr(Stories, "test_" + name, test)


class Session(FlowLogTest):
    """Several files, several runs."""

    def stories(self):
        return [f for s in ("story-acl", "story-dark", "story-loss", "story-scan") for f in self.files(s)]

    def test_duplicate_content(self):
        copy = os.path.join(self.folder, "renamed.log")
        shutil.copy(self.fixture("aws-default.log"), copy)
        out = run("-n", self.db, self.fixture("aws-default.log"), copy).stdout.splitlines()
        self.assertIn(" known ", out[1])
        self.assertEqual(rows(self.db, "SELECT count(*) FROM flow_log"), [(5,)])
        self.assertEqual(self.account(2), {"duplicate": 6})

    def test_growing_blob(self):
        run("-n", self.db, *self.files("azure-growing"))
        self.assertEqual(self.account(2), {"duplicate": 3, "record": 3})
        self.assertEqual(rows(self.db, "SELECT count(*) FROM flow_log"), [(6,)])

    def test_order_of_files_does_not_matter(self):
        run(self.db, *self.stories())
        first = content(self.db, DERIVED[:7] + ("host",))
        vantages = rows(self.db, "SELECT name, interface FROM vantage ORDER BY 1")
        other = os.path.join(self.folder, "other.db")
        run(other, *reversed(self.stories()))
        self.assertEqual(rows(other, "SELECT name, interface FROM vantage ORDER BY 1"), vantages)
        self.assertEqual(content(other, ("flow_log_source", "host")),
                         {t: first[t] for t in ("flow_log_source", "host")})
        self.assertEqual(rows(other, "SELECT kind, summary FROM finding ORDER BY 1, 2"),
                         rows(self.db, "SELECT kind, summary FROM finding ORDER BY 1, 2"))

    def test_added_later_is_the_same(self):
        stories = self.stories() + [self.fixture("aws-tgw.log"), self.fixture("azure-vnet.json")]
        run(self.db, *stories)
        later = os.path.join(self.folder, "later.db")
        run(later, *stories[:2])
        for story in stories[2:]:
            out = run("-a", later, *stories[:2], story).stdout.splitlines()
            self.assertIn(" known ", out[0])
            self.assertIn(" taken ", out[-1])
        self.assertEqual(content(later), content(self.db))
        self.assertEqual(rows(later, "SELECT count(*) FROM flow_log"), rows(self.db, "SELECT count(*) FROM flow_log"))
        self.assertEqual(rows(later, "SELECT key FROM analysis WHERE key LIKE 'flowlog%'"), [])

    def test_killed_run_leaves_a_good_state(self):
        """Killed at many moments, then run again: the same as if nothing had happened."""
        large = os.path.join(self.folder, "large.log")
        with open(self.fixture("aws-default.log")) as f:
            header, record = f.readline(), f.readline()
        with open(large, "w") as f:
            f.write(header)
            f.writelines(record.replace("51000", str(1024 + i % 60000)).replace(" 9 ", f" {1 + i % 50} ") for i in range(300000))
        run(self.db, *self.stories())
        before = os.path.join(self.folder, "before.db")
        shutil.copy(self.db, before)
        run("-a", self.db, large)
        expected = content(self.db)
        killed = 0
        rng = random.Random(7)
        for _ in range(6):
            again = os.path.join(self.folder, "again.db")
            for leftover in ("", "-journal", "-wal", "-shm"):
                if os.path.exists(again + leftover):
                    os.unlink(again + leftover)
            shutil.copy(before, again)
            process = subprocess.Popen([TOOL, "-a", again, large], stdout=subprocess.DEVNULL)
            time.sleep(rng.uniform(0.02, 0.4))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() != 0
            self.assertEqual(rows(again, "PRAGMA integrity_check"), [("ok",)])
            run("-a", again, large)
            self.assertEqual(content(again), expected)
            self.assertEqual(rows(again, "SELECT count(*) FROM flow_log"), rows(self.db, "SELECT count(*) FROM flow_log"))
        self.assertGreater(killed, 0)

    def test_little_memory_gives_the_same(self):
        large = os.path.join(self.folder, "large.log")
        rng = random.Random(3)
        with open(self.fixture("aws-default.log")) as f, open(large, "w") as out:
            out.write(f.readline())
            for i in range(400000):
                start = 1790000000 + i // 1000 * 60
                a, b = f"192.0.2.{rng.randrange(1, 60)}", f"198.51.100.{rng.randrange(1, 250)}"
                port = rng.randrange(1024, 60000)
                out.write(f"2 111122223333 eni-{a[8:]:0>17} {b} {a} {port} 443 6 3 180 {start} {start + 58} "
                          f"{'REJECT' if i % 50 == 0 else 'ACCEPT'} OK\n")
                if i % 3:
                    out.write(f"2 111122223333 eni-{a[8:]:0>17} {a} {b} 443 {port} 6 3 180 {start} {start + 58} ACCEPT OK\n")
        run("-n", self.db, large)
        small = os.path.join(self.folder, "small.db")
        run("-n", "-m", "80M", small, large)
        self.assertEqual(content(small), content(self.db))

    def test_host_option(self):
        run("-n", "-H", "web=eni-0aaa1111bbbb2222c", self.db, self.fixture("aws-default.log"))
        self.assertEqual(rows(self.db, "SELECT h.name, v.name, v.interface FROM vantage v JOIN host h ON h.id = v.host_id "
                                       "ORDER BY v.id"),
                         [("web", "web eni-0aaa1111bbbb2222c", "eni-0aaa1111bbbb2222c"),
                          ("eni-0ccc3333dddd4444e",) * 3])

    def test_bad_format_is_refused(self):
        result = run("-n", "-f", "hello world", self.db, self.fixture("aws-default.log"), check=False)
        self.assertEqual(result.returncode, 2)
        self.assertIn("is not a flow-log format", result.stderr)

    def test_parquet_without_the_library(self):
        environment = dict(os.environ, BOTHENDS_DUCKDB="/nonexistent/libduckdb.so")
        out = run("-n", self.db, self.fixture("aws-default.parquet"), env=environment).stdout
        self.assertIn(" needs-duckdb ", out)
        self.assertIn("libduckdb.so", out)
        self.assertEqual(rows(self.db, "SELECT count(*) FROM log_file"), [(0,)])


class Parquet(FlowLogTest):
    """Needs DuckDB's library."""
    duckdb = None

    def setUp(self):
        super().setUp()
        self.environment = dict(os.environ, BOTHENDS_DUCKDB=self.duckdb)

    def values(self, database):
        return rows(database, "SELECT line, interface, account, src_ip, src_port, dst_ip, dst_port, protocol, packets, "
                              "bytes, start_ns, end_ns, action, log_status FROM flow_log ORDER BY id")

    def test_same_as_text(self):
        out = run("-n", self.db, self.fixture("aws-default.parquet"), env=self.environment).stdout
        self.assertIn(" taken parquet ", out)
        text = os.path.join(self.folder, "text.db")
        run("-n", text, self.fixture("aws-default-headerless.log"))
        self.assertEqual(self.values(self.db), self.values(text))
        self.assertEqual(self.account(), {"record": 3, "nodata": 1, "skipdata": 1})

    def test_other_types(self):
        run("-n", self.db, self.fixture("aws-other-types.parquet"), env=self.environment)
        self.assertEqual(self.account(), {"record": 3, "nodata": 1, "skipdata": 1})

    def test_other_columns(self):
        out = run("-n", self.db, self.fixture("other/other.parquet"), env=self.environment).stdout
        self.assertIn(" not-flowlog ", out)

    def test_damaged(self):
        cut = os.path.join(self.folder, "cut.parquet")
        with open(self.fixture("aws-default.parquet"), "rb") as f, open(cut, "wb") as out:
            out.write(f.read()[:300])
        run("-n", self.db, cut, env=self.environment)
        self.assertEqual(self.account(), {"malformed": 1})


def main():
    global TOOL, FIXTURES
    TOOL, FIXTURES = (os.path.abspath(a) for a in sys.argv[1:3])
    if sys.argv[3:4] == ["--parquet"]:
        Parquet.duckdb = sys.argv[4]
        if not os.path.exists(Parquet.duckdb):
            print("libduckdb.so is not installed: cd tests/flowlog/duckdb && npm ci")
            sys.exit(77)
        unittest.main(argv=sys.argv[:1] + ["Parquet"])
    with open(os.path.join(FIXTURES, "truth.json"), encoding="utf-8") as f:
        truth = json.load(f)
    for name, expected in truth["files"].items():
        add_file_test(name, expected)
    for name, expected in truth["stories"].items():
        add_story_test(name, expected)
    unittest.main(argv=sys.argv[:1] + ["Files", "Stories", "Session"])


if __name__ == "__main__":
    main()
