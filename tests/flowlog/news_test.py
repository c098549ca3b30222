#!/usr/bin/env python3
"""What is new since the last run, what goes on, what is over. usage: news_test.py BOTHENDS"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

from day import T0, Day
from incidents import all_incidents

BOTHENDS = None


class News(unittest.TestCase):
    """A day in three parts: one incident begins in the first and ends in the second, another begins in the second."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.db = os.path.join(folder.name, "nightly.db")
        known, later = all_incidents(1.0)["security-group"], all_incidents(1.0)["route-lost"]
        known.last = T0 + 150 * 60
        later.first, later.last = T0 + 160 * 60, None
        day = Day(2, 40000, minutes=300, incidents=[known, later])
        header = day.lines()[0]
        cls.runs = []
        for n, end in enumerate((115, 205, 1000)):
            rows = [row for at, row in day.rows if (n and (115, 205)[n - 1] or 0) * 60 <= at - T0 < end * 60]
            path = os.path.join(folder.name, f"{n}.log")
            with open(path, "w", encoding="ascii") as f:
                f.write("\n".join([header] + rows) + "\n")
            cls.runs.append({"json": cls.analyze(path, "--format", "json", "--fail-on", "warning", "--new-only")})
            for format in ("text", "md", "html"):
                cls.runs[-1][format] = subprocess.run([BOTHENDS, "report", cls.db, "--format", format], stdout=subprocess.PIPE, text=True,
                                                      check=True).stdout
        cls.again = cls.analyze(path, "--format", "json", "--fail-on", "warning", "--new-only")

    @classmethod
    def analyze(cls, *arguments):
        return subprocess.run([BOTHENDS, "analyze", "--since", "last", "-o", cls.db, *arguments], stdout=subprocess.PIPE, text=True)

    def loud(self, run):
        return {f["dst_ip"]: (f.get("news"), f.get("runs")) for s in json.loads(run.stdout)["stories"] for f in s["findings"]
                if f["severity"] != "notice"}

    def test_first_run_has_no_news(self):
        self.assertEqual(self.loud(self.runs[0]["json"]), {"10.0.11.30": (None, None)})
        self.assertEqual(self.runs[0]["json"].returncode, 1)
        self.assertNotIn("New since", self.runs[0]["text"])

    def test_second_run(self):
        self.assertEqual(self.loud(self.runs[1]["json"]), {"10.1.1.10": ("new", 0), "10.0.11.30": ("over", 1)})
        self.assertEqual(self.runs[1]["json"].returncode, 1)

    def test_third_run(self):
        self.assertEqual(self.loud(self.runs[2]["json"]), {"10.1.1.10": ("still", 1), "10.0.11.30": ("over", 2)})
        self.assertEqual(self.runs[2]["json"].returncode, 0)

    def test_run_without_anything_new(self):
        self.assertEqual(self.loud(self.again), {"10.1.1.10": ("still", 2), "10.0.11.30": ("over", 3)})
        self.assertEqual(self.again.returncode, 0)

    def test_order_in_every_format(self):
        for format, titles in (("text", ("New since the last run\n", "Over\n")), ("md", ("\n## New since the last run\n", "\n## Over\n")),
                               ("html", (">New since the last run<", ">Over<"))):
            report = self.runs[1][format]
            new = report.find(titles[0])
            places = [new, report.find("10.1.1.10", max(new, 0)), report.find(titles[1])]
            self.assertEqual(places, sorted(places), format)
            self.assertNotIn(-1, places, format)
            self.assertIn("Nothing new since the last run.", self.runs[2][format], format)
        self.assertIn("\n### critical: ", self.runs[1]["md"])


if __name__ == "__main__":
    BOTHENDS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
