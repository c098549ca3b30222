#!/usr/bin/env python3
"""The host that goes deaf (ixgbevf on EC2), from exports, capture and facts, and from exports alone.

usage: story_test.py BOTHENDS

A busy host takes nothing in for two minutes; what it sends still leaves (its cron job knocks at a neighbour).
Everything is made here: the traffic as frames, the host's capture (without what the driver lost), the ENI's
flow log (with it), and the facts an agent would have written. How much was lost is counted while it is made.
"""
import json
import os
import socket
import sqlite3
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))
import pcapfile  # noqa: E402

BOTHENDS = None
NS = 10**9
T = 1790000040
ENI, HOST, NEIGHBOUR = "eni-0aaa1111bbbb2222c", "10.0.0.5", "10.0.0.9"
PEERS = [f"10.0.1.{i}" for i in range(1, 9)]
MAC, ROUTER = bytes.fromhex("060000000005"), bytes.fromhex("060000000001")
MINUTES = 12
DARK = (T + 5 * 60, T + 7 * 60)
HEADER = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
          "log-status flow-direction tcp-flags")
SYN, ACK, FIN, PSH = 2, 16, 1, 8


def frame(at_ns, src, dst, sport, dport, seq, ack, flags, payload=b""):
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 0x50, flags, 65535, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0, socket.inet_aton(src), socket.inet_aton(dst))
    total = sum(struct.unpack("!10H", ip))
    total = (total & 0xffff) + (total >> 16)
    ip = ip[:10] + struct.pack("!H", ~((total & 0xffff) + (total >> 16)) & 0xffff) + ip[12:]
    macs = (ROUTER + MAC) if src == HOST else (MAC + ROUTER)
    data = macs + b"\x08\x00" + ip + tcp
    return pcapfile.Frame(at_ns, len(data), data)


def connection(at_s, peer, sport):
    """A short conversation that a peer begins; in the dark only its SYN and three more tries."""
    at, isn, reply = at_s * NS, sport * 1000, sport * 7000
    if DARK[0] <= at_s < DARK[1]:
        return [frame(at + wait * NS, peer, HOST, sport, 443, isn, 0, SYN) for wait in (0, 1, 3, 7)
                if at + wait * NS < DARK[1] * NS]
    ms = NS // 1000
    return [frame(at, peer, HOST, sport, 443, isn, 0, SYN),
            frame(at + ms, HOST, peer, 443, sport, reply, isn + 1, SYN | ACK),
            frame(at + 2 * ms, peer, HOST, sport, 443, isn + 1, reply + 1, ACK),
            frame(at + 3 * ms, peer, HOST, sport, 443, isn + 1, reply + 1, PSH | ACK, b"x" * 200),
            frame(at + 4 * ms, HOST, peer, 443, sport, reply + 1, isn + 201, PSH | ACK, b"y" * 900),
            frame(at + 5 * ms, peer, HOST, sport, 443, isn + 201, reply + 901, FIN | ACK),
            frame(at + 6 * ms, HOST, peer, 443, sport, reply + 901, isn + 202, FIN | ACK),
            frame(at + 7 * ms, peer, HOST, sport, 443, isn + 202, reply + 902, ACK)]


