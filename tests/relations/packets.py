"""What a frame's bytes are, and frames changed: addresses, MACs, ports, links, tags, TTL.

Every change keeps the checksums as right or as wrong as they were (RFC 1624), so that a frame whose checksum the
hardware would have filled in stays such a frame, and one that is cut stays consistent."""
import collections
import ipaddress
import struct

from capture import ETHERNET, NULL, RAW, SLL, SLL2

IPV4, IPV6, ARP, VLAN, QINQ = 0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8
TCP, UDP, ICMP, ICMP6, VRRP = 6, 17, 1, 58, 112
TUNNEL_PORTS = {4789, 8472, 6081, 2152}
DHCP_PORTS = {67, 68}

# Where things begin in a frame. transport: None where there is none (a later fragment, not captured).
Layout = collections.namedtuple("Layout", "ethertype ip protocol src dst transport")


class Beyond(Exception):
    """The frame holds something that this module cannot change faithfully."""


def text(raw):
    return str(ipaddress.ip_address(raw))


def packed(written):
    return ipaddress.ip_address(written).packed


def ethertype(link, data):
    """(EtherType, where its payload begins), or None."""
    if link == ETHERNET:
        at = 12
        while len(data) >= at + 4 and struct.unpack_from("!H", data, at)[0] in (VLAN, QINQ):
            at += 4
        return (struct.unpack_from("!H", data, at)[0], at + 2) if len(data) >= at + 2 else None
    if link in (RAW, NULL):
        at = 4 if link == NULL else 0
        return {4: (IPV4, at), 6: (IPV6, at)}.get(data[at] >> 4) if len(data) > at else None
    if link == SLL and len(data) >= 16:
        return struct.unpack_from("!H", data, 14)[0], 16
    if link == SLL2 and len(data) >= 20:
        return struct.unpack_from("!H", data)[0], 20
    return None


def layout(link, data):
    """The network layer of a frame, or None: not IP, or not captured so far."""
    found = ethertype(link, data)
    return found and _ip(data, *found)


def _ip(data, kind, at):
    if kind == IPV4 and len(data) >= at + 20:
        first = struct.unpack_from("!H", data, at + 6)[0] & 0x1fff == 0
        return Layout(IPV4, at, data[at + 9], data[at + 12:at + 16], data[at + 16:at + 20],
                      at + (data[at] & 15) * 4 if first else None)
    if kind == IPV6 and len(data) >= at + 40:
        protocol, place = data[at + 6], at + 40
        while protocol in (0, 43, 60) and len(data) >= place + 8:
            protocol, place = data[place], place + 8 + data[place + 1] * 8
        first = True
        if protocol == 44 and len(data) >= place + 8:
            first = struct.unpack_from("!H", data, place + 2)[0] & 0xfff8 == 0
            protocol, place = data[place], place + 8
        return Layout(IPV6, at, protocol, data[at + 8:at + 24], data[at + 24:at + 40], place if first else None)
    return None


def ports(data, ip):
    """(source port, destination port) of TCP and UDP, or None."""
    if ip.protocol in (TCP, UDP) and ip.transport is not None and len(data) >= ip.transport + 4:
        return struct.unpack_from("!HH", data, ip.transport)
    return None


Segment = collections.namedtuple("Segment", "key seq ack flags length tsval")


def segment(link, data):
    """A TCP segment by its headers, or None. key: addresses and ports as sent."""
    ip = layout(link, data)
    if not ip or ip.protocol != TCP or ip.transport is None or len(data) < ip.transport + 20:
        return None
    at = ip.transport
    sport, dport, seq, ack, offset, flags = struct.unpack_from("!HHIIBB", data, at)
    end = ip.ip + struct.unpack_from("!H", data, ip.ip + 2)[0] if ip.ethertype == IPV4 else (
        ip.ip + 40 + struct.unpack_from("!H", data, ip.ip + 4)[0])
    return Segment((ip.src, sport, ip.dst, dport), seq, ack, flags, max(0, end - at - (offset >> 4) * 4),
                   _tsval(data[at + 20:at + (offset >> 4) * 4]))


