#!/usr/bin/env python3
"""Compares what decode_dump and tshark say of each frame of captures.

Usage: tshark.py DECODE_DUMP CAPTURE-OR-FOLDER ...

Exit status 0: all frames agree; 1: some do not, the first ones are printed; 77: no tshark.
"""
import collections
import os
import shutil
import subprocess
import sys

MAGICS = (b"\xa1\xb2\xc3\xd4", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x4d\x3c\xb2\xa1",
          b"\x0a\x0d\x0d\x0a")
PRINTED_MAX = 5  # of each capture
OFFSET_UNIT = 8  # of fragments

# tshark would otherwise put fragments and segments together and count sequence numbers from zero.
PREFERENCES = ("ip.defragment:FALSE", "ipv6.defragment:FALSE", "tcp.desegment_tcp_streams:FALSE",
               "tcp.relative_sequence_numbers:FALSE", "tcp.analyze_sequence_numbers:FALSE",
               "ip.check_checksum:TRUE", "tcp.check_checksum:TRUE", "udp.check_checksum:TRUE")

FIELDS = """frame.number frame.protocols vlan.id ieee8021ad.id
    ip.src ip.dst ip.proto ip.ttl ip.dsfield ip.id ip.frag_offset ip.flags.mf ip.flags.df
    ip.checksum.status
    ipv6.src ipv6.dst ipv6.hlim ipv6.tclass ipv6.flow ipv6.fraghdr.offset ipv6.fraghdr.more
    ipv6.fraghdr.ident
    tcp.checksum.status udp.checksum.status tcp.srcport tcp.dstport tcp.seq_raw tcp.ack_raw tcp.flags tcp.window_size_value tcp.len
    tcp.options.mss_val tcp.options.wscale.shift tcp.options.timestamp.tsval
    tcp.options.timestamp.tsecr tcp.options.sack_le tcp.options.sack_re
    udp.srcport udp.dstport udp.length
    icmp.type icmp.code icmp.ident icmpv6.type icmpv6.code icmpv6.echo.identifier
    arp.opcode gre.key vxlan.vni geneve.vni erspan.spanid gtp.teid sll.pkttype sll.ifindex
    nflog.hook""".split()

OPTIONS = ("mss", "wscale", "tsval", "tsecr", "sack")
CHECKSUMS = {0: "wrong", 1: "right"}
NEIGHBOUR_DISCOVERY = range(133, 138)
TRANSPORTS = {"tcp", "udp", "icmp", "icmpv6", "vrrp", "carp"}
TUNNELS = {"vxlan": "vxlan", "geneve": "geneve", "gre": "gre", "gtp": "gtpu", "tzsp": "tzsp"}


class Frame:
    """One frame as tshark sees it; fields of repeated layers are lists."""

    def __init__(self, line):
        self.values = dict(zip(FIELDS, line.rstrip("\n").split("\t")))
        layers = self.values["frame.protocols"].split(":")
        # What follows an ICMP header is the packet that an error quotes.
        for name in ("icmp", "icmpv6"):
            if name in layers:
                layers = layers[:layers.index(name) + 1]
        self.layers = layers

    def all(self, field):
        return [v for v in self.values[field].split(",") if v]

    def at(self, field, index):
        values = self.all(field)
        return values[index] if index < len(values) else None

    def last_of(self, layer):
        return self.layers.count(layer) - 1

    def number(self, field, index=0):
        value = self.at(field, index)
        if value in ("True", "False"):
            return int(value == "True")
        return None if value is None else int(value, 0)


