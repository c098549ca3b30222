"""Relations of what a capture holds of each frame: snap lengths, filters, link layers, addresses."""
import re
from dataclasses import replace

import capture
import packets
from answer import BY_HEADERS, COLUMNS, Naming, Permit
from capture import ETHERNET, RAW, SLL2
from cases import own_addresses, own_mac, translated
from packets import Rewriter
from relation import Changed, Unfit, relation, relations


# --- what the captures hold of each frame ---

# A snap length reaches as far into packets of every link type as it does behind an Ethernet header.
LONGER = {RAW: -14, capture.NULL: -10, capture.SLL: 2, SLL2: 6}


def reach(link, length):
    return length + LONGER.get(link, 0)


def snapped(capture_, length):
    if capture_.link == capture.NFLOG:  # its packets stand behind their own headers, cut by the rule and not here
        return capture_
    length = max(reach(i.link, length) for i in capture_.interfaces)
    frames = [f._replace(data=f.data[:length]) for f in capture_.frames]
    return replace(capture_, frames=frames, interfaces=[replace(i, snaplen=min(i.snaplen or length, length))
                                                        for i in capture_.interfaces])


def headers_fit(case, length, options):
    """Whether every TCP frame's header lies within the length; options: those of SYNs too."""
    for i in case.inputs:
        for f in i.capture.frames if i.capture else ():
            link = i.capture.interfaces[f.interface].link
            ip = packets.layout(link, f.data)
            if ip and ip.protocol == packets.TCP and ip.transport is not None:
                if len(f.data) < ip.transport + 20:
                    return False
                if ip.transport + ((f.data[ip.transport + 12] >> 4) * 4 if options else 20) > reach(link, length):
                    return False
    return True


def _snap(case, which, length):
    only = None if which is None else [which]
    whole, ports = headers_fit(case, length, True), headers_fit(case, length, False)
    return Changed(case.changed(lambda c: snapped(c, length), only), Permit(
        notices=True, counts="at-most", stays=lambda f: ports and f.kind in BY_HEADERS,
        columns=tuple(c for c in COLUMNS if c != "modified") if whole else (),
        flows=lambda flow: flow.protocol == "tcp"))


@relations("snap-{}", "A snap length of {} takes bytes away: nothing may be added. Where TCP's fixed headers fit, "
           "findings that rest on them stay; where options fit too, TCP's counts stay.", {"96": 96, "68": 68, "54": 54})
def snap(case, which, rng, length):
    return _snap(case, None, length)


@relations("snap-{}-one-side", "As with a snap length of {} on both sides: one file with less in it gives less proof, "
           "not more.", {"96": 96, "68": 68, "54": 54}, "capture")
def snap_one(case, which, rng, length):
    return _snap(case, which, length)


def _filtered(case, keep):
    """Only frames that pass keep(link, data); a capture without any is not given."""
    def change(c):
        return c.with_frames(f for f in c.frames if keep(c.interfaces[f.interface].link, f.data))
    case = case.changed(change)
    return case.with_inputs(i for i in case.inputs if not i.capture or i.capture.frames)


def _frames(case):
    return sum(len(i.capture.frames) for i in case.inputs if i.capture)


def _counted(case, key):
    """(value, how many captures have it, in how many frames), the commonest first."""
    totals, files = {}, {}
    for n in case.captures():
        c = case.inputs[n].capture
        for f in c.frames:
            value = key(c.interfaces[f.interface].link, f.data)
            if value is not None:
                totals[value] = totals.get(value, 0) + 1
                files.setdefault(value, set()).add(n)
    return sorted(totals, key=lambda v: (-min(2, len(files[v])), -totals[v], v))


def _unicast_pair(link, data):
    ip = packets.layout(link, data)
    if not ip or ip.dst[0] in (255, *range(224, 240)) and len(ip.dst) == 4:
        return None
    return tuple(sorted((ip.src, ip.dst)))


@relation("filtered-to-two", "A capture filter `host A and host B` hides others' packets: of what A and B send each "
          "other the same is known.")