def _tsval(options):
    at = 0
    while at < len(options) and options[at]:
        if options[at] == 1:
            at += 1
            continue
        if at + 1 >= len(options) or options[at + 1] < 2:
            return None
        if options[at] == 8 and at + 6 <= len(options):
            return struct.unpack_from("!I", options, at + 2)[0]
        at += options[at + 1]
    return None


# --- changes ---

def _sum(data):
    data += b"\0" * (len(data) % 2)
    return sum(struct.unpack(f"!{len(data) // 2}H", data))


def _adjust(out, at, old, new, udp=False):
    """The checksum at `at` after bytes that it covers, at an even place, went from old to new."""
    if len(out) < at + 2:
        return
    was = struct.unpack_from("!H", out, at)[0]
    if udp and was == 0:
        return
    total = (~was & 0xffff) + _sum(new) + sum(~word & 0xffff for word in struct.unpack(f"!{len(old) // 2}H", old))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    now = ~total & 0xffff
    struct.pack_into("!H", out, at, 0xffff if udp and now == 0 else now)


CHECKSUM_AT = {TCP: 16, UDP: 6, ICMP6: 2}


def put(out, at, new, *checksums):
    """Bytes replaced as far as they were captured; checksums: (place, udp) of those that cover them."""
    new = new[:max(0, len(out) - at)]
    old = bytes(out[at:at + len(new)])
    out[at:at + len(new)] = new
    for place, udp in checksums:
        _adjust(out, place, old + b"\0" * (len(old) % 2), new + b"\0" * (len(new) % 2), udp)


def _covering(ip):
    """The checksum of the transport layer, which covers its pseudo header: (place, udp), or none."""
    own = CHECKSUM_AT.get(ip.protocol)
    return () if ip.transport is None or own is None else ((ip.transport + own, ip.protocol == UDP),)


def _quote(data, ip):
    """The packet that an ICMP error quotes, or None."""
    if ip.transport is None or len(data) < ip.transport + 8:
        return None
    kind, at = data[ip.transport], ip.transport + 8
    if ip.protocol == ICMP and kind in (3, 4, 5, 11, 12):
        return _ip(data, IPV4, at)
    return _ip(data, IPV6, at) if ip.protocol == ICMP6 and kind < 128 else None


