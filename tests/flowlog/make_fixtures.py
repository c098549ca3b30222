#!/usr/bin/env python3
"""Writes fixtures/flowlog: an invented file of each flow-log format and of each trap.

usage: make_fixtures.py FOLDER

All addresses are from the documentation ranges (RFC 5737, RFC 3849), account and interface numbers
are invented. The Parquet files are made by DuckDB once and kept: fixtures/flowlog/README.md says how.
"""
import gzip
import io
import json
import os
import subprocess
import sys

T = 1790000040  # a whole minute
ENI_A, ENI_B, ENI_C = "eni-0aaa1111bbbb2222c", "eni-0bbb2222cccc3333d", "eni-0ccc3333dddd4444e"
A, B, C = "192.0.2.10", "192.0.2.20", "192.0.2.30"
DEFAULT = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
           "action log-status")
V5 = ("version interface-id flow-direction pkt-srcaddr pkt-dstaddr srcaddr dstaddr srcport dstport protocol "
      "tcp-flags packets bytes start end action log-status traffic-path")
TGW = ("version resource-type account-id tgw-id tgw-attachment-id tgw-src-vpc-account-id tgw-dst-vpc-account-id "
       "tgw-src-vpc-id tgw-dst-vpc-id tgw-src-subnet-id tgw-dst-subnet-id tgw-src-eni tgw-dst-eni tgw-src-az-id "
       "tgw-dst-az-id tgw-pair-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end "
       "log-status type packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded "
       "packets-lost-ttl-expired tcp-flags region flow-direction pkt-src-aws-service pkt-dst-aws-service")
ALL_V11 = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
           "log-status vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id "
           "sublocation-type sublocation-id pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path "
           "ecs-cluster-arn ecs-cluster-name ecs-container-instance-arn ecs-container-instance-id "
           "ecs-container-id ecs-second-container-id ecs-service-name ecs-task-definition-arn ecs-task-arn "
           "ecs-task-id reject-reason resource-id encryption-status instance-tag instance-tag-2 interface-tag "
           "interface-tag-2 asg-tag asg-tag-2 interface-type next-hop-interface-id next-hop-subnet-id "
           "next-hop-az-id next-hop-vpc-id next-hop-interface-type")

RECORDS = [
    f"2 111122223333 {ENI_A} 203.0.113.7 {A} 51000 443 6 9 1422 {T} {T + 58} ACCEPT OK",
    f"2 111122223333 {ENI_A} {A} 203.0.113.7 443 51000 6 7 5100 {T} {T + 58} ACCEPT OK",
    f"2 111122223333 {ENI_A} 198.51.100.9 {A} 40022 23 6 1 40 {T} {T + 58} REJECT OK",
    f"2 111122223333 {ENI_A} - - - - - - - {T + 60} {T + 118} - NODATA",
    f"2 111122223333 {ENI_C} - - - - - - - {T + 60} {T + 118} - SKIPDATA",
]


