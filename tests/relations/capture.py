"""A capture file in memory: its bytes to frames and back, with what its format says besides.

pcap and pcapng as tcpdump, dumpcap and the scenarios write them (little-endian). Of a pcapng file the
interfaces with their options, the count of frames lost before a frame and the statistics stay; comments and names
of programs do not."""
import os
import struct
import sys
from dataclasses import dataclass, field, replace
from typing import NamedTuple

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", name) for name in ("lab", "scenario")]
from pcapfile import PCAP_NS, PCAP_US, PCAPNG

ETHERNET, NULL, RAW, SLL, NFLOG, SLL2 = 1, 0, 101, 113, 239, 276
ISB, EPB = 5, 6
IF_NAME, IF_IPV4, IF_IPV6, IF_MAC, IF_TSRESOL, IF_FILTER = 2, 4, 5, 6, 9, 11
EPB_DROPCOUNT = 4
ISB_START, ISB_END, ISB_IFRECV, ISB_IFDROP, ISB_FILTERACCEPT, ISB_OSDROP, ISB_USRDELIV = range(2, 9)


class Frame(NamedTuple):
    time_ns: int
    wire: int           # length before snapping
    data: bytes
    interface: int = 0
    lost: int = 0       # frames that the capture says it lost before this one


@dataclass
class Interface:
    link: int
    snaplen: int = 262144
    options: tuple = ()      # (code, value)
    statistics: dict = None  # code to value; None: the file has none

    def option(self, code):
        return next((value for c, value in self.options if c == code), None)

    def named(self, name):
        kept = tuple(o for o in self.options if o[0] != IF_NAME)
        return replace(self, options=((IF_NAME, name.encode()),) + kept)


@dataclass
class Capture:
    format: str                # pcap or pcapng
    interfaces: list
    frames: list
    unit_ns: int = 1           # of a pcap's stamps

    @property
    def link(self):
        """The link type of all frames, or None where interfaces differ."""
        kinds = {i.link for i in self.interfaces}
        return kinds.pop() if len(kinds) == 1 else None

    def with_frames(self, frames):
        return replace(self, frames=list(frames))

    def with_link(self, link):
        return replace(self, interfaces=[replace(i, link=link) for i in self.interfaces])


def parse(raw):
    magic = struct.unpack_from("<I", raw)[0]
    if magic == PCAPNG:
        return _parse_pcapng(raw)
    if magic not in (PCAP_NS, PCAP_US):
        raise ValueError("not a capture")
    unit = 1 if magic == PCAP_NS else 1000
    _, _, _, _, _, snaplen, link = struct.unpack_from("<IHHiIII", raw)
    frames, at = [], 24
    while at < len(raw):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", raw, at)
        frames.append(Frame(seconds * 10**9 + fraction * unit, wire, raw[at + 16:at + 16 + captured]))
        at += 16 + captured
    return Capture("pcap", [Interface(link, snaplen)], frames, unit)


def _options(raw):
    at = 0
    while at + 4 <= len(raw):
        code, length = struct.unpack_from("<HH", raw, at)
        if code == 0:
            return
        yield code, raw[at + 4:at + 4 + length]
        at += 4 + length + -length % 4


def _stamp(high, low, interface):
    resolution = (interface.option(IF_TSRESOL) or b"\x06")[0]
    if resolution > 9:
        raise ValueError("stamps of a resolution that is not read here")
    return (high << 32 | low) * 10 ** (9 - resolution)


def _parse_pcapng(raw):
    interfaces, frames, at = [], [], 0
    while at < len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        body = raw[at + 8:at + length - 4]
        if kind == 1:
            link, _, snaplen = struct.unpack_from("<HHI", body)
            interfaces.append(Interface(link, snaplen, tuple(_options(body[8:]))))
        elif kind == EPB:
            index, high, low, captured, wire = struct.unpack_from("<IIIII", body)
            extra = dict(_options(body[20 + captured + -captured % 4:]))
            frames.append(Frame(_stamp(high, low, interfaces[index]), wire, body[20:20 + captured], index,
                                struct.unpack("<Q", extra[EPB_DROPCOUNT])[0] if EPB_DROPCOUNT in extra else 0))
        elif kind == ISB:
            index, = struct.unpack_from("<I", body)
            of = interfaces[index]
            of.statistics = {code: _stamp(*struct.unpack("<II", value), of) if code in (ISB_START, ISB_END) else
                             struct.unpack("<Q", value)[0] for code, value in _options(body[12:])
                             if ISB_START <= code <= ISB_USRDELIV}
        at += length
    return Capture("pcapng", [replace(i, options=tuple(o for o in i.options if o[0] != IF_TSRESOL))
                              for i in interfaces], frames)


def serialise(capture):
    return _pcap(capture) if capture.format == "pcap" else _pcapng(capture)


def _pcap(c):
    first = c.interfaces[0]
    out = [struct.pack("<IHHiIII", PCAP_NS if c.unit_ns == 1 else PCAP_US, 2, 4, 0, 0, first.snaplen, first.link)]
    for f in c.frames:
        seconds, rest = divmod(f.time_ns, 10**9)
        out.append(struct.pack("<IIII", seconds, rest // c.unit_ns, len(f.data), f.wire) + f.data)
    return b"".join(out)


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _halves(ns):
    return struct.pack("<II", ns >> 32, ns & 0xffffffff)


def _pcapng(c):
    out = [_block(PCAPNG, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1))]
    for i in c.interfaces:
        options = b"".join(_option(code, value) for code, value in (*i.options, (IF_TSRESOL, b"\x09")))
        out.append(_block(1, struct.pack("<HHI", i.link, 0, i.snaplen) + options + _option(0, b"")))
    for f in c.frames:
        body = struct.pack("<I", f.interface) + _halves(f.time_ns) + struct.pack("<II", len(f.data), f.wire)
        body += f.data + b"\0" * (-len(f.data) % 4)
        if f.lost:
            body += _option(EPB_DROPCOUNT, struct.pack("<Q", f.lost)) + _option(0, b"")
        out.append(_block(EPB, body))
    for index, i in enumerate(c.interfaces):
        if i.statistics is not None:
            last = max((f.time_ns for f in c.frames if f.interface == index), default=0)
            options = b"".join(_option(code, _halves(value) if code in (ISB_START, ISB_END) else
                                       struct.pack("<Q", value)) for code, value in i.statistics.items())
            out.append(_block(ISB, struct.pack("<I", index) + _halves(i.statistics.get(ISB_END, last)) + options
                              + _option(0, b"")))
    return b"".join(out)
