#!/usr/bin/env python3
"""The output in docs/reading.md is the program's, line for line.

usage: reading_test.py BOTHENDS ROOT [--update]

A block of output follows a comment that names its inputs (`<!-- of capture/no-loss -->`: a folder or a script below
fixtures/) and begins with the command. Its other lines are what the command prints, to their end or to a line `...`.
--update writes them anew; review the diff.
"""
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

BOTHENDS, ROOT = (os.path.abspath(p) for p in sys.argv[1:3])
PAGE = os.path.join(ROOT, "docs", "reading.md")
BLOCK = re.compile(r"^<!-- of (\S+) -->\n\n((?:    .*\n|\n(?=    ))+)", re.M)
SITUATIONS = 12
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(ROOT, "tests", "scenario"))
from recording import write_all  # noqa: E402
from script import Script  # noqa: E402
from world import World  # noqa: E402


def lay_out(source, folder):
    """The inputs under the names that the command calls them by."""
    path = os.path.join(ROOT, "fixtures", source)
    if source.endswith(".scn"):
        write_all(World(Script(path)), folder)
    else:
        for name in os.listdir(path):
            shutil.copy(os.path.join(path, name), folder)


def printed(sources, command):
    with tempfile.TemporaryDirectory() as folder:
        for source in sources.split("+"):
            lay_out(source, folder)
        words = shlex.split(command)
        assert words[0] == "bothends", command
        done = subprocess.run([BOTHENDS, *words[1:]], cwd=folder, capture_output=True, text=True, check=False,
                              env=dict(os.environ, TZ="UTC", LC_ALL="C", NO_COLOR="1"))
    if done.returncode or done.stderr:
        sys.exit(f"{command}: status {done.returncode}: {done.stderr}")
    return done.stdout.rstrip("\n").split("\n")


def renewed(match):
    """The block as the program prints it today, cut where the page cuts it."""
    lines = [line[4:] for line in match[2].rstrip("\n").split("\n")]
    out = printed(match[1], lines[0].removeprefix("$ "))
    if lines[-1] == "...":
        out = out[:len(lines) - 2] if "--update" not in sys.argv else out[:out.index("Inputs") - 1]
        out.append("...")
    shown = "\n".join("    " + line if line else "" for line in [lines[0], *out])
    return f"<!-- of {match[1]} -->\n\n{shown}\n"


def main():
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    blocks = BLOCK.findall(page)
    now = BLOCK.sub(renewed, page)
    if "--update" in sys.argv:
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(now)
        return 0
    print(f"{len(blocks)} blocks")
    for was, wanted in zip(page.split("\n"), now.split("\n")):
        if was != wanted:
            print(f"docs/reading.md: {was!r}\n  today: {wanted!r}")
            return 1
    return 0 if len(blocks) == SITUATIONS and page == now else 1


sys.exit(main())