class Folder:
    def __init__(self, root):
        self.root = root

    def write(self, name, data):
        path = os.path.join(self.root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def lines(self, name, *lines):
        self.write(name, "".join(l + "\n" for l in lines))


def gz(text):
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return out.getvalue()


def v5(eni, way, src, dst, sport, dport, flags, packets, start, end=None, action="ACCEPT", pkt=None, proto=6,
       status="OK", size=60):
    psrc, pdst = pkt or (src, dst)
    return (f"5 {eni} {way} {psrc} {pdst} {src} {dst} {sport} {dport} {proto} {flags} {packets} {packets * size} "
            f"{start} {end or start + 58} {action} {status} -")


def nodata(eni, start, status="NODATA"):
    return f"5 {eni} " + "- " * 11 + f"{start} {start + 58} - {status} -"


def text(records, header=DEFAULT):
    return "".join(l + "\n" for l in ([header] if header else []) + list(records))


def exports(f):
    """What queries and pipelines make of flow logs."""
    names = DEFAULT.replace("-", "_").split()
    rows = [r.split() for r in RECORDS]
    f.lines("aws-query-quoted.csv", *(",".join(f'"{v}"' for v in row) for row in [names] + rows))
    f.lines("aws-query.csv", ",".join(names), *(",".join("" if v == "-" else v for v in row) for row in rows))
    f.lines("aws-rows.json", *(json.dumps(dict(zip(names, (int(v) if v.isdigit() and n != "account_id" else None if v == "-" else v
                                                             for n, v in zip(names, row))))) for row in rows))
    f.lines("trap-csv.log", ",".join(names), '"2,1', '"2"1,2', "2,3", ",".join(rows[0]) + ",more", ",".join(rows[0]))
    f.lines("gcp-payload.json", json.dumps({
        "connection": {"src_ip": A, "src_port": 51000, "dest_ip": "198.51.100.20", "dest_port": 443, "protocol": 6}, "reporter": "SRC",
        "bytes_sent": "1422", "packets_sent": "9", "start_time": "2026-09-21T14:13:24Z", "end_time": "2026-09-21T14:13:29Z"}))


def formats(f):
    f.write("aws-default.log", text(RECORDS))
    f.write("aws-default-headerless.log", text(RECORDS, None))
    f.write("aws-default.log.gz", gz(text(RECORDS)))
    f.write("aws-default.log.zst", subprocess.run(["zstd", "-q", "-c"], input=text(RECORDS).encode(),
                                                  stdout=subprocess.PIPE, check=True).stdout)
    f.lines("aws-v5-custom.log", V5, v5(ENI_A, "ingress", "203.0.113.7", A, 51002, 443, 2, 3, T),
            v5("eni-0eee5555ffff6666a", "ingress", A, "192.0.2.250", 40100, 443, 3, 8, T, pkt=(A, "203.0.113.80")),
            v5(ENI_A, "ingress", "198.51.100.4", A, 33000, 53, 0, 1, T, pkt=("198.51.100.4", "192.0.2.11"), proto=17),
            v5(ENI_A, "egress", A, "203.0.113.7", 443, 51000, 19, 7, T))
    values = dict(zip(ALL_V11.split(), "-" * 54))
    values.update(zip(DEFAULT.split(), RECORDS[2].split()))
    values.update({"version": "11", "vpc-id": "vpc-0a", "subnet-id": "subnet-0b", "instance-id": "i-0c", "tcp-flags": "2",
                   "type": "IPv4", "pkt-srcaddr": "198.51.100.9", "pkt-dstaddr": A, "region": "us-east-1",
                   "az-id": "use1-az4", "flow-direction": "ingress", "reject-reason": "BPA", "encryption-status": "0",
                   "instance-tag": "web%20server", "interface-type": "network_load_balancer"})
    f.lines("aws-v11-all.log", ALL_V11, " ".join(values[n] for n in ALL_V11.split()))
    f.lines("aws-custom-headerless.log", f"{A} 203.0.113.7 ACCEPT {T} {T + 58} 4 240 {ENI_A}",
            f"203.0.113.7 {A} ACCEPT {T} {T + 58} 5 300 {ENI_A}")
    f.lines("aws-athena-names.log", DEFAULT.replace("-", "_"), RECORDS[0])
    f.lines("aws-ipv6.log", DEFAULT,
            f"2 111122223333 {ENI_A} 2001:db8:1::7 2001:DB8:0:0:0:0:0:10 51000 443 6 3 216 {T} {T + 58} ACCEPT OK",
            f"2 111122223333 {ENI_A} 2001:db8::10 2001:db8:1::7 443 51000 6 2 144 {T} {T + 58} ACCEPT OK",
            f"2 111122223333 {ENI_A} 2001:db8:1::7 2001:db8::10 0 0 58 2 208 {T} {T + 58} ACCEPT OK")
    # Members joined after the fact: two headers of different layouts in one stream.
    f.write("aws-concatenated.log.gz", gz(text(RECORDS[:2])) + gz("\n" + text(
        [v5(ENI_B, "egress", B, "203.0.113.7", 40000, 443, 2, 1, T)], V5)))
    f.write("cloudwatch-export.gz", gz("".join(f"2026-09-21T14:14:00.000Z {r}\n" for r in RECORDS)))
    f.write("aws-logs-write-test", "Permission Check Successful")
    events = [{"logStreamName": f"{ENI_A}-all", "timestamp": T * 1000, "message": r, "ingestionTime": T * 1000 + 300123,
               "eventId": str(i)} for i, r in enumerate(RECORDS)]
    f.write("cloudwatch-filter-log-events.json", json.dumps({"events": events, "searchedLogStreams": [],
                                                             "nextToken": "x"}, indent=4) + "\n")
    pages = [{"events": [{k: e[k] for k in ("timestamp", "message", "ingestionTime")} for e in part],
              "nextForwardToken": "f/1", "nextBackwardToken": "b/1"} for part in (events[:2], events[2:])]
    f.write("cloudwatch-get-log-events.json", "\n".join(json.dumps(p, indent=2) for p in pages) + "\n")
    control = {"messageType": "CONTROL_MESSAGE", "owner": "CloudwatchLogs", "logGroup": "", "logStream": "",
               "subscriptionFilters": [], "logEvents": [{"id": "", "timestamp": T * 1000, "message":
                                                         "CWL CONTROL MESSAGE: Checking health of destination Kinesis stream."}]}
    data = {"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "/flow", "logStream": f"{ENI_A}-all",
            "subscriptionFilters": ["f"], "logEvents": [{"id": str(i), "timestamp": T * 1000, "message": r}
                                                        for i, r in enumerate(RECORDS)]}
    f.write("cloudwatch-subscription.json.gz", gz(json.dumps(control) + "\n" + json.dumps(data) + "\n"))
    f.write("cloudwatch-firehose.json", "".join(json.dumps({"message": r}) for r in RECORDS))
    tgw = [
        f"6 TransitGateway 111122223333 tgw-0a tgw-attach-0b 111122223333 444455556666 vpc-0c vpc-0d subnet-0e subnet-0f "
        f"eni-01 eni-02 use1-az1 use1-az2 tgw-attach-03 {A} 198.51.100.20 40100 443 6 5 300 {T} {T + 58} OK IPv4 0 0 0 0 2 "
        "us-east-1 ingress - -",
        f"6 TransitGateway 111122223333 tgw-0a tgw-attach-0b 111122223333 - vpc-0c - subnet-0e - eni-01 - use1-az1 - - {A} "
        f"203.0.113.99 40101 443 6 0 0 {T} {T + 58} OK IPv4 3 0 0 0 2 us-east-1 ingress - -",
        f"6 TransitGateway 111122223333 tgw-0a tgw-attach-0b 111122223333 - - - - - - - - - - - - - - - - - {T + 60} "
        f"{T + 118} NODATA - - - - - - us-east-1 - - -"]
    f.write("aws-tgw.log", text(tgw, TGW))
    f.write("aws-tgw-headerless.log", text(tgw, None))


def gcp_entry(number, src, dst, sport, dport, reporter, packets, size, start, end, proto=6, **more):
    connection = {"src_ip": src, "dest_ip": dst, "protocol": proto}
    if sport:
        connection.update(src_port=sport, dest_port=dport)
    payload = {"bytes_sent": str(size), "packets_sent": str(packets), "connection": connection, "reporter": reporter,
               "end_time": end, **({"start_time": start} if start else {}), **more}
    return {"insertId": f"a{number}", "jsonPayload": payload,
            "logName": "projects/example/logs/compute.googleapis.com%2Fvpc_flows",
            "resource": {"type": "gce_subnetwork", "labels": {"project_id": "example"}},
            "timestamp": "2026-09-21T14:14:35.5Z", "receiveTimestamp": "2026-09-21T14:14:36.5Z"}


def clouds(f):
    vm = {"src_instance": {"project_id": "example", "vm_name": "vm-a", "region": "us-east1", "zone": "us-east1-b"}}
    s, e = "2026-09-21T14:14:04.100000001Z", "2026-09-21T14:14:09.000000002Z"
    entries = [gcp_entry(1, A, "198.51.100.20", 51000, 443, "SRC", 9, 1422, s, e, rtt_msec="12", **vm),
               gcp_entry(2, A, "198.51.100.20", 51000, 443, "DEST", 9, 1410, s, e),
               gcp_entry(3, A, "203.0.113.5", None, None, "SRC", 1, 84, None, e, proto=1),
               gcp_entry(1, A, "198.51.100.20", 51000, 443, "SRC", 9, 1422, s, e, rtt_msec="12", **vm)]
    entries[1]["jsonPayload"]["connection"]["dest_port"] = 443.0
    other = {"insertId": "z", "textPayload": "not a flow", "logName": "projects/example/logs/syslog"}
    f.write("gcp.json", "".join(json.dumps(x) + "\n" for x in entries + [other]))
    f.write("gcp-array.json", json.dumps(entries[:3], indent=2) + "\n")

    def nsg(version, tuples):
        return {"time": "2026-09-21T14:14:00Z", "systemId": "00000000-0000-0000-0000-000000000001",
                "macAddress": "00005E005301", "category": "NetworkSecurityGroupFlowEvent",
                "resourceId": "/SUBSCRIPTIONS/X/NETWORKSECURITYGROUPS/N1", "operationName": "NetworkSecurityGroupFlowEvents",
                "properties": {"Version": version, "flows": [{"rule": "UserRule_web", "flows": [
                    {"mac": "00005E005301", "flowTuples": tuples}]}]}}

    f.write("azure-nsg-v1.json", json.dumps({"records": [nsg(1, [
        f"{T},203.0.113.7,{A},51000,443,T,I,A", f"{T + 1},198.51.100.9,{A},40022,23,T,I,D"])]}))
    nsg2 = nsg(2, [f"{T},203.0.113.7,{A},51000,443,T,I,A,B,,,,", f"{T + 56},203.0.113.7,{A},51000,443,T,I,A,E,9,1548,7,5198",
                   f"{T + 57},198.51.100.9,{A},40022,23,T,I,D,B,,,,"])
    f.write("azure-nsg.json", json.dumps({"records": [nsg2]}))
    # The keys in alphabetic order: the tuples come before what they belong to.
    f.write("azure-nsg-sorted.json", json.dumps({"records": [nsg2]}, sort_keys=True, indent=1))
    vnet = {"time": "2026-09-21T14:14:00Z", "flowLogVersion": 4, "flowLogGUID": "00000000-0000-0000-0000-000000000002",
            "macAddress": "00005e005301", "category": "FlowLogFlowEvent", "flowLogResourceID": "/S/FL",
            "targetResourceID": "/s/vnet", "operationName": "FlowLogFlowEvent", "flowRecords": {"flows": [
                {"aclID": "00000000-0000-0000-0000-000000000003", "flowGroups": [{"rule": "UserRule", "flowTuples": [
                    f"{T}000,203.0.113.7,{A},51000,443,6,I,B,NX,0,0,0,0",
                    f"{T + 56}000,203.0.113.7,{A},51000,443,6,I,E,NX,3,198,0,0",
                    f"{T + 57}000,198.51.100.9,{A},40022,23,6,I,D,NX,0,0,0,0"]}]}]}}
    f.write("azure-vnet.json", json.dumps({"records": [vnet]}))
    f.write("azure-vnet-bare.json", json.dumps(vnet) + "\n")
    # A growing blob that was fetched twice: the second holds the first and one record more.
    later = json.loads(json.dumps(vnet))
    later["time"] = "2026-09-21T14:15:00Z"
    f.write("azure-growing/1/PT1H.json", json.dumps({"records": [vnet]}))
    f.write("azure-growing/2/PT1H.json", json.dumps({"records": [vnet, later]}))


def traps(f):
    r = RECORDS
    f.lines("trap-nodata-with-counts.log", DEFAULT,
            f"2 111122223333 {ENI_A} 203.0.113.7 {A} 51000 443 6 9 1422 {T} {T + 58} ACCEPT NODATA", r[0])
    f.lines("trap-milliseconds.log", DEFAULT, r[0],
            f"2 111122223333 {ENI_A} - - - - - - - {T}123 {T + 58}999 - SKIPDATA")
    f.lines("trap-none.log", DEFAULT, r[0], f"2 111122223333 {ENI_A} None None None None None None None {T} {T + 58} None NODATA")
    f.lines("trap-blanks.log", DEFAULT, r[0].replace(" 9 ", "  9 "), "", "   ", r[1].replace(" ", "\t"))
    f.write("trap-crlf.log", "\r\n".join([DEFAULT, r[0], r[1], ""]))
    f.lines("trap-unknown-columns.log", DEFAULT + " quantum-state color_of_day", r[0] + " up blue", r[1] + " - -")
    f.lines("trap-extra-columns.log", DEFAULT, r[0] + " vpc-0a 17")
    f.lines("trap-short-lines.log", DEFAULT, "2 111122223333", r[0], r[1][:40])
    f.lines("trap-too-large.log", DEFAULT, r[0].replace(" 1422 ", " 99999999999999999999 "),
            r[0].replace(" 51000 ", " 70000 "), r[0].replace(f" {T} ", " 99999999999999 "), r[1])
    f.lines("trap-end-before-start.log", DEFAULT,
            f"2 111122223333 {ENI_A} 203.0.113.7 {A} 51000 443 6 9 1422 {T + 58} {T} ACCEPT OK", r[1])
    f.write("trap-binary-lines.log", DEFAULT.encode() + b"\n" + r[0].encode() + b"\n\x00\xff\xfe\x01\x02 \x80\n" + r[1].encode() + b"\n")
    f.write("trap-long-line.log.gz", gz(text([r[0], "x" * 10_000_000, r[1]])))
    whole = gz(text(r[:1] + [r[0].replace("51000", str(40000 + i)) for i in range(5000)]))
    f.write("trap-cut.log.gz", whole[: len(whole) * 2 // 3])
    f.write("trap-no-newline.log", text(r).rstrip("\n"))
    f.write("trap-json-broken.json", "".join(json.dumps(gcp_entry(i, A, B, 40000 + i, 443, "SRC", 1, 60,
                                                                  "2026-09-21T14:14:04Z", "2026-09-21T14:14:05Z"))
                                             [: 9999 if i != 2 else 150] + "\n" for i in range(1, 5)))
    f.write("other/notes.txt", "These are notes about the version and the protocol.\n")
    f.write("other/random.bin", bytes(range(256)) * 8)
    f.write("other/package.json", '{"name": "x", "version": "1"}\n')
    f.write("other/empty.log", "")


def exchange(eni, own, peer, port, eph, start, packets=5, answered=True):
    """A connection to the ENI in one window."""
    out = [v5(eni, "ingress", peer, own, eph, port, 3 if answered else 2, packets, start)]
    if answered:
        out.append(v5(eni, "egress", own, peer, port, eph, 19, packets, start))
    return out


def scenarios(f):
    # Requests are accepted, replies rejected: a network ACL without the ephemeral ports.
    f.lines("story-acl/flow.log", V5, *[l for i in range(20) for l in (
        v5(ENI_A, "ingress", B, A, 40000 + i, 5432, 2, 3, T + 60 * i),
        v5(ENI_A, "egress", A, B, 5432, 40000 + i, 18, 3, T + 60 * i, action="REJECT"))],
        *[l for i in range(20) for l in exchange(ENI_A, A, "203.0.113.7", 443, 50000 + i, T + 60 * i)])
    # SYNs in, nothing out, of one client; another one is answered. Before and after are hours of log.
    f.lines("story-one-way/flow.log", V5, *[l for i in range(60) for l in exchange(
        ENI_A, A, "203.0.113.7", 443, 50000 + i, T + 60 * i)],
        *[v5(ENI_A, "ingress", B, A, 41000 + i, 27017, 2, 4, T + 60 * (10 + i)) for i in range(12)])
    # The same with SKIPDATA over it: nothing may be claimed.
    f.lines("story-one-way-skipdata/flow.log", V5, *[l for i in range(60) for l in exchange(
        ENI_A, A, "203.0.113.7", 443, 50000 + i, T + 60 * i)],
        *[v5(ENI_A, "ingress", B, A, 41000 + i, 27017, 2, 4, T + 60 * (10 + i)) for i in range(12)],
        *[nodata(ENI_A, T + 60 * i, "SKIPDATA") for i in range(9, 25)])
    # And at the end of the log: the answers may not have been delivered.
    f.lines("story-one-way-edge/flow.log", V5, *[l for i in range(60) for l in exchange(
        ENI_A, A, "203.0.113.7", 443, 50000 + i, T + 60 * i)],
        *[v5(ENI_A, "ingress", B, A, 41000 + i, 27017, 2, 4, T + 60 * (55 + i)) for i in range(5)])
    # Eight senders, six whole minutes without any answer; the host sends SYNs of its own meanwhile.
    dark = range(20, 26)
    f.lines("story-dark/flow.log", V5, *[l for i in range(60) for p in range(8) for l in exchange(
        ENI_A, A, f"203.0.113.{p + 1}", 443, 20000 + 100 * i + p, T + 60 * i, answered=i not in dark)],
        *[v5(ENI_A, "egress", A, B, 45000 + i, 5432, 2, 3, T + 60 * i) for i in dark])
    # Left one ENI, never came in at the other: two of ten flows wholly, one in part.
    lines = []
    for i in range(40):
        for k in range(10):
            eph, start = 30000 + 100 * i + k, T + 60 * i
            lost = k < 2 and 10 <= i < 20
            lines.append(v5(ENI_A, "egress", A, B, eph, 5432, 2 if lost else 3, 4, start))
            if lost:
                continue
            part = k == 5 and i == 15
            lines.append(v5(ENI_B, "ingress", A, B, eph, 5432, 3, 1 if part else 4, start))
            lines.append(v5(ENI_B, "egress", B, A, 5432, eph, 19, 4, start))
            lines.append(v5(ENI_A, "ingress", B, A, 5432, eph, 19, 4, start))
    f.lines("story-loss/flow.log", V5, *lines)
    # One sender, 60 ports, rejected; and an ordinary reject beside it.
    f.lines("story-scan/flow.log", V5, *[v5(ENI_A, "ingress", "198.51.100.9", A, 40000, 1 + 7 * i, 2, 1, T + i, action="REJECT")
                                        for i in range(60)],
            v5(ENI_A, "ingress", B, A, 40001, 22, 2, 3, T, action="REJECT"),
            *[l for i in range(30) for l in exchange(ENI_A, A, "203.0.113.7", 443, 50000 + i, T + 60 * i)])
    # Two flow logs cover the ENI: only file names tell that the packets are the same.
    for number, log in enumerate(("0123456789abcdef0", "0fedcba9876543210")):
        f.lines(f"story-two-logs/111122223333_vpcflowlogs_us-east-1_fl-{log}_20260921T1415Z_{'ab' if number else 'cd'}.log", DEFAULT,
                *[l for i in range(30) for l in (
                    f"2 111122223333 {ENI_A} 203.0.113.7 {A} {50000 + i} 443 6 5 300 {T + 60 * i} {T + 60 * i + 58} ACCEPT OK",
                    f"2 111122223333 {ENI_A} {A} 203.0.113.7 443 {50000 + i} 6 5 900 {T + 60 * i} {T + 60 * i + 58} ACCEPT OK")][number:])
    # An ENI that is silent (NODATA) is not dark, and one whose log stops is.
    f.lines("story-gap/flow.log", V5, *[l for i in range(60) for l in exchange(
        ENI_A, A, "203.0.113.7", 443, 50000 + i, T + 60 * i)],
        *[nodata(ENI_B, T + 60 * i) for i in range(60) if not 20 <= i < 40])
    # Sampled: a SYN without an answer in the log says nothing.
    f.write("story-sampled/gcp.json", "".join(json.dumps(gcp_entry(
        i, "198.51.100.20", A, 40000 + i, 443, "DEST", 3, 0, f"2026-09-21T14:{14 + i // 10}:00Z",
        f"2026-09-21T14:{14 + i // 10}:05Z", dest_instance={"project_id": "example", "vm_name": "vm-a"})) + "\n"
        for i in range(200)))


def main():
    f = Folder(sys.argv[1])
    formats(f)
    exports(f)
    clouds(f)
    traps(f)
    scenarios(f)


if __name__ == "__main__":
    main()
