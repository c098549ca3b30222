"""Read, rewrite and write capture files, and name what a TCP frame is.

For the lab's own files only: little-endian pcap and pcapng as tcpdump and dumpcap write
them here, plain or compressed by gzip or zstd.
"""
import collections
import gzip
import struct
import subprocess

ETHERNET = 1
PCAP_NS = 0xa1b23c4d
PCAP_US = 0xa1b2c3d4
PCAPNG = 0x0a0d0d0a

Frame = collections.namedtuple("Frame", "time_ns wire data")  # wire: length before snapping

Tcp = collections.namedtuple(
    "Tcp", "src dst sport dport seq ack flags length ip_id options at_ip at_tcp")

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16


def content(path):
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        return subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
    if raw[:2] == b"\x1f\x8b":
        return gzip.decompress(raw)
    return raw


def is_capture(path):
    raw = content(path)
    return len(raw) >= 24 and struct.unpack_from("<I", raw)[0] in (PCAP_NS, PCAP_US, PCAPNG)


def read(path):
    """Every frame of the file, in order."""
    raw = content(path)
    if struct.unpack_from("<I", raw)[0] == PCAPNG:
        yield from _read_pcapng(raw)
        return
    magic = struct.unpack_from("<I", raw)[0]
    unit = 1 if magic == PCAP_NS else 1000
    offset = 24
    while offset < len(raw):
        seconds, fraction, captured, wire = struct.unpack_from("<IIII", raw, offset)
        offset += 16
        yield Frame(seconds * 10**9 + fraction * unit, wire, raw[offset:offset + captured])
        offset += captured


def _read_pcapng(raw):
    """Enhanced packet blocks of nanosecond interfaces, which is what dumpcap writes."""
    offset = 0
    while offset < len(raw):
        kind, length = struct.unpack_from("<II", raw, offset)
        if kind == 6:
            _, high, low, captured, wire = struct.unpack_from("<IIIII", raw, offset + 8)
            yield Frame(high << 32 | low, wire, raw[offset + 28:offset + 28 + captured])
        offset += length


def write(path, frames, snaplen=262144, link_type=ETHERNET):
    """A nanosecond pcap; frames longer than snaplen are cut to it."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", PCAP_NS, 2, 4, 0, 0, snaplen, link_type))
        for frame in frames:
            data = frame.data[:snaplen]
            file.write(struct.pack("<IIII", *divmod(frame.time_ns, 10**9), len(data), frame.wire))
            file.write(data)


def compress(path):
    """Replace a file by its zstd form; returns the new path."""
    subprocess.run(["zstd", "-q", "-19", "--rm", "-f", path], check=True)
    return path + ".zst"


def tcp(frame):
    """The frame's TCP segment, or None. Ethernet, IPv4 or plain IPv6, headers captured."""
    data = frame.data
    kind = struct.unpack_from("!H", data, 12)[0]
    if kind == 0x0800 and data[23] == 6:
        at_ip, at_tcp = 14, 14 + (data[14] & 15) * 4
        ip_id = struct.unpack_from("!H", data, 18)[0]
        src, dst = data[26:30], data[30:34]
        end = 14 + struct.unpack_from("!H", data, 16)[0]
    elif kind == 0x86dd and data[20] == 6:
        at_ip, at_tcp, ip_id = 14, 54, 0
        src, dst = data[22:38], data[38:54]
        end = 54 + struct.unpack_from("!H", data, 18)[0]
    else:
        return None
    sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", data, at_tcp)
    header = (offset >> 4) * 4
    return Tcp(src, dst, sport, dport, seq, ack, flags, end - at_tcp - header, ip_id,
               data[at_tcp + 20:at_tcp + header], at_ip, at_tcp)


def kind(segment):
    """syn, fin, rst, data or ack: the class that decides what may be proven about it."""
    for bit, name in ((SYN, "syn"), (RST, "rst"), (FIN, "fin")):
        if segment.flags & bit:
            return name
    return "data" if segment.length else "ack"
