#!/usr/bin/env python3
"""Writes fixtures/corpus/capfile/: small captures of every shape, sound and damaged.

Usage: corpus_capfile.py FOLDER. The same bytes every time (zstd samples need the zstd program).
"""
import gzip
import os
import struct
import subprocess
import sys

FRAME = bytes.fromhex("00000112233400000112233508004500") + bytes(range(24))


def pcap(order, magic, records, minor=4, link=1, extra=b""):
    out = struct.pack(order + "IHHiIII", magic, 2, minor, 0, 0, 96, link)
    for sec, frac, cap, wire, data in records:
        out += struct.pack(order + "IIII", sec, frac, cap, wire) + extra + data
    return out


def pad(data):
    return data + b"\0" * (-len(data) % 4)


def block(order, kind, body, length=None, trailer=None):
    size = len(body) + 12 if length is None else length
    return (struct.pack(order + "II", kind, size) + body
            + struct.pack(order + "I", size if trailer is None else trailer))


def opt(order, code, value, length=None):
    return struct.pack(order + "HH", code, len(value) if length is None else length) + pad(value)


def shb(order, options=b"", major=1):
    return block(order, 0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, major, 0, -1) + options)


def idb(order, link=1, snap=0, options=b""):
    return block(order, 1, struct.pack(order + "HHI", link, 0, snap) + options)


def epb(order, iface, ticks, data=FRAME, options=b"", cap=None):
    size = len(data) if cap is None else cap
    return block(order, 6, struct.pack(order + "IIIII", iface, ticks >> 32, ticks & 0xFFFFFFFF,
                                       size, len(data)) + pad(data) + options)


def pb(order, iface, drops, ticks, data=FRAME):
    return block(order, 2, struct.pack(order + "HHIIII", iface, drops, ticks >> 32,
                                       ticks & 0xFFFFFFFF, len(data), len(data)) + pad(data))


def spb(order, wire, data):
    return block(order, 3, struct.pack(order + "I", wire) + pad(data))


def isb(order, iface, ticks, options=b""):
    return block(order, 5, struct.pack(order + "III", iface, ticks >> 32, ticks & 0xFFFFFFFF) + options)


def section(o):
    """One section with everything in it."""
    u64 = lambda v: struct.pack(o + "Q", v)
    facts = (opt(o, 1, b"key=value") + opt(o, 2, b"x86") + opt(o, 3, b"Linux") + opt(o, 4, b"by hand")
             + opt(o, 2988, struct.pack(o + "I", 32473) + b"text") + opt(o, 2989, struct.pack(o + "I", 32473) + b"\1\2\3")
             + opt(o, 0, b""))
    iface = (opt(o, 2, b"eth0") + opt(o, 3, b"a port") + opt(o, 4, b"\x0a\0\1\x14\xff\xff\xff\0")
             + opt(o, 5, b"\x20\1\x0d\xb8" + bytes(11) + b"\1\x40") + opt(o, 6, b"\0\0\1\2\3\4")
             + opt(o, 8, u64(10**10)) + opt(o, 9, b"\x09") + opt(o, 11, b"\0tcp port 80") + opt(o, 12, b"os")
             + opt(o, 13, b"\4") + opt(o, 14, struct.pack(o + "q", -5)) + opt(o, 15, b"nic") + opt(o, 0, b""))
    t = 1700000000 * 10**9
    return (shb(o, facts) + idb(o, 1, 96, iface) + idb(o, 101, 0, opt(o, 9, b"\x8a")) + idb(o, 113, 0, opt(o, 9, b"\x0c"))
            + epb(o, 0, t) + epb(o, 1, 1700000000 * 1024, options=opt(o, 1, b"look") + opt(o, 2, struct.pack(o + "I", 2)) + opt(o, 4, u64(3)))
            + epb(o, 2, 17 * 10**18, b"") + spb(o, 200, FRAME[:40] + bytes(56)) + pb(o, 1, 0xFFFF, 5) + pb(o, 1, 2, 6, b"abc")
            + block(o, 4, b"\0\0\0\0") + block(o, 9, pad(b"__REALTIME_TIMESTAMP=1700000000000000\nMESSAGE=hello\n")) + block(o, 10, struct.pack(o + "II", 0x544C534B, 4) + b"key ")
            + block(o, 0xBAD, struct.pack(o + "I", 32473) + b"data") + block(o, 0x40000BAD, struct.pack(o + "I", 32473)) + block(o, 0x7777, b"")
            + isb(o, 0, t, opt(o, 2, struct.pack(o + "II", t >> 32, t & 0xFFFFFFFF)) + opt(o, 4, u64(9)) + opt(o, 5, u64(1)) + opt(o, 6, u64(8)) + opt(o, 7, u64(2)) + opt(o, 8, u64(7)))
            + epb(o, 0, t + 1) + isb(o, 0, t + 2, opt(o, 5, u64(4)) + opt(o, 3, struct.pack(o + "II", t >> 32, (t & 0xFFFFFFFF) + 2))))


