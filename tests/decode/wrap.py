#!/usr/bin/env python3
"""Puts the packets of an Ethernet capture behind other link headers and into tunnels.

Usage: wrap.py CAPTURE.pcap FOLDER: writes FOLDER/NAME.pcap for each way in WAYS below, for
what the machine's kernel has no device for. Only classic pcap, microseconds, little endian is read.
"""
import os
import struct
import sys

HEADER = struct.Struct("<IHHiIII")
RECORD = struct.Struct("<IIII")
MAGIC = 0xa1b2c3d4
ETHERNET, RAW, NULL, LOOP, IPV4, IPV6 = 1, 101, 0, 108, 228, 229
PPP, PPP_HDLC, PPP_ETHER, C_HDLC, PPP_WITH_DIRECTION = 9, 50, 51, 104, 204
MACS = bytes.fromhex("02000000000202000000000a")
V4 = bytes((10, 99, 0, 1)) + bytes((10, 99, 0, 2))
V6 = bytes.fromhex("fd99" + "00" * 13 + "01" + "fd99" + "00" * 13 + "02")
TEB = 0x6558


def ones_complement(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total ^ 0xffff


def ether(ethertype):
    return MACS + struct.pack(">H", ethertype)


def ipv4(protocol, length):
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 77, 0, 60, protocol, 0) + V4
    return head[:10] + struct.pack(">H", ones_complement(head)) + head[12:]


def ipv6(protocol, length):
    return struct.pack(">IHBB", 0x60012345, length, protocol, 60) + V6


def over_v4(protocol, head, length):
    return ether(0x0800) + ipv4(protocol, len(head) + length) + head


def over_v6(protocol, head, length):
    return ether(0x86dd) + ipv6(protocol, len(head) + length) + head


def udp(port, head, length):
    return struct.pack(">HHHH", 50123, port, 8 + len(head) + length, 0) + head


def protocol_of(ethertype):
    return 4 if ethertype == 0x0800 else 41