def filtered_to_two(case, which, rng):
    if translated(case):
        raise Unfit("addresses are translated")
    pairs = _counted(case, _unicast_pair)
    if not pairs:
        raise Unfit("no unicast IP")
    pair = pairs[0]
    shown = {packets.text(address) for address in pair}

    def keep(link, data):
        found = packets.ethertype(link, data)
        if found and found[0] == packets.ARP:
            at = found[1]
            return {data[at + 14:at + 18], data[at + 24:at + 28]} == set(pair)
        return _unicast_pair(link, data) == pair

    def among(finding):
        return {finding.src, finding.dst} == shown and finding.kind in BY_HEADERS | {
            "mac-mismatch", "arp-unanswered", "modified-in-path", "injected-segment", "duplication", "reordering"}

    return Changed(_filtered(case, keep), Permit(
        notices=True, counts="any", stays=among,
        flows=lambda flow: {flow.sender[0], flow.receiver[0]} == shown))


@relation("filtered-to-port", "A capture filter `tcp port P` hides other traffic: of port P the same is known.")
def filtered_to_port(case, which, rng):
    def service(link, data):
        tcp = packets.segment(link, data)
        return tcp and min(tcp.key[1], tcp.key[3])

    if translated(case):
        raise Unfit("ports may be translated")
    known = _counted(case, service)
    if not known:
        raise Unfit("no TCP")
    port = known[0]

    def keep(link, data):
        ip = packets.layout(link, data)
        return bool(ip) and ip.protocol == packets.TCP and port in (packets.ports(data, ip) or ())

    changed = _filtered(case, keep)
    alone = _frames(changed) == _frames(_filtered(case, lambda link, data: _unicast_pair(link, data)))
    return Changed(changed, Permit(
        notices=True, counts="any", stays=lambda f: alone and f.kind in BY_HEADERS,
        flows=lambda flow: flow.protocol == "tcp" and port in (flow.sender[1], flow.receiver[1])))


@relation("without-arp", "A capture filter `not arp` hides who answers for an address: packets of IP are counted the "
          "same.")
def without_arp(case, which, rng):
    def keep(link, data):
        found = packets.ethertype(link, data)
        return not found or found[0] != packets.ARP
    changed = _filtered(case, keep)
    if _frames(changed) == _frames(case):
        raise Unfit("no ARP")
    return Changed(changed, Permit(
        notices=True, counts="at-most", stays=lambda f: f.kind in BY_HEADERS | {"mac-mismatch"}))


# --- link layers ---

def only_ethernet(case, which):
    if case.inputs[which].capture.link != ETHERNET:
        raise Unfit("not Ethernet")


def _relinked(case, which, link, convert):
    """One Ethernet capture with another link type; convert: data to data, or None where such a capture lacks it."""
    only_ethernet(case, which)

    def change(c):
        frames = [f._replace(data=data, wire=f.wire + len(data) - len(f.data))
                  for f, data in ((f, convert(f.data)) for f in c.frames) if data is not None]
        return c.with_frames(frames).with_link(link)
    return case.changed(change, [which])


def to_raw(case, which):
    return _relinked(case, which, RAW, packets.to_raw)


def to_sll2(case, which):
    only_ethernet(case, which)
    mac = own_mac(case.inputs[which].capture)
    if not mac:
        raise Unfit("the own MAC is not known")
    return _relinked(case, which, SLL2, lambda data: packets.to_sll2(data, mac))


def _without_macs(case, host):
    """What is known by MACs and ARP goes; where frames came to a wrong MAC, that was the answer."""
    def told_by_mac(before):
        if any(flow.target == host and counts["misaddressed"] for flow, counts in before.flows.items()):
            return "what arrived was for another MAC"
        return None
    return Changed(case, Permit(notices=True, counts="at-most", stays=lambda f: f.kind in BY_HEADERS),
                   unfit=told_by_mac)


@relation("link-raw", "A capture of link type RAW holds the same packets without MACs and ARP: what is known by IP and "
          "TCP stays.", "capture")
def link_raw(case, which, rng):
    return _without_macs(to_raw(case, which), case.inputs[which].host)


@relation("link-sll2", "`tcpdump -i any` writes the same packets without the destination's MAC: what is known by IP and "
          "TCP stays.", "capture")
