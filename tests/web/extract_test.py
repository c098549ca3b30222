#!/usr/bin/env python3
"""bothends extract: the frames are those of the originals, byte for byte, and only theirs.

usage: extract_test.py BOTHENDS FIXTURES
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

BOTHENDS, FIXTURES = (os.path.abspath(p) for p in sys.argv[1:3])
ARP = f"{FIXTURES}/capture/stale-arp"


def packets(path):
    """[(data, wire length, interface, time, comment)] of a little-endian pcapng."""
    with open(path, "rb") as f:
        raw = f.read()
    found, at = [], 0
    while at < len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        assert raw[at + length - 4 : at + length] == raw[at + 4 : at + 8], "the two lengths differ"
        if kind == 6:
            interface, high, low, cap, wire = struct.unpack_from("<IIIII", raw, at + 8)
            option, comment = at + 28 + (cap + 3) // 4 * 4, None
            while option < at + length - 4:
                code, size = struct.unpack_from("<HH", raw, option)
                if code == 1:
                    comment = raw[option + 4 : option + 4 + size].decode()
                if code == 0:
                    break
                option += 4 + (size + 3) // 4 * 4
            found.append((raw[at + 28 : at + 28 + cap], wire, interface, high << 32 | low, comment))
        at += length
    return found


def run(*args, status=0, cwd=None):
    r = subprocess.run([BOTHENDS, *args], capture_output=True, text=True, cwd=cwd)
    assert r.returncode == status, f"{args}: exit {r.returncode}, wanted {status}: {r.stderr}"
    return r.stderr


def check(extracted, folder, commented_only):
    originals = {n: packets(f"{folder}/{n}") for n in ("db.pcapng", "worker.pcapng")}
    times = [p[3] for p in extracted]
    assert times == sorted(times), "not merged by time"
    comments = 0
    for data, wire, _, _, comment in extracted:
        if comment is None:
            assert not commented_only, "a frame without a comment"
            assert any(data == o[0] for p in originals.values() for o in p), "a frame that no original has"
            continue
        comments += 1
        name, frame = re.search(r"\n(\S+) frame (\d+)$", comment).groups()
        original = originals[name][int(frame) - 1]
        assert (data, wire) == original[:2], f"{name} frame {frame} was changed"
    return comments


def main():
    with tempfile.TemporaryDirectory() as t:
        for name in ("db.pcapng", "worker.pcapng"):
            shutil.copy(f"{ARP}/{name}", t)
        run("analyze", "-q", "worker=worker.pcapng", "db=db.pcapng", "-o", "i.db", cwd=t)
        run("extract", "i.db", "1", cwd=t)
        assert check(packets(f"{t}/finding-1.pcapng"), t, True) == 12
        run("extract", "i.db", "1", "--context", "-o", "c.pcapng", cwd=t)
        context = packets(f"{t}/c.pcapng")
        assert check(context, t, False) == 12 and len(context) > 12
        assert {p[2] for p in context} == {0, 1}, "not an interface for each vantage point"

        shown = subprocess.run(["tshark", "-r", f"{t}/finding-1.pcapng", "-T", "fields", "-e", "frame.comment"],
                               capture_output=True, text=True)
        if shown.returncode == 0:
            assert shown.stdout.count("never arrived") == 12, shown.stdout

        line = run("extract", "i.db", "1", status=2, cwd=t)
        assert "--force" in line, line
        line = run("extract", "i.db", "99", status=2, cwd=t)
        assert "no finding 99" in line, line
        line = run("extract", "i.db", "1", "--source-only", "-o", "s.pcapng", status=2, cwd=t)
        assert not os.path.exists(f"{t}/s.pcapng") and "--source" in line, line

        os.mkdir(f"{t}/moved")
        os.rename(f"{t}/db.pcapng", f"{t}/moved/renamed.bin")
        line = run("extract", "i.db", "1", "-o", "m.pcapng", status=2, cwd=t)
        assert "'db.pcapng'" in line and "--source" in line, line
        run("extract", "i.db", "1", "-o", "m.pcapng", "--source", "moved", cwd=t)
        with open(f"{t}/m.pcapng", "rb") as a, open(f"{t}/finding-1.pcapng", "rb") as b:
            assert a.read() == b.read(), "another answer from a moved original"

        with open(f"{t}/moved/renamed.bin", "r+b") as f:  # same size, another content
            f.seek(-40, os.SEEK_END)
            byte = f.read(1)
            f.seek(-40, os.SEEK_END)
            f.write(bytes([byte[0] ^ 1]))
        os.rename(f"{t}/moved/renamed.bin", f"{t}/db.pcapng")
        run("extract", "i.db", "1", "-o", "x.pcapng", status=2, cwd=t)
        left = set(os.listdir(t)) - {"i.db", "db.pcapng", "worker.pcapng", "moved", "c.pcapng", "m.pcapng", "finding-1.pcapng"}
        assert not left, f"left behind: {left}"
    print("ok extract")


main()