def geneve(ethertype, options=b""):
    return struct.pack(">BBHI", len(options) // 4, 0, ethertype, 44 << 8) + options


def ppp(ethertype):
    return 0x0021 if ethertype == 0x0800 else 0x0057


def pppoe(ethertype, length):
    return struct.pack(">BBHHH", 0x11, 0, 17, length + 2, ppp(ethertype))


def erspan(gre, head, length):
    return over_v4(47, gre + head, length)


def gtpu(flags, options, length):
    return struct.pack(">BBHI", flags, 255, len(options) + length, 0x1234) + options


ERSPAN2 = struct.pack(">HHI", 0x1000 | 12, 0x0800 | 77, 5)
ERSPAN3 = struct.pack(">HHIHBB", 0x2000 | 12, 0x0800 | 78, 1, 0, 0x00, 0x06)
ERSPAN3_SUB = ERSPAN3[:11] + b"\x07" + struct.pack(">HHI", 3 << 10, 0, 9)
TZSP = bytes((1, 0, 0, 1, 0, 10, 1, 0x2a, 1))  # padding, a field, the end
MACSEC = struct.pack(">HBBI", 0x88e5, 0x20, 0, 7) + MACS[6:] + b"\x00\x01"

VXLAN = struct.pack(">II", 0x08000000, 42 << 8)
GRE_ALL = 0xb000  # checksum (not computed: 0), key, sequence

# name: (link type, whether the inner Ethernet header stays, header from ethertype and length)
WAYS = {
    "vlan": (ETHERNET, False, lambda t, n: ether(0x8100) + struct.pack(">HH", 0x600c, t)),
    "qinq": (ETHERNET, False, lambda t, n: ether(0x88a8) + struct.pack(">HHHH", 100, 0x8100, 7, t)),
    "old-qinq": (ETHERNET, False, lambda t, n: ether(0x9100) + struct.pack(">HHHH", 5, 0x8100, 7, t)),
    "raw": (RAW, False, lambda t, n: b""),
    "null": (NULL, False, lambda t, n: struct.pack("<I", 2 if t == 0x0800 else 24)),
    "null-swapped": (NULL, False, lambda t, n: struct.pack(">I", 2 if t == 0x0800 else 30)),
    "loop": (LOOP, False, lambda t, n: struct.pack(">I", 2 if t == 0x0800 else 24)),
    "ip-in-v4": (ETHERNET, False, lambda t, n: over_v4(protocol_of(t), b"", n)),
    "ip-in-v6": (ETHERNET, False, lambda t, n: over_v6(protocol_of(t), b"", n)),
    "gre": (ETHERNET, False, lambda t, n: over_v4(47, struct.pack(">HH", 0, t), n)),
    "gre-in-v6": (ETHERNET, False, lambda t, n: over_v6(47, struct.pack(">HH", 0, t), n)),
    "gre-key": (ETHERNET, False, lambda t, n: over_v4(
        47, struct.pack(">HHIII", GRE_ALL, t, 0, 99, 1), n)),
    "nvgre": (ETHERNET, True, lambda t, n: over_v4(47, struct.pack(">HHI", 0x2000, TEB, 0x1234501), n)),
    "vxlan-in-v6": (ETHERNET, True, lambda t, n: over_v6(17, udp(4789, VXLAN, n), n)),
    "geneve": (ETHERNET, True, lambda t, n: over_v4(17, udp(6081, geneve(TEB), n), n)),
    "geneve-options": (ETHERNET, True, lambda t, n: over_v4(
        17, udp(6081, geneve(TEB, struct.pack(">HBBI", 0x0102, 0x00, 1, 7)), n), n)),
    "gre-in-vlan": (ETHERNET, False, lambda t, n: ether(0x8100) + struct.pack(">HH", 12, 0x0800)
                    + over_v4(47, struct.pack(">HH", 0, t), n)[14:]),
    "erspan": (ETHERNET, True, lambda t, n: erspan(struct.pack(">HH", 0, 0x88be), b"", n)),
    "erspan-2": (ETHERNET, True, lambda t, n: erspan(struct.pack(">HHI", 0x1000, 0x88be, 1), ERSPAN2, n)),
    "erspan-3": (ETHERNET, True, lambda t, n: erspan(struct.pack(">HHI", 0x1000, 0x22eb, 1), ERSPAN3, n)),
    "erspan-3-sub": (ETHERNET, True, lambda t, n: erspan(struct.pack(">HHI", 0x1000, 0x22eb, 1), ERSPAN3_SUB, n)),
    "mpls": (ETHERNET, False, lambda t, n: ether(0x8847) + struct.pack(">I", 100 << 12 | 1 << 8 | 64)),
    "mpls-stack": (ETHERNET, False, lambda t, n: ether(0x8847) + struct.pack(">II", 100 << 12 | 63, 200 << 12 | 0x140)),
    "mpls-in-vlan": (ETHERNET, False, lambda t, n: ether(0x8100) + struct.pack(">HHI", 12, 0x8847, 100 << 12 | 0x140)),
    "mpls-in-gre": (ETHERNET, False, lambda t, n: over_v4(47, struct.pack(">HHI", 0, 0x8847, 100 << 12 | 0x140), n)),
    "pppoe": (ETHERNET, False, lambda t, n: ether(0x8864) + pppoe(t, n)),
    "pppoe-in-qinq": (ETHERNET, False, lambda t, n: ether(0x88a8) + struct.pack(">HHHH", 100, 0x8100, 7, 0x8864)
                      + pppoe(t, n)),
    "ppp-ether": (PPP_ETHER, False, pppoe),
    "ppp": (PPP, False, lambda t, n: struct.pack(">HH", 0xff03, ppp(t))),
    "ppp-bare": (PPP, False, lambda t, n: struct.pack(">H", ppp(t))),
    "ppp-short": (PPP, False, lambda t, n: struct.pack(">HB", 0xff03, ppp(t))),
    "ppp-hdlc": (PPP_HDLC, False, lambda t, n: struct.pack(">HH", 0xff03, ppp(t))),
    "ppp-with-direction": (PPP_WITH_DIRECTION, False, lambda t, n: struct.pack(">BHH", 1, 0xff03, ppp(t))),
    "cisco-hdlc": (C_HDLC, False, lambda t, n: struct.pack(">HH", 0x0f00, t)),
    "gtpu": (ETHERNET, False, lambda t, n: over_v4(17, udp(2152, gtpu(0x30, b"", n), n), n)),
    "gtpu-sequence": (ETHERNET, False, lambda t, n: over_v4(
        17, udp(2152, gtpu(0x32, struct.pack(">HBB", 9, 0, 0), n), n), n)),
    "gtpu-extension": (ETHERNET, False, lambda t, n: over_v4(
        17, udp(2152, gtpu(0x34, struct.pack(">HBBBBBB", 0, 0, 0x85, 1, 0, 9, 0), n), n), n)),
    "tzsp": (ETHERNET, True, lambda t, n: over_v4(17, udp(37008, TZSP, n), n)),
    "macsec": (ETHERNET, False, lambda t, n: ether(0x88e5) + MACSEC[2:] + struct.pack(">H", t)),
    "twice": (ETHERNET, False, lambda t, n: over_v4(
        47, struct.pack(">HH", 0, 0x0800) + ipv4(protocol_of(t), n), n)),
}


def records(path):
    with open(path, "rb") as f:
        data = f.read()
    magic, *_, link = HEADER.unpack_from(data)
    if magic != MAGIC or link != ETHERNET:
        sys.exit(f"{path}: not a little-endian pcap of Ethernet frames")
    at = HEADER.size
    while at + RECORD.size <= len(data):
        seconds, micros, captured, wire = RECORD.unpack_from(data, at)
        at += RECORD.size
        yield seconds, micros, wire, data[at:at + captured]
        at += captured


def wrap(path, way, frames):
    link, whole, head = way
    with open(path, "wb") as f:
        f.write(HEADER.pack(MAGIC, 2, 4, 0, 0, 262144, link))
        for seconds, micros, wire, frame in frames:
            ethertype = struct.unpack_from(">H", frame, 12)[0]
            inner, length = (frame, wire) if whole else (frame[14:], wire - 14)
            if ethertype not in (0x0800, 0x86dd) or length > 65000:
                continue
            added = head(ethertype, length)
            f.write(RECORD.pack(seconds, micros, len(added) + len(inner), len(added) + length))
            f.write(added + inner)


def main():
    frames = list(records(sys.argv[1]))
    os.makedirs(sys.argv[2], exist_ok=True)
    for name, way in WAYS.items():
        wrap(os.path.join(sys.argv[2], name + ".pcap"), way, frames)


if __name__ == "__main__":
    main()