def knock(at_s, sport):
    """The host's cron job; in the dark it gets no answer."""
    at = at_s * NS
    out = [frame(at, HOST, NEIGHBOUR, sport, 22, sport, 0, SYN)]
    answer = frame(at + NS // 1000, NEIGHBOUR, HOST, 22, sport, 1, sport + 1, SYN | ACK)
    reset = frame(at + 2 * NS // 1000, HOST, NEIGHBOUR, sport, 22, sport + 1, 2, ACK | FIN)
    if DARK[0] <= at_s < DARK[1]:
        return out + [answer, frame(at + NS, HOST, NEIGHBOUR, sport, 22, sport, 0, SYN)]
    return out + [answer, reset]


def traffic():
    """All frames as the ENI passed them."""
    frames = []
    for second in range(MINUTES * 60):
        frames += connection(T + second, PEERS[second % len(PEERS)], 10000 + second)
        if second % 10 == 0:
            frames += knock(T + second, 40000 + second)
    return sorted(frames, key=lambda f: f.time_ns)


def segment_of(f):
    s = pcapfile.tcp(f)
    return s, socket.inet_ntoa(s.src), socket.inet_ntoa(s.dst)


def lost(f):
    return segment_of(f)[2] == HOST and DARK[0] * NS <= f.time_ns < DARK[1] * NS


def export(frames, path):
    table = {}
    for f in frames:
        s, src, dst = segment_of(f)
        start = f.time_ns // NS // 60 * 60
        row = table.setdefault((start, src, dst, s.sport, s.dport), [0, 0, 0])
        row[0] += 1
        row[1] += s.length + 40
        row[2] |= s.flags & (7 | (16 if s.flags & SYN else 0))
    with open(path, "w", encoding="ascii") as file:
        file.write(HEADER + "\n")
        for (start, src, dst, sport, dport), (packets, size, flags) in sorted(table.items()):
            file.write(f"5 111122223333 {ENI} {src} {dst} {sport} {dport} 6 {packets} {size} {start} {start + 59} ACCEPT OK "
                       f"{'ingress' if dst == HOST else 'egress'} {flags}\n")


class Story(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        folder = cls.folder = cls.temporary.name
        frames = traffic()
        cls.missing = sum(lost(f) for f in frames)
        export(frames, os.path.join(folder, "export.log"))
        kept = [f for f in frames if not lost(f)]
        announcement = b"\xff" * 6 + MAC + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + MAC + \
            socket.inet_aton(HOST) + b"\0" * 6 + socket.inet_aton(HOST) + b"\0" * 18
        at = [kept[0].time_ns - 100 * NS, kept[-1].time_ns + 100 * NS]
        ends = [pcapfile.Frame(t, len(announcement), announcement) for t in at]
        pcapfile.write(os.path.join(folder, "web.pcap"), [ends[0]] + kept + [ends[1]])
        facts = {"host.name": "web", "nic.eth0.driver": "ixgbevf", "nic.eth0.driver_version": "2.11.3-k",
                 "hypervisor.type": "xen", "kernel.release": "3.13.0-92-generic"}
        with open(os.path.join(folder, "web.facts.jsonl"), "w", encoding="ascii") as file:
            for key, value in facts.items():
                file.write(json.dumps({"at_ns": T * NS, "key": key, "value": value}, separators=(",", ":")) + "\n")

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def analyze(self, *names):
        database = os.path.join(self.folder, "out.db")
        done = subprocess.run([BOTHENDS, "analyze", "--quiet", "--force", "-o", database, *names], cwd=self.folder,
                              stderr=subprocess.PIPE, text=True, check=False, stdout=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        connection = sqlite3.connect(database)
        connection.row_factory = sqlite3.Row
        found = [dict(r, detail=json.loads(r["detail"])) for r in connection.execute("SELECT * FROM finding")]
        connection.close()
        return found

    def of(self, found, kind):
        return [f for f in found if f["kind"] == kind]

    def test_exports_capture_and_facts(self):
        found = self.analyze("--host", f"web={ENI}", "web=web.pcap", "web=web.facts.jsonl", "export.log")
        deaf = self.of(found, "eni-not-host")
        # Windows that begin before the dark hold nothing of it that the capture lacks, and the rest is exact.
        self.assertEqual(sum(f["count"] for f in deaf), self.missing)
        self.assertEqual(sum(f["detail"]["missing_high"] for f in deaf), self.missing)
        self.assertTrue(all(f["severity"] == "critical" and f["detail"]["alive"] is True for f in deaf))
        self.assertEqual({f["src_ip"] for f in deaf}, set(PEERS) | {NEIGHBOUR})
        dark, = self.of(found, "host-dark")
        self.assertEqual((dark["detail"]["direction"], dark["detail"]["alive"]), ("rx", True))
        self.assertLess(abs(dark["first_ns"] - DARK[0] * NS), 12 * NS)
        self.assertLess(abs(dark["last_ns"] - DARK[1] * NS), 12 * NS)
        advice, = self.of(found, "advisory")
        self.assertEqual(advice["detail"]["defect"], "ixgbevf-ec2")
        self.assertEqual({f["cause_id"] for f in deaf}, {dark["id"]})
        self.assertEqual(dark["cause_id"], advice["id"])

    def test_exports_alone(self):
        found = self.analyze("export.log")
        dark, = self.of(found, "host-dark")
        self.assertEqual((dark["detail"]["rule"], dark["detail"]["direction"]), ("host-dark-flowlog", "rx"))
        self.assertIn("accepted is not a packet delivered", dark["summary"])
        self.assertLess(dark["confidence"], 0.8)
        self.assertEqual((dark["first_ns"], dark["last_ns"]), (DARK[0] * NS, DARK[1] * NS))
        # One cause, one finding: the peers' unanswered requests and the host's own are not repeated.
        self.assertEqual([f["kind"] for f in found], ["host-dark"])
        self.assertEqual(self.of(found, "eni-not-host"), [])
        self.assertEqual(self.of(found, "advisory"), [])


class AnswersRejected(unittest.TestCase):
    """A network ACL that lets answers out to some client ports only, all along: no change shows it."""

    def found(self, bad):
        """480 connections in 40 minutes; the answers of those whose number is in bad are rejected."""
        rows = []
        for n in range(480):
            port, at = (20000 if n in bad else 40000) + n, T + 5 * n
            for tuple_, action in ((f"203.0.113.9 {HOST} {port} 443", "ACCEPT"),
                                     (f"{HOST} 203.0.113.9 443 {port}", "REJECT" if n in bad else "ACCEPT")):
                rows.append(f"2 123456789012 {ENI} {tuple_} 6 5 900 {at} {at + 30} {action} OK")
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "eni.log"), "w", encoding="ascii") as f:
                f.write("\n".join(rows) + "\n")
            subprocess.run([BOTHENDS, "analyze", "--quiet", "-o", os.path.join(folder, "i.db"), os.path.join(folder, "eni.log")],
                           check=True, stdout=subprocess.DEVNULL)
            connection = sqlite3.connect(os.path.join(folder, "i.db"))
            connection.row_factory = sqlite3.Row
            found = [dict(r) for r in connection.execute("SELECT *, (SELECT count(*) FROM evidence WHERE finding_id = finding.id) AS lines "
                                                         "FROM finding WHERE severity != 'notice'")]
            connection.close()
            return found

    def test_a_part_of_them_all_along(self):
        found, = self.found(set(range(3, 480, 4)))
        self.assertEqual((found["kind"], found["severity"], found["count"], found["total"]), ("flowlog-reject", "warning", 120, 480))
        self.assertEqual(json.loads(found["detail"])["side"], "network-acl")
        self.assertGreater(found["lines"], 0)

    def test_single_ones_are_behind_forgotten_connections(self):
        self.assertEqual(self.found({90, 200, 310}), [])


if __name__ == "__main__":
    BOTHENDS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1])
