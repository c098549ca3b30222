#!/usr/bin/env python3
"""Lines wider than a limit.

usage: width.py [--list] LIMIT [FOLDER...]

A tab reaches the next multiple of 8. Without folders every source of the tree counts. Prints how many lines
of each folder are wider (--list: each of them) and fails if there is one.
"""
import os
import sys
import unicodedata

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TREE = (".", "analyzer", "capture", "schema", "scripts", "tests")
ENDINGS = (".c", ".h", ".py", ".sh", ".sql", ".mjs", "meson.build")
TAB = 8


def sources(top):
    for folder, below, names in os.walk(os.path.join(ROOT, top)):
        below[:] = sorted(name for name in below if name != "node_modules" and top != ".")
        yield from (os.path.join(folder, name) for name in sorted(names) if name.endswith(ENDINGS))


def width(line):
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
               for c in line.rstrip("\n").expandtabs(TAB))


def wide_lines(path, limit):
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if width(line) > limit:
                yield f"{os.path.relpath(path, ROOT)}:{number}: {width(line)} columns"


def main(words):
    listed = "--list" in words
    words = [word for word in words if word != "--list"]
    if not words or not words[0].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    limit, failed = int(words[0]), False
    for top in words[1:] or TREE:
        paths = list(sources(top))
        wide = [line for path in paths for line in wide_lines(path, limit)]
        if listed:
            print("\n".join(wide))
        print(f"{top}: {len(wide)} lines of more than {limit} columns in {len(paths)} files")
        failed |= bool(wide) or not paths
    return 1 if failed else 0


sys.exit(main(sys.argv[1:]))
