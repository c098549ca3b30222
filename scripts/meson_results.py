#!/usr/bin/env python3
"""Prints the results of the last `meson test` of a build folder, one line a test.

usage: meson_results.py BUILD LABEL

`ok LABEL SUITE: NAME`, `not ok LABEL SUITE: NAME: why` with the test's output indented below it, or
`skip LABEL SUITE: NAME: why`, which is the last line that the test printed.
"""
import json
import sys

OUTPUT_LINES = 60


def last_line(text):
    lines = text.strip().splitlines()
    return lines[-1] if lines else "no reason given"


def main():
    build, label = sys.argv[1:]
    with open(f"{build}/meson-logs/testlog.json", encoding="utf-8") as log:
        tests = [json.loads(line) for line in log]
    for test in tests:
        # "project:suite / title", where a colon in the title has become an underscore
        suite, _, title = test["name"].rpartition(" / ")
        name = f"{label} {suite.rpartition(':')[2]}: {title.replace('_ ', ': ', 1)}"
        output = test.get("stdout", "") + test.get("stderr", "")
        if test["result"] in ("OK", "EXPECTEDFAIL"):
            print(f"ok {name}")
        elif test["result"] == "SKIP":
            print(f"skip {name}: {last_line(output)}")
        else:
            print(f"not ok {name}: {test['result'].lower()}, status {test['returncode']}")
            for line in output.splitlines()[-OUTPUT_LINES:]:
                print(f"    {line}")


main()
