#!/usr/bin/env python3
"""Keeps docs/forensics.md true. usage: forensics.py BOTHENDS SOURCE_ROOT [--update]

Every "$ bothends ..." line in a code block of that page is run on the recorded captures that the page
names; with --update what it prints replaces the lines under it, without it they must have the same
header and a row at least.
"""
import os
import re
import shlex
import subprocess
import sys
import tempfile

LINES = 8  # of output that the page shows


def analyze(bothends, root, folder, line):
    """bothends analyze ... as the page says; paths in the database are those of the page."""
    if not os.path.exists(folder + "/fixtures"):
        os.symlink(root + "/fixtures", folder + "/fixtures")
    done = subprocess.run([bothends, *shlex.split(line)[1:], "-q"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{line}: {done.stderr}")


def output(bothends, folder, line):
    done = subprocess.run([bothends, *shlex.split(line)[1:]], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{line}: {done.stderr}")
    return [row.rstrip() for row in done.stdout.splitlines()]


def main():
    bothends, root = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    path = os.path.join(root, "docs/forensics.md")
    with open(path, encoding="utf-8") as f:
        text = f.read()
    faults, ran = [], 0

    def block(match):
        nonlocal ran
        body = match.group(1)
        command, _, shown = re.match(r"\$ ((?:[^\n]*\\\n)*[^\n]*)(\n?)(.*)", body, re.S).groups()
        line = command.replace("\\\n", " ")
        if line.startswith("bothends analyze"):
            analyze(bothends, root, folder, line)
            return match.group(0)
        got = output(bothends, folder, line)
        ran += 1
        if len(got) < 3:
            faults.append(f"{line}: no rows")
        old = shown.splitlines()
        if not old or got[0].split() != old[0].split():
            faults.append(f"{line}: the page shows another header")
        rows = got[:LINES + 2] + (["..."] if len(got) > LINES + 2 else [])
        return f"```console\n$ {command}\n" + "\n".join(rows) + "\n```"

    with tempfile.TemporaryDirectory() as folder:
        new = re.sub(r"```console\n(.*?)\n```", block, text, flags=re.S)
    if "--update" in sys.argv:
        with open(path, "w", encoding="utf-8") as f:
            f.write(new)
        return
    print(f"{ran} queries", *faults, sep="\n")
    sys.exit(1 if faults or ran < 20 else 0)


main()
