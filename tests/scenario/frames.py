"""Turn what a scenario's packet looks like at one point into the bytes of a captured frame, and
frames into capture files. Knows nothing of scenarios: structs in, bytes out."""
import collections
import ipaddress
import struct

ETHERNET, RAW, NULL, SLL, SLL2, USER0 = 1, 101, 0, 113, 276, 147
LINKS = {"ethernet": ETHERNET, "raw": RAW, "null": NULL, "sll": SLL, "sll2": SLL2, "user0": USER0}
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << bit for bit in range(8))
FLAGS = {"F": FIN, "S": SYN, "R": RST, "P": PSH, ".": ACK, "U": URG, "E": ECE, "W": CWR}
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "icmp6": 58}

# What a segment carries beside its numbers, in the order in which Linux writes them.
Options = collections.namedtuple("Options", "mss sack_ok timestamp wscale sack",
                                 defaults=(None, False, None, None, ()))
# One record of a file. lost: frames that the capture says it lost before this one.
# interface: which of the file's.
Record = collections.namedtuple("Record", "time_ns data wire lost interface", defaults=(0, 0))
# An interface of a pcapng file. running: (start, end) in ns, dropped: frames at the end; both go into its statistics.
Interface = collections.namedtuple("Interface", "name link snaplen addresses mac filter dropped running",
                                   defaults=((), None, None, None, None))
NO_MAC = "00:00:00:00:00:00"
BROADCAST = "ff:ff:ff:ff:ff:ff"


def ones_sum(data):
    """The ones' complement sum of 16-bit words: 2**16 is 1 modulo 65535."""
    total = int.from_bytes(data + b"\0" * (len(data) % 2), "big")
    return total % 65535 or (65535 if total else 0)


def checksum(data):
    return ~ones_sum(data) & 0xffff


def pseudo_header(src, dst, protocol, length):
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    return src.packed + dst.packed + struct.pack("!II", length, protocol)


SUM_AT = {6: 16, 17: 6, 58: 2}  # where the checksum over pseudo-header and body stands


def summed(src, dst, protocol, body, kind):
    """A TCP, UDP or ICMPv6 body with its checksum: good, bad, or partial as transmit offload shows it."""
    at = SUM_AT[protocol]
    body = body[:at] + b"\0\0" + body[at + 2:]
    pseudo = pseudo_header(src, dst, protocol, len(body))
    value = ones_sum(pseudo) if kind == "partial" else checksum(pseudo + body) or 0xffff
    if kind == "bad":
        value ^= 0x5a5a
    return body[:at] + struct.pack("!H", value) + body[at + 2:]


def tcp_options(o):
    out = b""
    if o.mss is not None:
        out += struct.pack("!BBH", 2, 4, o.mss)
    if o.sack_ok:
        out += b"\x04\x02" if o.timestamp else b"\x01\x01\x04\x02"
    if o.timestamp:
        out += b"" if o.sack_ok else b"\x01\x01"
        out += struct.pack("!BBII", 8, 10, *(value % 2**32 for value in o.timestamp))
    if o.wscale is not None:
        out += struct.pack("!BBBB", 1, 3, 3, o.wscale)
    if o.sack:
        out += struct.pack("!BBBB", 1, 1, 5, 2 + 8 * len(o.sack))
        out += b"".join(struct.pack("!II", low % 2**32, high % 2**32) for low, high in o.sack)
    return out + b"\x01" * (-len(out) % 4)


