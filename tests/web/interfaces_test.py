#!/usr/bin/env python3
"""One capture of several interfaces: each frame belongs to the vantage point of its own interface.

usage: interfaces_test.py BOTHENDS FIXTURES

Two captures are put into one pcapng file with two interfaces, as one recorder on a router would write it. Rows of
packet, the ladder of the report and extract must tell the interfaces apart.
"""
import html
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile

BOTHENDS, FIXTURES = (os.path.abspath(p) for p in sys.argv[1:3])
ARP = f"{FIXTURES}/capture/stale-arp"


def packets(path):
    """[(time, captured bytes, wire length)] of a little-endian pcapng with one interface in nanoseconds."""
    with open(path, "rb") as f:
        raw = f.read()
    at, found = 0, []
    while at < len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        if kind == 6:
            high, low, cap, wire = struct.unpack_from("<IIII", raw, at + 12)
            found.append((high << 32 | low, raw[at + 28:at + 28 + cap], wire))
        at += length
    return found


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def merged(path, *captures):
    """Returns {(interface, number in its own capture): frame number in the merged one}."""
    rows = sorted((at, i, n, data, wire) for i, c in enumerate(captures)
                  for n, (at, data, wire) in enumerate(packets(c), 1))
    with open(path, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
        for i in range(len(captures)):
            f.write(block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"eth%d" % i) + option(9, b"\x09") + option(0, b"")))
        for at, i, _, data, wire in rows:
            f.write(block(6, struct.pack("<IIIII", i, at >> 32, at & 0xffffffff, len(data), wire) + data))
    return {(i, n): frame for frame, (_, i, n, _, _) in enumerate(rows, 1)}


def ladder_table(page):
    """(headings, rows) of the first ladder's table."""
    table = re.search(r"The same as a table.*?<table>(.*?)</table>", page, re.S).group(1)
    cells = [[html.unescape(re.sub("<[^>]*>", "", c)) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S)]
             for row in re.findall(r"<tr>(.*?)</tr>", table, re.S)]
    return cells[0], cells[1:]


def main():
    with tempfile.TemporaryDirectory() as t:
        both, db, page = f"{t}/both.pcapng", f"{t}/both.db", f"{t}/both.html"
        place = merged(both, f"{ARP}/worker.pcapng", f"{ARP}/db.pcapng")
        subprocess.run([BOTHENDS, "analyze", "-q", "--packets", "all", "-o", db, f"router={both}"], check=True)
        base = sqlite3.connect(db)
        names = dict(base.execute("SELECT interface, id FROM vantage"))
        assert sorted(names) == ["eth0", "eth1"], names

        of_frame = {frame: names[f"eth{i}"] for (i, _), frame in place.items()}
        rows = list(base.execute("SELECT frame, vantage_id FROM packet"))
        assert len(rows) > 300, len(rows)
        wrong = [r for r in rows if of_frame[r[0]] != r[1]]
        assert not wrong, f"{len(wrong)} of {len(rows)} rows have the other interface's vantage point: {wrong[:3]}"

        saved = json.loads(subprocess.run([BOTHENDS, "query", "--format", "json", db, "--saved", "packets", "-p", "flow=5"],
                                          check=True, capture_output=True, text=True).stdout)
        assert {p["vantage"] for p in saved} == set(n for n, in base.execute("SELECT name FROM vantage")), saved

        subprocess.run([BOTHENDS, "report", "--format", "html", "-o", page, db], check=True)
        with open(page, encoding="utf-8") as f:
            heads, ladder = ladder_table(f.read())
        lines = [h.removeprefix("frame at ") for h in heads if h.startswith("frame at ")]
        ids = dict(base.execute("SELECT name, id FROM vantage"))
        assert sorted(lines) == sorted(ids), heads
        seen = 0
        for row in ladder:
            for name, frame in zip(lines, row[3:]):
                if frame:
                    seen += 1
                    assert of_frame[int(frame)] == ids[name], f"frame {frame} is drawn at {name}"
        assert seen >= 6, f"{seen} frames in the ladder"
        assert any("lost" in row[-1] or "wrong MAC" in row[-1] for row in ladder), "nothing lost in the ladder"
    print("ok frames of several interfaces")


main()