def ip_part(frame):
    """The innermost IP header's fields, and whether it is part of a fragmented datagram."""
    version = None
    for layer in frame.layers:
        if layer in ("ip", "ipv6"):
            version = layer
    if version is None:
        return {}, None
    n = frame.last_of(version)
    if version == "ip":
        offset = frame.number("ip.frag_offset", n) * OFFSET_UNIT
        more = frame.number("ip.flags.mf", n)
        part = {"src": frame.at("ip.src", n), "dst": frame.at("ip.dst", n),
                "ttl": frame.number("ip.ttl", n), "tos": frame.number("ip.dsfield", n),
                "ipid": frame.number("ip.id", n), "df": bool(frame.number("ip.flags.df", n)),
                "proto": frame.number("ip.proto", n)}
    else:
        offset = (frame.number("ipv6.fraghdr.offset") or 0) * OFFSET_UNIT
        more = frame.number("ipv6.fraghdr.more") or 0
        part = {"src": frame.at("ipv6.src", n), "dst": frame.at("ipv6.dst", n),
                "ttl": frame.number("ipv6.hlim", n), "tos": frame.number("ipv6.tclass", n),
                "label": frame.number("ipv6.flow", n),
                "ipid": frame.number("ipv6.fraghdr.ident") or 0}
    fragment = f"{offset}{'+' if more else ''}" if offset or more else None
    return part, fragment


def tcp_part(frame):
    part = {"ports": f"{frame.number('tcp.srcport')},{frame.number('tcp.dstport')}",
            "seq": frame.number("tcp.seq_raw"), "ack": frame.number("tcp.ack_raw"),
            "flags": frame.number("tcp.flags") & 0xff,
            "win": frame.number("tcp.window_size_value"), "len": frame.number("tcp.len")}
    for key, field in (("mss", "mss_val"), ("wscale", "wscale.shift"),
                       ("tsval", "timestamp.tsval"), ("tsecr", "timestamp.tsecr")):
        part[key] = frame.number("tcp.options." + field)
    edges = zip(frame.all("tcp.options.sack_le"), frame.all("tcp.options.sack_re"))
    part["sum"] = CHECKSUMS.get(frame.number("tcp.checksum.status"))
    part["sack"] = ",".join(f"{left}-{right}" for left, right in edges) or None
    return part


def udp_part(frame):
    n = frame.last_of("udp")
    return {"ports": f"{frame.number('udp.srcport', n)},{frame.number('udp.dstport', n)}",
            "udp_len": frame.number("udp.length", n), "sum": CHECKSUMS.get(frame.number("udp.checksum.status", n))}


def icmp_part(frame):
    name = "icmp" if "icmp" in frame.layers else "icmpv6"
    ident = "icmp.ident" if name == "icmp" else "icmpv6.echo.identifier"
    return {"icmp": f"{frame.number(name + '.type')}/{frame.number(name + '.code')}",
            "ident": frame.number(ident) or None}


def disposition(frame, fragment):
    if fragment and fragment.rstrip("+") != "0":
        return "fragment"
    last = None
    for layer in frame.layers:
        if layer in TRANSPORTS or layer == "arp":
            last = layer
    if last == "icmpv6":
        return "nd" if frame.number("icmpv6.type") in NEIGHBOUR_DISCOVERY else "icmp"
    if last:
        return last
    return "ip_other" if "ip" in frame.layers or "ipv6" in frame.layers else "other_ethertype"


def tunnel_part(frame):
    """The outermost tunnel; IP directly inside IP has no layer of its own."""
    before = None
    for layer in frame.layers:
        if layer in TUNNELS:
            if "erspan" in frame.layers:
                return {"tunnel": "erspan", "id": frame.number("erspan.spanid") or 0}
            identifier = {"vxlan": "vxlan.vni", "geneve": "geneve.vni", "gre": "gre.key", "gtp": "gtp.teid"}.get(layer)
            return {"tunnel": TUNNELS[layer], "id": identifier and frame.number(identifier) or 0}
        if layer in ("ip", "ipv6") and before in ("ip", "ipv6"):
            return {"tunnel": "ipip", "id": 0}
        before = layer
    return {"tunnel": None}


