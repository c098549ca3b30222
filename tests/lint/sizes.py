#!/usr/bin/env python3
"""Functions and files that have grown too long to be read at once.

Lists functions over 60 lines and files over 700 (a hard look is due; a flat list of like steps is fine) and
fails on functions over 120 and files over 1000 (1500 in tests/, where cases stand in tables).
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LOOK = {"function": 60, "file": 700}
FAIL = {"function": 120, "file": 1000, "test file": 1500}


def sources():
    for top in ("analyzer", "capture", "tests"):
        for folder, _, names in os.walk(os.path.join(ROOT, top)):
            for name in sorted(names):
                if name.endswith((".c", ".h", ".py", ".sh")):
                    yield os.path.join(folder, name)


def functions(lines):
    """(name, first line, lines) of each C function: a body between { and } in the first column."""
    name = begin = None
    for number, line in enumerate(lines, 1):
        head = re.match(r"[A-Za-z_].*?\b(\w+)\(", line)
        if head:
            name = head.group(1)
        if line.rstrip() == "{":
            begin = number
        elif line.rstrip() == "}" and begin:
            yield name, begin, number - begin + 1
            begin = None


def limit(kind, label):
    return FAIL["test file" if kind == "file" and label.startswith("tests/") else kind]


def main():
    long, seen = [], 0
    for path in sources():
        with open(path, encoding="utf-8") as file:
            lines = file.readlines()
        label = os.path.relpath(path, ROOT)
        long.append(("file", len(lines), label))
        if path.endswith(".c"):
            for name, begin, length in functions(lines):
                seen += 1
                long.append(("function", length, f"{label}:{begin}: {name}()"))
    for kind, length, label in sorted(long, key=lambda entry: (entry[0], -entry[1])):
        if length > LOOK[kind]:
            print(f"{label}: {kind} of {length} lines")
    return 1 if seen < 500 or any(length > limit(kind, label) for kind, length, label in long) else 0


sys.exit(main())
