#!/usr/bin/env python3
"""Static functions carry their file's prefix, so that grep, perf and cscope tell them apart.

The prefix is the file's name or one of its words: ring_parse_name() in ring.c, kmsg_emit() in facts_kmsg.c.
SQL functions are fn_NAME() wherever they stand.
No two of these files define a static function of the same name.
"""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("analyzer", "capture")
# The name stands on the line of "static"; what follows an attribute there is not seen.
STATIC = re.compile(r"^static (?!.*=)[^(;]*?\b(\w+)\(", re.MULTILINE)


def main():
    wrong, where = [], {}
    for folder in FOLDERS:
        for path in sorted(glob.glob(os.path.join(ROOT, folder, "**", "*.c"), recursive=True)):
            stem = os.path.basename(path)[:-2]
            label = os.path.relpath(path, ROOT)
            with open(path, encoding="utf-8") as file:
                names = set(STATIC.findall(file.read())) - {"__attribute__"}
            for name in sorted(names):
                if not any(name.startswith(word + "_") for word in [stem, "fn"] + stem.split("_")):
                    wrong.append(f"{label}: {name}() lacks the prefix {stem}_")
                if where.setdefault(name, label) != label:
                    wrong.append(f"{label}: {name}() is also in {where[name]}")
    print("\n".join(wrong))
    return 1 if wrong or len(where) < 300 else 0


sys.exit(main())
