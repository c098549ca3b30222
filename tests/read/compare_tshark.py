#!/usr/bin/env python3
"""Every capture under some folders has the frames, times and lengths that tshark sees in it.

So has what editcap and mergecap make of those in the first one: other formats, cut frames, all in one.

Usage: compare_tshark.py CAPWALK FOLDER ...
"""
import os
import shutil
import subprocess
import sys
import tempfile

FIELDS = ["frame.encap_type", "frame.number", "frame.time_epoch", "frame.cap_len", "frame.len"]

# Samples that the two read differently, and why.
DIFFERENT = {
    "bad-length.pcap": "tshark checks the record after next and gives up one frame earlier",
    "bad-option.pcapng": "tshark gives up at a bad option; the frame before it is whole",
    "second-header.pcap": "tshark takes the header for a frame from 2055",
    "tail.pcap.gz": "tshark rereads the last frame at a wrong place after the trailing bytes",
    "times.pcapng": "times beyond 64 bits of nanoseconds; tshark overflows in one of them",
}


def ours(capwalk, path):
    out = subprocess.run([capwalk, "-l", path], capture_output=True, text=True, check=False)
    return out.returncode, [line.split("\t")[:4] for line in out.stdout.splitlines()]


def tsharks(path):
    args = ["tshark", "-n", "-r", path, "-T", "fields"]
    for field in FIELDS:
        args += ["-e", field]
    out = subprocess.run(args, capture_output=True, text=True, check=False)
    rows = [line.split("\t") for line in out.stdout.splitlines()]
    # Without a link type it is a row for a block that holds no frame; only its number counts.
    return [row[1:] for row in rows if row[0]]


def captures(folders):
    for folder in folders:
        for root, _, names in sorted(os.walk(folder)):
            for name in sorted(names):
                yield name, os.path.join(root, name)


def run(*args):
    return subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0


def rewrite(folders, to):
    """What other tools make of the captures; those that they refuse are left out.

    Two of five formats of each capture, in turn: each format sees two captures of five."""
    sound = [p for n, p in captures(folders) if p.endswith(".pcapng") and run("capinfos", p)]
    options = [["-F", "pcap"], ["-F", "nsecpcap"], ["-F", "modpcap"], ["-F", "pcapng"],
               ["-s", "60", "-a", "2:a comment"]]
    for i, path in enumerate(sound):
        for k in (i % len(options), (i + 2) % len(options)):
            run("editcap", *options[k], path, os.path.join(to, f"{i}.{k}"))
    run("mergecap", "-w", os.path.join(to, "merged"), *sound)
    for name in os.listdir(to):
        if os.path.getsize(os.path.join(to, name)) == 0:
            os.unlink(os.path.join(to, name))


def compare(capwalk, folders):
    compared = wrong = 0
    for name, path in captures(folders):
        status, a = ours(capwalk, path)
        if status != 0:
            continue  # no capture
        b = tsharks(path)
        compared += 1
        if (a == b) == (name in DIFFERENT):
            wrong += 1
            print(f"{path}: " + ("now the same, take it from DIFFERENT" if a == b else
                  next(f"ours {x}, tshark {y}" for x, y in
                       zip(a + [None], b + [None]) if x != y)))
    return compared, wrong


def main():
    capwalk, *folders = sys.argv[1:]
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    with tempfile.TemporaryDirectory() as made:
        rewrite(folders[:1], made)
        compared, wrong = compare(capwalk, folders + [made])
    print(f"{compared} captures compared, {wrong} wrong")
    return 1 if wrong or not compared else 0


sys.exit(main())