def zstd(data, *args):
    return subprocess.run(["zstd", "-q", "-c", *args], input=data, stdout=subprocess.PIPE, check=True).stdout


def samples():
    two = [(1700000000, 5, len(FRAME), 1500, FRAME), (1700000001, 999999, 3, 60, b"abc")]
    us, ns = 0xA1B2C3D4, 0xA1B23C4D
    yield "us-le.pcap", pcap("<", us, two)
    yield "us-be.pcap", pcap(">", us, two)
    yield "ns-le.pcap", pcap("<", ns, two)
    yield "ns-be.pcap", pcap(">", ns, two, link=0x24000071)
    yield "kuznetzov.pcap", pcap("<", 0xA1B2CD34, two, extra=bytes(8))
    yield "version-2.3.pcap", pcap("<", us, two, minor=3)
    yield "no-frames.pcap", pcap("<", us, [])
    yield "bad-length.pcap", pcap("<", us, two + [(1, 2, 0xDEADBEEF, 0, b"garbage")])
    yield "second-header.pcap", pcap("<", us, two) + pcap("<", us, two)
    yield "cut-record.pcap", pcap("<", us, two)[:-1]
    yield "cut-header.pcap", pcap("<", us, two)[:20]
    yield "all-le.pcapng", section("<")
    yield "all-be.pcapng", section(">")
    yield "mixed.pcapng", section("<") + section(">")
    yield "no-frames.pcapng", shb("<")
    yield "no-interface.pcapng", shb("<") + epb("<", 0, 1)
    yield "spb-no-interface.pcapng", shb("<") + spb("<", 4, b"abcd")
    yield "bad-interface.pcapng", shb("<") + idb("<") + epb("<", 0, 1) + epb("<", 7, 1)
    yield "bad-trailer.pcapng", shb("<") + idb("<") + block("<", 6, bytes(20), trailer=28)
    yield "bad-caplen.pcapng", shb("<") + idb("<") + epb("<", 0, 1, cap=4096)
    yield "short-block.pcapng", shb("<") + struct.pack("<III", 6, 8, 8)
    yield "odd-block.pcapng", shb("<") + idb("<") + struct.pack("<II", 6, 33) + bytes(40)
    yield "huge-block.pcapng", shb("<") + idb("<") + struct.pack("<II", 6, 0xFFFFFFF0) + bytes(40)
    yield "huge-unknown.pcapng", shb("<") + idb("<") + struct.pack("<II", 77, 0xFFFFFFF0) + bytes(40)
    yield "bad-option.pcapng", shb("<", opt("<", 1, b"abc", length=999)) + idb("<") + epb("<", 0, 1, options=opt("<", 2, b"1"))
    hashes = (b"payload-hash 25c822f6 0a0edd92 327e8d64", b"payload-hash 25c822f6 0a0edd92 327e8d6", b"payload-hash ",
              b"payload-hash 25c822f6 0a0edd92 327e8d64" * 1600, b"payload-hash 25C822F6 0a0edd92 327e8d64")
    yield "payload-hash.pcapng", shb("<") + idb("<") + b"".join(epb("<", 0, 1, options=opt("<", 1, h)) for h in hashes) + epb(
        "<", 0, 1, options=opt("<", 1, hashes[0], length=40))
    yield "bad-bom.pcapng", shb("<") + struct.pack("<II", 0x0A0D0D0A, 28) + bytes(20)
    yield "version-9.pcapng", shb("<", major=9)
    yield "times.pcapng", b"".join(
        shb("<") + idb("<", 1, 0, opt("<", 9, bytes([v])) + opt("<", 14, struct.pack("<q", off))) + epb("<", 0, ticks, b"t")
        for v, off, ticks in ((0, 0, 2**63), (18, 0, 2**64 - 1), (29, 1, 5), (127, -1, 2**64 - 1), (0x80, 0, 2**40),
                              (0xFF, -2**63, 2**64 - 1), (9, 2**63 - 1, 2**64 - 1), (9, -1, 0)))
    yield "plain.pcap.gz", gzip.compress(pcap("<", us, two), mtime=0)
    yield "members.pcapng.gz", gzip.compress(section("<"), mtime=0) + gzip.compress(section(">"), mtime=0)
    yield "cut.pcap.gz", gzip.compress(pcap("<", us, two), mtime=0)[:-12]
    yield "tail.pcap.gz", gzip.compress(pcap("<", us, two), mtime=0) + b"tail"
    yield "empty.gz", gzip.compress(b"", mtime=0)
    yield "plain.pcap.zst", zstd(pcap("<", us, two))
    yield "frames.pcapng.zst", zstd(section("<")) + zstd(section(">"), "--no-check")
    yield "cut.pcap.zst", zstd(pcap("<", us, two))[:-5]
    yield "text", b"10.0.1.90 dev eth0 lladdr 00:00:01:fc:b3:48 STALE\n"


def main():
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, data in samples():
        with open(os.path.join(sys.argv[1], name), "wb") as f:
            f.write(data)


main()