def link_sll2(case, which, rng):
    mine = case.inputs[which]
    if any(own_addresses(case.inputs[i].capture) & own_addresses(mine.capture)
           for i in case.captures() if case.inputs[i].host != mine.host):
        raise Unfit("another capture holds the same host's own packets: which of the two is at that host is not known")
    return _without_macs(to_sll2(case, which), case.inputs[which].host)


@relation("vlan-one-side", "A trunk's tag on one side is no part of what two hosts say to each other.", "capture")
def vlan_one_side(case, which, rng):
    c = case.inputs[which].capture
    if any(packets.ethertype(ETHERNET, f.data) and f.data[12:14] == b"\x81\x00" for f in c.frames):
        raise Unfit("has tags")
    return Changed(_relinked(case, which, ETHERNET, lambda data: packets.tag(data, 77)))


# --- addresses ---

def _address(raw):
    """Prefix-preserving: bits turned by a constant. What has a meaning of its own stays: multicast, broadcast,
    link-local, loopback, a network's first and last address."""
    if len(raw) == 4:
        if raw[0] in (0, 127, 255) or raw[0] >= 224 or raw[:2] == b"\xa9\xfe":
            return raw
        low = raw[3] if raw[3] in (0, 255, 0x55, 0xaa) else raw[3] ^ 0x55
        return bytes((raw[0], raw[1] ^ 0x0f if raw[0] == 10 else raw[1], raw[2] ^ 0x2a, low))
    if raw[0] in (0, 0xfe, 0xff):
        return raw
    return raw[:2] + bytes(b ^ 0x2a for b in raw[2:7]) + raw[7:]


def _mac(raw):
    if raw[0] & 1 or raw[:5] == b"\0\0\x5e\0\1" or not any(raw):
        return raw
    return raw[:3] + bytes(b ^ 0x2d for b in raw[3:])


def _in_text(raw, address, mac):
    """Facts and neighbour tables with addresses and MACs changed."""
    def ip(match):
        numbers = [int(part) for part in match[0].split(b".")]
        if max(numbers) > 255:
            return match[0]
        return b".".join(b"%d" % n for n in address(bytes(numbers)))

    raw = re.sub(rb"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])", ip, raw)
    return re.sub(rb"\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b",
                  lambda m: mac(bytes.fromhex(m[0].decode().replace(":", ""))).hex(":").encode(), raw)


def _rewritten(case, address=None, mac=None, port=None):
    rewriter = Rewriter(address, mac, port)

    def option(code, value):
        if code == capture.IF_MAC and mac:
            return mac(value)
        size = {capture.IF_IPV4: 4, capture.IF_IPV6: 16}.get(code)
        return address(value[:size]) + value[size:] if size and address else value

    def change(c):
        interfaces = [replace(i, options=tuple((code, option(code, value)) for code, value in i.options))
                      for i in c.interfaces]
        return replace(c, interfaces=interfaces, frames=[
            f._replace(data=rewriter.frame(interfaces[f.interface].link, f.data)) for f in c.frames])
    try:
        case = case.changed(change)
    except packets.Beyond as error:
        raise Unfit(str(error)) from error
    return case.with_inputs(i if i.capture else replace(i, raw=_in_text(i.raw, address or bytes, mac or bytes))
                            for i in case.inputs)


@relation("addresses-anonymised", "Addresses are labels: a prefix-preserving permutation of them changes nothing but "
          "addresses.")
def addresses_anonymised(case, which, rng):
    # The permutation is its own inverse.
    return Changed(_rewritten(case, address=_address),
                   naming=Naming(address=lambda text: packets.text(_address(packets.packed(text)))))


@relation("macs-renumbered", "MACs are labels: other ones (group bit and virtual ones kept) change nothing.")
def macs_renumbered(case, which, rng):
    return Changed(_rewritten(case, mac=_mac))


def _mirror(port):
    kept = packets.TUNNEL_PORTS | packets.DHCP_PORTS
    return port if port in (0, 65535) or port in kept or 65535 - port in kept else 65535 - port


@relation("ports-mirrored", "Which port is the larger is no fact of the network: with p turned into 65535 - p, who sent "
          "what to whom stays.")
def ports_mirrored(case, which, rng):
    return Changed(_rewritten(case, port=_mirror), naming=Naming(port=_mirror))
