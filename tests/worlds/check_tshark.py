#!/usr/bin/env python3
"""Whether the truth of kept worlds is true: check_tshark.py DIR ... (folders that run.py --keep left)

Recounts with tshark, from the witnesses at both ends and the copies of dropped packets alone: what a host
sent to another and that one's witness lacks must be among the copies, and the copies must be as many as
truth.json lists and the kernel counted. Shares no code with packets.py. Offloading worlds are left out, for
their records are merged and split on the way.
"""
import collections
import glob
import json
import os
import subprocess
import sys

FIELDS = ("frame.time_epoch", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "ip.id", "tcp.srcport",
          "tcp.dstport", "tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len", "tcp.window_size_value",
          "tcp.options.timestamp.tsval", "udp.srcport", "udp.dstport", "udp.payload",
          "icmp.seq", "icmpv6.echo.sequence_number", "icmp.type", "icmpv6.type", "data.data")
NEIGHBOUR = {str(number) for number in range(130, 144)}
EDGE_S = 0.05


def frames(path):
    """{field: value} of each frame, as tshark decodes it."""
    command = ["tshark", "-n", "-r", path, "-T", "fields", "-E", "occurrence=l", "-E", "separator=/t",
               "-o", "tcp.desegment_tcp_streams:false"]
    for port in ("udp.port==53", "udp.port==5004", "tcp.port==8000", "tcp.port==8001"):
        command += ["-d", port + ",data"]
    for field in FIELDS:
        command += ["-e", field]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [dict(zip(FIELDS, line.split("\t"))) for line in text.splitlines()]


def address(frame, which):
    return frame[f"ip.{which}"] or frame[f"ipv6.{which}"]


def name_of(frame):
    """What is the same of a packet wherever it is seen; None for what only lives on a link."""
    if frame["tcp.seq_raw"]:
        return tuple(frame[field] for field in FIELDS[5:14] if not field.endswith("port"))
    if frame["udp.payload"]:
        return "udp", frame["udp.payload"][:80]
    if frame["icmp.type"] or (frame["icmpv6.type"] and frame["icmpv6.type"] not in NEIGHBOUR):
        return "icmp", frame["icmp.type"] + frame["icmpv6.type"], frame["data.data"][:60], \
            frame["icmp.seq"] + frame["icmpv6.echo.sequence_number"]
    return None


def check(folder):
    """Mismatches of one world."""
    with open(os.path.join(folder, "truth.json")) as file:
        truth = json.load(file)
    copies = [frame for path in glob.glob(os.path.join(folder, "witness-*-gone0.pcap"))
              for frame in frames(path)]
    by_rule = truth["spec"]["fault"]["kind"] not in ("queue", "mtu")
    if by_rule and not len(copies) == len(truth["dropped"]) == sum(truth["counted"]):
        yield f"{len(copies)} copies, {len(truth['dropped'])} in truth.json, {sum(truth['counted'])} counted"
    if truth["spec"]["topology"]["offload"]:
        return
    witnesses = {host: frames(os.path.join(folder, f"witness-{host}-eth0.pcap"))
                 for host in truth["spec"]["topology"]["hosts"]}
    gone = collections.Counter(filter(None, map(name_of, copies)))
    until = min(float(listed[-1]["frame.time_epoch"]) for listed in witnesses.values() if listed)
    missing = difference(truth, witnesses, until - EDGE_S)
    if by_rule and missing - gone:
        yield f"{sum((missing - gone).values())} neither arrived nor were dropped"
    if not by_rule and abs(sum(missing.values()) - sum(truth["counted"])) > 1:
        yield f"{sum(missing.values())} are missing, {sum(truth['counted'])} were counted"
    lost = sum(1 for entry in truth["dropped"] if entry["legs"] and entry["protocol"])
    if lost > 5 and not missing:
        yield f"{lost} were dropped, and none is missing"


def difference(truth, witnesses, until):
    """What hosts sent before a time, and the witnesses of those it went to lack."""
    owners = truth["owners"]
    out, arrived = collections.Counter(), collections.Counter()
    for host, listed in witnesses.items():
        for frame in listed:
            name, source, target = name_of(frame), address(frame, "src"), address(frame, "dst")
            if not name or source not in owners or target not in owners:
                continue
            if host in owners[source]:
                out[name] += float(frame["frame.time_epoch"]) < until
            elif host in owners[target]:
                arrived[name] += 1
    return out - arrived


def main():
    failed = False
    for folder in sys.argv[1:]:
        lines = list(check(folder)) if os.path.exists(os.path.join(folder, "truth.json")) else []
        failed |= bool(lines)
        for line in lines:
            print(f"not ok {folder}: {line}")
        if not lines:
            print(f"ok {folder}")
    return 1 if failed or len(sys.argv) < 2 else 0


if __name__ == "__main__":
    sys.exit(main())