def by_tshark(frame):
    """What decode_dump should say, as far as tshark says it too."""
    part, fragment = ip_part(frame)
    expected = dict(part, frag=fragment, disposition=disposition(frame, fragment))
    for field in ("vlan.id", "ieee8021ad.id"):  # the outer one, when there are both, is the latter
        if frame.all(field):
            expected["vlan"] = frame.number(field)
    kind = expected["disposition"]
    if kind == "tcp":
        expected.update(tcp_part(frame))
    elif kind == "udp":
        expected.update(udp_part(frame))
    elif kind in ("icmp", "nd"):
        expected.update(icmp_part(frame))
    elif kind == "arp":
        expected = {"disposition": "arp"}
    expected.update(tunnel_part(frame))
    if frame.all("nflog.hook"):
        expected["hook"] = frame.number("nflog.hook")
        # The rule's copy range cuts the packet without a trace: tshark counts what was logged.
        expected.pop("len", None)
    if frame.all("sll.pkttype"):
        expected["dir"] = "out" if frame.number("sll.pkttype") == 4 else "in"
    if frame.all("sll.ifindex"):
        expected["if"] = frame.number("sll.ifindex") or None  # the kernel's own packets have none
    return expected


def by_dump(line):
    """decode_dump's line as the same keys."""
    words = line.split("'")[0].split() + line.split("'")[-1].split()
    said = {"disposition": words[1], "df": "df" in words, "tunnel": None, "frag": None}
    for word in words[2:]:
        key, _, value = word.partition("=")
        if value:
            said[key] = value
    if "vlan" in said:
        said["vlan"] = said["vlan"].split("/")[0]
    if said["tunnel"]:
        said["tunnel"] = said["tunnel"].split("/")[0]
    if "flags" in said:
        said["flags"] = int(said["flags"], 16)
    if said["disposition"] == "udp":
        # The length of a first fragment is not in its own header.
        said["udp_len"] = int(said["len"]) + 8 if said["frag"] is None else None
    return said


def is_comparable(key, said):
    """The length of a first fragment, and what is left of cut options, are read differently."""
    if key == "udp_len" and said["frag"] is not None:
        return False
    # Pure ACKs, and what one of both finds cut, are not checked.
    if key == "sum" and "sum" not in said:
        return False
    return not (key in OPTIONS and said.get("opt") == "cut" and key not in said)


def differences(expected, said):
    wrong = []
    for key, value in expected.items():
        if not is_comparable(key, said):
            continue
        got = said.get(key)
        if str(got) != str(value):
            wrong.append(f"{key}: tshark {value}, decoded {got}")
    return wrong


def tshark(path):
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "separator=/t",
               "-E", "occurrence=a", "-E", "aggregator=,", "-d", "udp.port==8472,vxlan"]
    for preference in PREFERENCES:
        command += ["-o", preference]
    for field in FIELDS:
        command += ["-e", field]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        sys.exit(f"tshark cannot read {path}: {run.stderr.strip()}")
    return run.stdout.split("\n")[:-1]


def compare(dump, path, counts):
    lines = subprocess.run([dump, path], capture_output=True, text=True, check=True).stdout
    lines = lines.split("\n")[:-1]
    frames = [Frame(line) for line in tshark(path)]
    wrong = 0
    if len(lines) != len(frames):
        print(f"{path}: {len(frames)} frames by tshark, {len(lines)} decoded")
        wrong += 1
    for frame, line in zip(frames, lines):
        said = by_dump(line)
        found = differences(by_tshark(frame), said)
        counts[said["disposition"]] += 1
        if found and wrong < PRINTED_MAX:
            print(f"{path}:{frame.values['frame.number']}: {'; '.join(found)}"
                  f"\n  {frame.values['frame.protocols']}\n  {line}")
        wrong += bool(found)
    return wrong


def captures(argument):
    if not os.path.isdir(argument):
        return [argument]
    found = []
    for folder, _, names in os.walk(argument):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as f:
                if f.read(4) in MAGICS:
                    found.append(path)
    return sorted(found)


def main():
    if not shutil.which("tshark"):
        print("skipped: tshark is not installed")
        return 77
    counts = collections.Counter()
    wrong = files = 0
    for argument in sys.argv[2:]:
        for path in captures(argument):
            wrong += compare(sys.argv[1], path, counts)
            files += 1
    said = ", ".join(f"{n} {kind}" for kind, n in sorted(counts.items()))
    print(f"{files} captures: {said or 'no frames'}; {wrong} differ")
    return 1 if wrong or not counts else 0


if __name__ == "__main__":
    sys.exit(main())
