"""Frames of a world's captures, decoded as far as its truth needs it.

For files that tcpdump and dumpcap wrote here: Ethernet, and what `-i any` makes of it. `key` names a packet
wherever it is seen, whatever translation does to its addresses and ports: by sequence and acknowledgment
numbers and the IP ID for TCP, by the text that talk.py puts into each datagram for the rest. Of VXLAN the
inner packet counts.
"""
import collections
import os
import socket
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

import pcapfile  # noqa: E402

ETHERNET, SLL, SLL2 = 1, 113, 276
HEADER_LENGTH = {ETHERNET: 14, SLL: 16, SLL2: 20}
TYPE_AT = {ETHERNET: 12, SLL: 14, SLL2: 0}
IPV4, IPV6, ARP = 0x0800, 0x86dd, 0x0806
TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
VXLAN = 4789
FIN, SYN, RST, ACK = 1, 2, 4, 16
PROTOCOLS = {TCP: "tcp", UDP: "udp", ICMP: "icmp", ICMP6: "icmp6"}

# kind: syn, synack, rst, fin, data or ack for TCP; else the protocol, "arp", "nd" or "other".
Packet = collections.namedtuple(
    "Packet", "time_ns frame source target protocol sport dport flags length window kind key")


def link_type(path):
    """LINKTYPE of a file as tcpdump or dumpcap writes it, of one interface."""
    raw = pcapfile.content(path)
    if struct.unpack_from("<I", raw)[0] != pcapfile.PCAPNG:
        return struct.unpack_from("<I", raw, 20)[0]
    first = struct.unpack_from("<I", raw, 4)[0]
    return struct.unpack_from("<H", raw, first + 8)[0]


def load(path):
    """All packets of a file; of other frames, their kind alone."""
    link = link_type(path)
    return [decode(frame, number, link) for number, frame in enumerate(pcapfile.read(path), 1)]


def decode(frame, number=0, link=ETHERNET):
    data = frame.data
    ethertype = struct.unpack_from("!H", data, TYPE_AT[link])[0]
    packet = _network(data[HEADER_LENGTH[link]:], ethertype)
    return packet._replace(time_ns=frame.time_ns, frame=number)


def _other(kind):
    return Packet(0, 0, None, None, None, 0, 0, 0, 0, 0, kind, None)


def _network(data, ethertype):
    if ethertype == IPV4 and len(data) >= 20:
        header, length = (data[0] & 15) * 4, struct.unpack_from("!H", data, 2)[0]
        identification, fragment = struct.unpack_from("!HH", data, 4)
        if fragment & 0x1fff:
            return _other("other")
        return _transport(data[header:length], length - header, data[9], identification,
                          socket.inet_ntop(socket.AF_INET, data[12:16]),
                          socket.inet_ntop(socket.AF_INET, data[16:20]))
    if ethertype == IPV6 and len(data) >= 40:
        length = struct.unpack_from("!H", data, 4)[0]
        return _transport(data[40:40 + length], length, data[6], 0,
                          socket.inet_ntop(socket.AF_INET6, data[8:24]),
                          socket.inet_ntop(socket.AF_INET6, data[24:40]))
    return _other("arp" if ethertype == ARP else "other")


def _transport(data, length, protocol, identification, source, target):
    if protocol == TCP and len(data) >= 20:
        sport, dport, seq, ack, offset, flags, window = struct.unpack_from("!HHIIBBH", data)
        header = (offset >> 4) * 4
        payload = length - header
        options = data[20:header]
        key = (TCP, min(sport, dport), seq, ack, flags, payload, identification, window, options)
        return Packet(0, 0, source, target, "tcp", sport, dport, flags, payload, window,
                      tcp_kind(flags, payload), key)
    if protocol == UDP and len(data) >= 8:
        sport, dport = struct.unpack_from("!HH", data)
        if dport == VXLAN and len(data) >= 30:
            return _network(data[30:], struct.unpack_from("!H", data, 28)[0])
        return Packet(0, 0, source, target, "udp", sport, dport, 0, length - 8, 0, "udp",
                      (UDP, data[8:48]))
    if protocol in (ICMP, ICMP6) and len(data) >= 8:
        if protocol == ICMP6 and 130 <= data[0] <= 143:  # of the link alone: no way, no key
            return _other("nd")._replace(source=source, target=target)
        return Packet(0, 0, source, target, PROTOCOLS[protocol], 0, 0, data[0], length - 8, 0,
                      PROTOCOLS[protocol], (protocol, data[0], data[6:8], data[8:32]))
    return _other("other")._replace(source=source, target=target)


def identity(packet):
    """What of a packet a short snap length leaves: enough to know it again; None where it is not."""
    if packet.protocol == "tcp":
        return "tcp " + " ".join(map(str, packet.key[2:7]))
    if packet.protocol == "udp" and len(packet.key[1]) >= 16:
        return "udp " + packet.key[1][:16].hex()
    return None


def tcp_kind(flags, payload):
    if flags & SYN:
        return "synack" if flags & ACK else "syn"
    if flags & RST:
        return "rst"
    if flags & FIN:
        return "fin"
    return "data" if payload else "ack"