def tcp(sport, dport, seq, ack, flags, window, options, payload):
    raw = tcp_options(options)
    return struct.pack("!HHIIBBHHH", sport, dport, seq % 2**32, ack % 2**32,
                       (20 + len(raw)) // 4 << 4, flags, window, 0, 0) + raw + payload


def udp(sport, dport, payload):
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload


def echo(request, six, ident, number, payload):
    kind = (128 if request else 129) if six else (8 if request else 0)
    body = struct.pack("!HH", ident, number) + payload
    sum_ = checksum(struct.pack("!BBH", kind, 0, 0) + body)
    return struct.pack("!BBH", kind, 0, sum_) + body


def icmp_error(kind, code, rest, quote):
    body = struct.pack("!I", rest) + quote
    return struct.pack("!BBH", kind, code, checksum(struct.pack("!BBH", kind, code, 0) + body)) + body


def ip(src, dst, protocol, payload, ttl=64, tos=0, ident=0, fragment=None):
    """fragment: (offset in bytes, more) of IPv4; the payload is that part."""
    src, dst = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    if src.version == 6:
        return struct.pack("!IHBB", 6 << 28 | tos << 20, len(payload) & 0xffff, protocol, ttl
                           ) + src.packed + dst.packed + payload
    offset, more = fragment or (0, False)
    bits = offset // 8 | (0x2000 if more else 0 if fragment else 0x4000)
    head = struct.pack("!BBHHHBBH4s4s", 0x45, tos, (20 + len(payload)) & 0xffff, ident & 0xffff,
                       bits, ttl, protocol, 0, src.packed, dst.packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def mac_bytes(text):
    return bytes(int(part, 16) for part in text.split(":"))


def arp(request, mac, address, target_mac, target):
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1 if request else 2) + mac_bytes(mac) + ipaddress.ip_address(
        address).packed + mac_bytes(target_mac) + ipaddress.ip_address(target).packed


def neighbor(request, mac, address, target):
    """Neighbour solicitation for the target, or advertisement of the own address to it: an IPv6 packet."""
    target = ipaddress.ip_address(target)
    about = target if request else ipaddress.ip_address(address)
    to = ipaddress.ip_address("ff02::1:ff00:0").packed[:13] + target.packed[13:] if request else target.packed
    body = struct.pack("!BBHI", 135 if request else 136, 0, 0, 0 if request else 0x60000000) + about.packed
    body += struct.pack("!BB", 1 if request else 2, 1) + mac_bytes(mac)
    return ip(address, ipaddress.ip_address(to), 58, summed(address, to, 58, body, "good"), ttl=255)


def vxlan(outer_src, outer_dst, vni, frame, ident, bad_sum):
    """An Ethernet frame in UDP to port 4789; the outer checksum is left out as usual, or wrong."""
    body = udp(49152 + vni % 16384, 4789, struct.pack("!II", 0x08000000, vni << 8) + frame)
    return ip(outer_src, outer_dst, 17, summed(outer_src, outer_dst, 17, body, "bad") if bad_sum else body, ident=ident)


def ethertype_of(packet):
    return 0x86dd if packet[0] >> 4 == 6 else 0x0800


def link(kind, packet, src_mac, dst_mac, outgoing, vlan=None, ifindex=1, ethertype=None):
    protocol = struct.pack("!H", ethertype or ethertype_of(packet))
    if kind == ETHERNET:
        tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
        return mac_bytes(dst_mac) + mac_bytes(src_mac) + tag + protocol + packet
    if kind in (RAW, USER0):
        return packet
    if kind == NULL:
        return struct.pack("<I", 10 if packet[0] >> 4 == 6 else 2) + packet
    direction = 4 if outgoing else 1 if dst_mac == BROADCAST else 0
    if kind == SLL:
        return struct.pack("!HHH8s", direction, 1, 6, mac_bytes(src_mac)) + protocol + packet
    return protocol + struct.pack("!HIHBB8s", 0, ifindex, 1, direction, 6, mac_bytes(src_mac)) + packet


def write_pcap(path, records, link_type, snaplen, unit_ns=1):
    with open(path, "wb") as file:
        magic = 0xa1b23c4d if unit_ns == 1 else 0xa1b2c3d4
        file.write(struct.pack("<IHHiIII", magic, 2, 4, 0, 0, snaplen, link_type))
        for r in records:
            seconds, rest = divmod(r.time_ns - r.time_ns % unit_ns, 10**9)
            data = r.data[:snaplen]
            file.write(struct.pack("<IIII", seconds, rest if unit_ns == 1 else rest // 1000, len(data), r.wire) + data)


def _option(code, value):
    return struct.pack("<HH", code, len(value)) + value + b"\0" * (-len(value) % 4)


def _block(kind, body):
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _time(ns):
    return struct.pack("<II", ns >> 32, ns & 0xffffffff)


def write_pcapng(path, records, interfaces):
    with open(path, "wb") as file:
        file.write(_block(0x0a0d0d0a, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1)))
        for each in interfaces:
            file.write(_block(1, struct.pack("<HHI", each.link, 0, each.snaplen) + _interface_options(each)))
        for r in records:
            data = r.data[:interfaces[r.interface].snaplen]
            body = struct.pack("<I", r.interface) + _time(r.time_ns) + struct.pack("<II", len(data), r.wire)
            body += data + b"\0" * (-len(data) % 4)
            if r.lost:
                body += _option(4, struct.pack("<Q", r.lost)) + _option(0, b"")
            file.write(_block(6, body))
        for number, each in enumerate(interfaces):
            if each.dropped is not None or each.running:
                file.write(_statistics(number, each, records))


def _interface_options(each):
    options = _option(2, each.name.encode()) + _option(9, b"\x09")
    for address in each.addresses:
        address = ipaddress.ip_address(address)
        options += (_option(4, address.packed + b"\xff\xff\xff\0") if address.version == 4
                    else _option(5, address.packed + b"\x40"))
    if each.mac:
        options += _option(6, mac_bytes(each.mac))
    if each.filter:
        options += _option(11, b"\0" + each.filter.encode())
    return options + _option(0, b"")


def _statistics(number, each, records):
    start, end = each.running or (records[0].time_ns, records[-1].time_ns)
    dropped = _option(7, struct.pack("<Q", each.dropped)) if each.dropped is not None else b""
    return _block(5, struct.pack("<I", number) + _time(end) + _option(2, _time(start)) + _option(3, _time(end))
                  + dropped + _option(0, b""))