class Rewriter:
    """Changes addresses, MACs and ports by three functions of bytes (ports: of a number)."""

    def __init__(self, address=None, mac=None, port=None):
        self.address, self.mac, self.port = address or bytes, mac or bytes, port or int

    def frame(self, link, data):
        out = bytearray(data)
        self._link(link, out)
        found = ethertype(link, data)
        if found and found[0] == ARP:
            self._arp(out, found[1])
        ip = found and _ip(data, *found)
        if ip:
            self._packet(out, data, ip)
        return bytes(out)

    def _link(self, link, out):
        if link == ETHERNET and len(out) >= 12:
            out[0:6], out[6:12] = self.mac(bytes(out[0:6])), self.mac(bytes(out[6:12]))
        elif link == SLL and len(out) >= 16 and out[4:6] == b"\0\6":
            out[6:12] = self.mac(bytes(out[6:12]))
        elif link == SLL2 and len(out) >= 20 and out[11] == 6:
            out[12:18] = self.mac(bytes(out[12:18]))
        elif link not in (RAW, NULL, SLL, SLL2, ETHERNET):
            raise Beyond(f"link type {link}")

    def _arp(self, out, at):
        for place, length, change in ((8, 6, self.mac), (14, 4, self.address),
                                      (18, 6, self.mac), (24, 4, self.address)):
            old = bytes(out[at + place:at + place + length])
            if len(old) == length and (length == 4 or any(old)):
                out[at + place:at + place + length] = change(old)

    def _packet(self, out, data, ip):
        head = ((ip.ip + 10, False),) if ip.ethertype == IPV4 else ()
        place = ip.ip + (12 if ip.ethertype == IPV4 else 8)
        put(out, place, self.address(ip.src), *head, *_covering(ip))
        put(out, place + len(ip.src), self.address(ip.dst), *head, *_covering(ip))
        self._transport(out, data, ip)
        quote = _quote(data, ip)
        if quote:
            self._packet(out, data, quote)
            # The message's checksum covers the quoted checksums too.
            end = len(data) - (len(data) - quote.ip) % 2
            _adjust(out, ip.transport + 2, data[quote.ip:end], bytes(out[quote.ip:end]))

    def _transport(self, out, data, ip):
        pair = ports(data, ip)
        if pair:
            if ip.protocol == UDP and (TUNNEL_PORTS | DHCP_PORTS) & set(pair):
                raise Beyond("a tunnel or DHCP")
            put(out, ip.transport, struct.pack("!HH", self.port(pair[0]), self.port(pair[1])), *_covering(ip))
        elif ip.protocol == VRRP and ip.transport is not None:
            self._vrrp(out, data, ip)
        elif ip.protocol == ICMP6 and ip.transport is not None and data[ip.transport:ip.transport + 1] in (
                b"\x87", b"\x88"):  # neighbour solicitation, advertisement
            self._neighbour(out, data, ip)
        elif ip.protocol in (4, 41, 47):
            raise Beyond("a tunnel")

    def _vrrp(self, out, data, ip):
        size = len(ip.src)
        checksum = (ip.transport + 6, False)
        if data[ip.transport] >> 4 == 3:  # its checksum covers a pseudo header
            for old in (ip.src, ip.dst):
                _adjust(out, checksum[0], old, self.address(old))
        for number in range(data[ip.transport + 3] if len(data) > ip.transport + 3 else 0):
            at = ip.transport + 8 + number * size
            if len(data) >= at + size:
                put(out, at, self.address(data[at:at + size]), checksum)

    def _neighbour(self, out, data, ip):
        checksum = (ip.transport + 2, False)
        at = ip.transport + 8
        if len(data) >= at + 16:
            put(out, at, self.address(data[at:at + 16]), checksum)
        at += 16
        while len(data) >= at + 8 and data[at + 1]:
            if data[at] in (1, 2):
                put(out, at + 2, self.mac(data[at + 2:at + 8]), checksum)
            at += data[at + 1] * 8


def lower_ttl(link, data):
    """The frame one hop further on, or as it is where it is not IP."""
    ip = layout(link, data)
    out = bytearray(data)
    if ip and ip.ethertype == IPV4 and data[ip.ip + 8] > 1:
        put(out, ip.ip + 8, bytes([data[ip.ip + 8] - 1, data[ip.ip + 9]]), (ip.ip + 10, False))
    elif ip and ip.ethertype == IPV6 and data[ip.ip + 7] > 1:
        out[ip.ip + 7] -= 1
    return bytes(out)


def tag(data, vlan):
    """An Ethernet frame in a VLAN; one that was in another moves there."""
    if data[12:14] == b"\x81\x00":
        return data[:14] + struct.pack("!H", vlan) + data[16:]
    return data[:12] + struct.pack("!HH", VLAN, vlan) + data[12:]


def to_raw(data):
    """An Ethernet frame's IP packet, or None: a capture of link type RAW has no other frames."""
    found = ethertype(ETHERNET, data)
    return data[found[1]:] if found and found[0] in (IPV4, IPV6) else None


def to_sll2(data, own_mac, index=2):
    """An Ethernet frame as `tcpdump -i any` writes it."""
    found = ethertype(ETHERNET, data)
    if not found:
        return None
    dst, src = data[:6], data[6:12]
    kind = 4 if src == own_mac else 0 if dst == own_mac else 1 if dst == b"\xff" * 6 else 2 if dst[0] & 1 else 3
    return struct.pack("!HHIHBB6s2x", found[0], 0, index, 1, kind, 6, src) + data[found[1]:]
