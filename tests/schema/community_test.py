#!/usr/bin/env python3
"""community_id() says what Wireshark's dissector of Community ID says, for every protocol and both directions.
usage: community_test.py BOTHENDS FIXTURES
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

HOSTS = (("10.0.0.9", "10.0.0.10"), ("192.168.0.89", "192.168.0.1"), ("fe80::2", "ff02::1"), ("2001:db8::1", "2001:db8::ffff"))


def packed(ip):
    return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)


def frame(protocol, src, dst, body):
    """An IP packet without a link header (LINKTYPE_RAW)."""
    if ":" in src:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, 64) + packed(src) + packed(dst) + body
    return struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0, packed(src), packed(dst)) + body


def asked():
    """Packets, and what the function is given for each."""
    for a, b in HOSTS:
        for src, dst in ((a, b), (b, a)):
            for sport, dport in ((40000, 443), (53, 53), (1, 65535)):
                ports = struct.pack(">HH", sport, dport)
                yield frame(6, src, dst, ports + struct.pack(">IIBBHHH", 1, 0, 0x50, 2, 1000, 0, 0)), (6, src, dst, sport, dport)
                yield frame(17, src, dst, ports + struct.pack(">HH", 8, 0)), (17, src, dst, sport, dport)
            yield frame(132, src, dst, struct.pack(">HHII", 7, 80, 1, 0) + b"\x0b\x00\x00\x04"), (132, src, dst, 7, 80)
            six = ":" in src
            for kind in (1, 128, 129, 130, 131, 133, 134, 135, 136) if six else (0, 3, 8, 9, 10, 13, 14, 17, 18):
                body = struct.pack(">BBHI", kind, 0, 0, 0) + bytes(40)
                yield frame(58 if six else 1, src, dst, body), (58 if six else 1, src, dst, kind, 0)


def tshark(path, *options):
    done = subprocess.run(["tshark", "-r", path, "--enable-protocol", "communityid", "-T", "fields", *options],
                          capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"tshark: {done.stderr}")
    return [line.split("\t") for line in done.stdout.splitlines()]


def query(bothends, db, sql):
    done = subprocess.run([bothends, "query", db, sql, "-f", "json"], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"query: {done.stderr}")
    return json.loads(done.stdout)


def function_like_wireshark(bothends, db, folder):
    cases = list(asked())
    path = os.path.join(folder, "cases.pcap")
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, (data, _) in enumerate(cases):
            file.write(struct.pack("<IIII", 1790000000 + number, 0, len(data), len(data)) + data)
    expected = [row[0].split(",")[0] for row in tshark(path, "-e", "communityid")]
    values = ", ".join(f"({p}, '{s}', '{d}', {sp}, {dp})" for _, (p, s, d, sp, dp) in cases)
    got = query(bothends, db, f"SELECT community_id(column1, column2, column3, column4, column5) AS id FROM (VALUES {values})")
    for (_, case), want, row in zip(cases, expected, got, strict=True):
        assert want.startswith("1:") and row["id"] == want, f"{case}: got {row['id']}, Wireshark says {want}"
    return len(cases)


def view_like_wireshark(bothends, db, capture):
    """The flows of a capture, by the view, are those of the frames."""
    frames = {tuple(row) for row in tshark(capture, "-Y", "(tcp || udp) && !icmp && !icmpv6", "-e", "communityid")}
    rows = query(bothends, db, "SELECT DISTINCT community_id FROM flow_community WHERE protocol IN ('tcp', 'udp')")
    assert frames and {(row["community_id"],) for row in rows} == frames, (rows, frames)


def main():
    bothends, fixtures = sys.argv[1:3]
    if not shutil.which("tshark"):
        print("tshark is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        db, capture = os.path.join(folder, "x.db"), os.path.join(fixtures, "capture/stale-arp/db.pcapng")
        done = subprocess.run([bothends, "analyze", "-q", "-o", db, capture], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        count = function_like_wireshark(bothends, db, folder)
        view_like_wireshark(bothends, db, capture)
    print(f"{count} packets, and every flow of a capture")


main()
