#!/usr/bin/env python3
"""Flow logs on the command line: folders, formats, incremental runs. usage: cli_test.py BOTHENDS FIXTURES"""
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import unittest

BOTHENDS = FIXTURES = None


class Cli(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.exports = os.path.join(self.folder, "exports")
        os.mkdir(self.exports)
        self.db = os.path.join(self.folder, "nightly.db")

    def fixture(self, name):
        return os.path.join(FIXTURES, name)

    def add(self, name, as_name):
        shutil.copy(self.fixture(name), os.path.join(self.exports, as_name))

    def analyze(self, *arguments, env=None):
        return subprocess.run([BOTHENDS, "analyze", "-o", self.db, *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, env=env)

    def rows(self, sql):
        connection = sqlite3.connect(self.db)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()

    def test_folder_with_everything(self):
        """What is no flow log is skipped; what is, is all taken."""
        for n, name in enumerate(("aws-default.log.gz", "aws-tgw.log", "gcp.json", "azure-vnet.json", "cloudwatch-export.gz",
                                  "other/notes.txt", "other/random.bin", "other/empty.log", "other/package.json",
                                  "aws-logs-write-test", "trap-cut.log.gz")):
            self.add(name, f"{n:02}")
        done = self.analyze("-q", self.exports)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(sorted(f for f, in self.rows("SELECT format FROM log_file")),
                         ["aws", "aws", "aws-tgw", "azure-vnet", "cloudwatch", "gcp"])
        self.assertEqual(self.rows("SELECT count(*) FROM log_file WHERE damaged IS NOT NULL"), [(1,)])

    def test_named_files_that_are_none(self):
        for name in ("other/notes.txt", "other/random.bin", "other/empty.log", "aws-logs-write-test"):
            done = self.analyze("-q", self.fixture(name))
            self.assertEqual(done.returncode, 2, name)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(os.path.basename(name), done.stderr)
            self.assertFalse(os.path.exists(self.db), name)

    def test_parquet_says_how_to_get_the_library(self):
        done = self.analyze("-q", self.fixture("aws-default.parquet"),
                            env=dict(os.environ, BOTHENDS_DUCKDB="/nonexistent/libduckdb.so"))
        self.assertEqual(done.returncode, 2)
        self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
        self.assertIn("libduckdb.so", done.stderr)
        self.assertFalse(os.path.exists(self.db))

    def test_format_option(self):
        columns = "${srcaddr} ${dstaddr} ${action} ${start} ${end} ${packets} ${bytes} ${interface-id}"
        done = self.analyze("-q", "--flow-log-format", columns, self.fixture("aws-custom-headerless.log"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rows("SELECT sum(packets) FROM flow_log"), [(9,)])
        self.assertEqual(self.analyze("--flow-log-format", "nonsense", self.fixture("aws-default.log")).returncode, 2)

    def test_every_night(self):
        self.add("story-dark/flow.log", "1.log")
        self.assertEqual(self.analyze("-q", "--since", "last", "--fail-on", "critical", self.exports).returncode, 0)
        self.add("story-acl/flow.log", "2.log")
        done = self.analyze("--since", "last", "--fail-on", "warning", "--format", "json", self.exports)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("flowlog-reject", done.stdout)
        json.loads(done.stdout)
        before = self.rows("SELECT kind, summary FROM finding ORDER BY kind, summary")
        self.assertEqual(self.rows("SELECT count(*) FROM log_file"), [(2,)])
        # The same content under another name is not new; nothing changes but the order: what was new is no more.
        os.rename(os.path.join(self.exports, "1.log"), os.path.join(self.exports, "renamed.log"))
        self.assertEqual(self.analyze("-q", "--since", "last", self.exports).returncode, 0)
        self.assertEqual(self.rows("SELECT count(*) FROM log_file"), [(2,)])
        self.assertEqual(self.rows("SELECT kind, summary FROM finding ORDER BY kind, summary"), before)
        # And it equals one run over both.
        at_once = self.rows("SELECT kind, severity, src_ip, dst_ip, count, total, summary FROM finding ORDER BY 1, 3, 4")
        os.unlink(self.db)
        self.assertEqual(self.analyze("-q", self.exports).returncode, 0)
        self.assertEqual(self.rows("SELECT kind, severity, src_ip, dst_ip, count, total, summary FROM finding "
                                   "ORDER BY 1, 3, 4"), at_once)

    def test_recipe_of_the_documentation(self):
        """The lines of docs/batch.md that run the analyzer, as written but for systemd's escapes."""
        page = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "batch.md")
        with open(page, encoding="utf-8") as f:
            command = re.search(r"ExecStart=/bin/sh -c '(bothends analyze [^']*)'", f.read()).group(1)
        command = command.replace("%%", "%").replace("\\\n", " ")
        os.symlink(BOTHENDS, os.path.join(self.folder, "bothends"))
        environment = dict(os.environ, PATH=self.folder + ":" + os.environ["PATH"])
        for name, status in (("story-dark/flow.log", 0), ("story-acl/flow.log", 0)):
            self.add(name, name.replace("/", "-"))
            done = subprocess.run(["/bin/sh", "-c", command], cwd=self.folder, env=environment, stderr=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, status, done.stderr)
            with open(os.path.join(self.folder, "report.md"), encoding="utf-8") as f:
                self.assertIn("answered nobody", f.read())
        # And with a finding that fails the run the report is there all the same.
        done = subprocess.run(["/bin/sh", "-c", command.replace("critical", "warning")], cwd=self.folder, env=environment,
                              stderr=subprocess.PIPE, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        with open(os.path.join(self.folder, "report.md"), encoding="utf-8") as f:
            self.assertIn("answered nobody", f.read())

    def test_host_option(self):
        done = self.analyze("-q", "--host", "web=eni-0aaa1111bbbb2222c", self.fixture("story-dark/flow.log"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.rows("SELECT name FROM host"), [("web",)])
        summary, = self.rows("SELECT summary FROM finding WHERE kind = 'host-dark'")[0]
        self.assertTrue(summary.startswith("web answered nobody"), summary)

    def saved(self, name):
        done = subprocess.run([BOTHENDS, "query", self.db, "--saved", f"flowlog-{name}", "--format", "json"],
                              stdout=subprocess.PIPE, check=True)
        return json.loads(done.stdout)

    def test_saved_queries(self):
        self.analyze("-q", self.fixture("story-dark"))
        self.assertEqual([(r["minutes"], r["sent_meanwhile"]) for r in self.saved("dark")], [(6, 18)])
        self.assertEqual(len(self.saved("one-way")), 9)
        self.analyze("-q", "--force", *(self.fixture(f) for f in ("story-gap", "story-scan", "trap-too-large.log")))
        for name in ("enis", "timeline", "pairs", "rejects", "talkers", "files"):
            self.assertGreater(len(self.saved(name)), 0, name)
        self.assertEqual({r["state"] for r in self.saved("gaps")}, {"nodata", "missing"})
        self.assertEqual([r["reason"] for r in self.saved("problems")],
                         ["not a byte count", "not a source port", "not a start time"])


if __name__ == "__main__":
    BOTHENDS, FIXTURES = (os.path.abspath(a) for a in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
