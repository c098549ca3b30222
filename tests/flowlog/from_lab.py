#!/usr/bin/env python3
"""What an ENI's flow log would have said of recorded traffic, and whether eni-not-host finds the truth.

usage: from_lab.py BOTHENDS FIXTURES_CAPTURE

The packets were lost between two taps of a lab with real network stacks, whose nftables counters are the truth
(truth.json beside the captures). Here the sender's tap stands for the receiver's ENI: from its frames this
program, which shares no code with the analyser, writes an AWS export with windows of 60 s. The receiver's
capture stands for the host's; so what was lost between the taps is what "the ENI accepted and the host's
capture does not show". The capture is given a minute before and after by frames of ARP (announcements of its
own address), since a window may lie a minute behind its packets.
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

BOTHENDS = CAPTURES = None
ENI = "eni-0aaa1111bbbb2222c"
NS = 10**9
WINDOW = 60
HEADER = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
          "log-status flow-direction tcp-flags")


def segments(frame, segment):
    """Wire packets that a frame stands for, and their bytes with IP headers: senders merge what leaves in one."""
    headers = len(segment.options) + 40
    if segment.length <= 1460:
        return 1, segment.length + headers
    mss = 1460 - len(segment.options)
    count = -(-segment.length // mss)
    return count, segment.length + count * headers


def flags_of(segment):
    """As AWS keeps them: FIN, SYN, RST; ACK only with SYN."""
    return segment.flags & (7 | (16 if segment.flags & 2 else 0))


def export(path, own, out):
    """The capture at path as the flow log of the ENI with that address."""
    table = {}
    for frame in pcapfile.read(path):
        if frame.data[12:14] not in (b"\x08\x00", b"\x86\xdd"):
            continue
        segment = pcapfile.tcp(frame)
        if segment is None:
            continue
        src, dst = socket.inet_ntoa(segment.src), socket.inet_ntoa(segment.dst)
        start = frame.time_ns // NS // WINDOW * WINDOW
        row = table.setdefault((start, src, dst, segment.sport, segment.dport), [0, 0, 0])
        packets, size = segments(frame, segment)
        row[0] += packets
        row[1] += size
        row[2] |= flags_of(segment)
    with open(out, "w", encoding="ascii") as file:
        file.write(HEADER + "\n")
        for (start, src, dst, sport, dport), (packets, size, flags) in sorted(table.items()):
            way = "ingress" if dst == own else "egress"
            file.write(f"5 111122223333 {ENI} {src} {dst} {sport} {dport} 6 {packets} {size} {start} "
                       f"{start + WINDOW - 1} ACCEPT OK {way} {flags}\n")
    return sum(row[0] for key, row in table.items() if key[2] == own)


def announcement(own, mac, time_ns):
    data = (b"\xff" * 6 + mac + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + mac + socket.inet_aton(own)
            + b"\0" * 6 + socket.inet_aton(own))
    return pcapfile.Frame(time_ns, 60, data + b"\0" * (60 - len(data)))


def own_mac(frames, own):
    for frame in frames:
        segment = pcapfile.tcp(frame) if frame.data[12:14] == b"\x08\x00" else None
        if segment and socket.inet_ntoa(segment.src) == own:
            return frame.data[6:12]
    raise AssertionError("the host sends nothing")


class FromLab(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.db = os.path.join(self.folder.name, "out.db")

    def address_of(self, scenario, host):
        """The client sends the first SYN."""
        for frame in pcapfile.read(self.capture(scenario, "client")):
            segment = pcapfile.tcp(frame) if frame.data[12:14] == b"\x08\x00" else None
            if segment and segment.flags & 18 == 2:
                return socket.inet_ntoa(segment.src if host == "client" else segment.dst)
        raise AssertionError("no SYN")

    def capture(self, scenario, host):
        return os.path.join(CAPTURES, scenario, f"{host}.pcap.zst")

    def host_capture(self, scenario, host, own, keep=lambda frame: True, padded=True):
        frames = list(pcapfile.read(self.capture(scenario, host)))
        mac = own_mac(frames, own)
        first, last = frames[0].time_ns, frames[-1].time_ns
        kept = [f for f in frames if keep(f)]
        if padded:
            kept = ([announcement(own, mac, first - 150 * NS)] + kept + [announcement(own, mac, last + 150 * NS)])
        path = os.path.join(self.folder.name, "host.pcap")
        pcapfile.write(path, kept)
        return path

    def analyze(self, host, *inputs):
        subprocess.run([BOTHENDS, "analyze", "--quiet", "--force", "-o", self.db, "--host", f"{host}={ENI}",
                        f"{host}={inputs[0]}", *inputs[1:]], check=True, stdout=subprocess.DEVNULL)
        return self.findings("eni-not-host")

    def findings(self, kind):
        connection = sqlite3.connect(self.db)
        connection.row_factory = sqlite3.Row
        found = [dict(r) for r in connection.execute("SELECT * FROM finding WHERE kind = ?", (kind,))]
        connection.close()
        return found

    def lost_to(self, scenario, host):
        """What the kernel's counters say was lost on the way to a host, and what it got."""
        with open(os.path.join(CAPTURES, scenario, "truth.json"), encoding="utf-8") as file:
            paths = [p for p in json.load(file)["paths"] if p["direction"] == ("s2c" if host == "client" else "c2s")]
        return sum(p["counts"]["lost"] for p in paths), max(p["counts"]["sent"] for p in paths)

    def check_loss(self, scenario, host, sender):
        lost, sent = self.lost_to(scenario, host)
        own = self.address_of(scenario, host)
        log = os.path.join(self.folder.name, "export.log")
        self.assertEqual(export(self.capture(scenario, sender), own, log), sent)
        found = self.analyze(host, self.host_capture(scenario, host, own), log)
        self.assertEqual(len(found), 1, found)
        detail = json.loads(found[0]["detail"])
        self.assertEqual(found[0]["total"], sent)
        self.assertEqual(found[0]["count"], detail["missing_low"])
        self.assertLessEqual(detail["missing_low"], lost)
        self.assertGreaterEqual(detail["missing_high"], lost)
        return lost, detail

    def test_loss_before_the_tap(self):
        """Nothing is merged: the upper bound is the kernel's count."""
        lost, detail = self.check_loss("loss-router-server", "client", "server")
        self.assertEqual(detail["missing_high"], lost)

    def test_loss_with_offloads(self):
        """The sender merges what leaves in one frame; the log counts packets of the wire."""
        lost, detail = self.check_loss("loss-2pct-s2c-offloads", "client", "server")
        self.assertGreaterEqual(detail["missing_low"], lost / 2)

    def test_no_loss(self):
        """The negative: all arrived, with and without merged frames."""
        for scenario in ("no-loss",):
            own = self.address_of(scenario, "client")
            log = os.path.join(self.folder.name, "export.log")
            export(self.capture(scenario, "server"), own, log)
            self.assertEqual(self.analyze("client", self.host_capture(scenario, "client", own), log), [])

    def test_offloads_lose_nothing_the_other_way(self):
        own = self.address_of("loss-2pct-s2c-offloads", "server")
        log = os.path.join(self.folder.name, "export.log")
        export(self.capture("loss-2pct-s2c-offloads", "client"), own, log)
        self.assertEqual(self.analyze("server", self.host_capture("loss-2pct-s2c-offloads", "server", own), log), [])

    def test_window_edges(self):
        """The capture does not cover the windows with their minute: no claim."""
        own = self.address_of("loss-router-server", "client")
        log = os.path.join(self.folder.name, "export.log")
        export(self.capture("loss-router-server", "server"), own, log)
        self.assertEqual(self.analyze("client", self.host_capture("loss-router-server", "client", own, padded=False), log), [])

    def dark(self, scenario, own, from_share, to_share):
        """The host's interface takes nothing in for a part of the time; what it sends still leaves."""
        frames = list(pcapfile.read(self.capture(scenario, "server")))
        first, last = frames[0].time_ns, frames[-1].time_ns
        low, high = (first + int((last - first) * s) for s in (from_share, to_share))
        gone = 0

        def keep(frame):
            nonlocal gone
            segment = pcapfile.tcp(frame) if frame.data[12:14] == b"\x08\x00" else None
            lost = bool(segment) and socket.inet_ntoa(segment.dst) == own and low <= frame.time_ns < high
            gone += lost
            return not lost

        return self.host_capture(scenario, "server", own, keep), lambda: gone

    def test_interface_that_takes_nothing_in(self):
        """Every packet that the ENI accepted in the dark span is missing, and no other; the cause is found."""
        own = self.address_of("no-loss", "server")
        log = os.path.join(self.folder.name, "export.log")
        total = export(self.capture("no-loss", "client"), own, log)
        path, gone = self.dark("no-loss", own, 0.3, 0.8)
        found = self.analyze("server", path, log)
        self.assertEqual(len(found), 1)
        detail = json.loads(found[0]["detail"])
        self.assertGreater(gone(), 20)
        self.assertEqual((detail["missing_high"], found[0]["total"]), (gone(), total))
        self.assertLessEqual(detail["missing_low"], gone())

    def test_exports_alone(self):
        """No capture at all: the flow log has its own, smaller say."""
        own = self.address_of("loss-router-server", "client")
        log = os.path.join(self.folder.name, "export.log")
        export(self.capture("loss-router-server", "server"), own, log)
        subprocess.run([BOTHENDS, "analyze", "--quiet", "--force", "-o", self.db, log], check=True,
                       stdout=subprocess.DEVNULL)
        connection = sqlite3.connect(self.db)
        self.assertEqual(connection.execute("SELECT name, kind, trust FROM vantage").fetchall(), [(ENI, "flowlog", "sound")])
        self.assertEqual(connection.execute("SELECT own_ip FROM flow_log_interface").fetchall(), [(own,)])
        connection.close()
        self.assertEqual(self.findings("eni-not-host"), [])

    def test_capture_with_a_filter(self):
        """A filtered capture lacks packets by intent: no claim."""
        own = self.address_of("loss-router-server", "client")
        log = os.path.join(self.folder.name, "export.log")
        export(self.capture("loss-router-server", "server"), own, log)
        path = self.host_capture("loss-router-server", "client", own)
        filtered = os.path.join(self.folder.name, "filtered.pcapng")
        subprocess.run(["editcap", "-F", "pcapng", path, filtered], check=True)
        with open(filtered, "rb") as file:
            raw = file.read()
        # Adds if_filter to the interface description, as dumpcap does.
        length, = struct.unpack_from("<I", raw, 4)
        block_length, = struct.unpack_from("<I", raw, length + 4)
        option = struct.pack("<HHB", 11, 9, 0) + b"port 443" + b"\0" * 3 + struct.pack("<I", 0)
        body = raw[length + 8:length + block_length - 4]
        body = body[:8] + option if len(body) <= 12 else body[:8] + struct.pack("<HHBxxx", 9, 1, 9) + option
        block = struct.pack("<II", 1, len(body) + 12) + body + struct.pack("<I", len(body) + 12)
        with open(filtered, "wb") as file:
            file.write(raw[:length] + block + raw[length + block_length:])
        self.assertEqual(self.analyze("client", filtered, log), [])
        connection = sqlite3.connect(self.db)
        self.assertEqual(connection.execute("SELECT filter FROM capture_interface").fetchall(), [("port 443",)])
        connection.close()


if __name__ == "__main__":
    BOTHENDS, CAPTURES = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1], verbosity=1)
