"""Captures of a world: those that the program gets, and witnesses that see all.

A witness is a capture of one interface without filter or oddity; it and the copies of dropped packets are
the truth, so a witness that missed a frame voids the world. What the program gets may be late, short,
filtered, cut or of one direction as it is taken, and damaged afterwards (edit()).
"""
import concurrent.futures
import os
import random
import re
import struct
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

import lab  # noqa: E402
import pcapfile  # noqa: E402
import packets  # noqa: E402

WITNESS_SNAPLEN = 256
SILENT = ("ack", "rst", "udp", "icmp", "icmp6", "arp", "nd", "other")


def stop(capture):
    """End a capture; how many frames the kernel dropped. What it had not written yet came at its very end."""
    try:
        capture.stop()
    except lab.Void as why:
        found = re.search(r"(\d+) packets? dropped by kernel", str(why))
        return int(found.group(1)) if found else 0
    return 0


class Witnesses:
    """Complete captures: one an interface of each node that is captured, and of dropped copies."""

    def __init__(self, net, out, places):
        """places: [(node, interface)]"""
        self.paths = {(node, interface): os.path.join(out, f"witness-{node}-{interface}.pcap")
                      for node, interface in places}
        start = lambda item: lab.Capture(net.nodes[item[0][0]], item[0][1], item[1],
                                         snaplen=WITNESS_SNAPLEN, promiscuous=True, buffer_kib=8192)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.captures = list(pool.map(start, self.paths.items()))

    def stop(self):
        self.until_ns = time.time_ns()
        for capture in self.captures:
            if stop(capture):
                raise lab.Void(f"the witness of {capture.label} missed frames")


class Tap:
    """One capture for the program."""

    def __init__(self, net, spec, capture, out):
        self.net, self.spec, self.capture = net, spec, capture
        self.path = os.path.join(out, capture["node"] + (".pcapng" if capture["pcapng"] else ".pcap"))
        self.running, self.dropped = None, 0

    def interface(self):
        if self.capture["interface"] == "any":
            return "any"
        return self.net.interfaces(self.capture["node"])[0]

    def filter(self):
        if self.capture["filter"] != "peer":
            return self.capture["filter"]
        topology, node = self.spec["topology"], self.capture["node"]
        peer = topology["clients" if node in topology["servers"] else "servers"][0]
        return f"host {self.net.ip[peer]}"

    def start(self):
        self.running = lab.Capture(
            self.net.nodes[self.capture["node"]], self.interface(), self.path,
            snaplen=self.capture["snaplen"], pcapng=self.capture["pcapng"], only=self.filter(),
            direction=self.capture["direction"], buffer_kib=16384)

    def stop(self):
        if self.running:
            running, self.running = self.running, None
            self.dropped = stop(running)


def edit(path, capture, seed):
    """Damage a file as its capture's oddities say.

    Returns its span, and how many frames were deleted and doubled. Of the deleted, pure ACKs and datagrams
    count apart: nothing else in a capture shows that one was there.
    """
    chance = random.Random(seed)
    records, rebuild = open_records(path)
    whole = packets.load(path)
    about = {"deleted": 0, "deleted_silent": 0, "doubled": 0,
             "span_ns": [whole[0].time_ns, whole[-1].time_ns] if whole else [0, 0]}
    if not records or not (capture["lose"] or capture["double_us"] is not None or capture["clock"]):
        return about
    chosen = {number for number in range(len(records)) if chance.random() < capture["lose"]}
    kept = [one for number, one in enumerate(records) if number not in chosen]
    clock = capture["clock"] and clock_of(capture["clock"], records[0][0], records[-1][0])
    made = []
    for time_ns, record in kept:
        shown = clock(time_ns) if clock else time_ns
        made.append((shown, record))
        if capture["double_us"] is not None:
            made.append((shown + capture["double_us"] * 1000, record))
    if capture["double_us"]:
        made.sort(key=lambda one: one[0])
    with open(path, "wb") as file:
        file.write(rebuild(made))
    return {**about, "deleted": len(chosen), "doubled": len(made) - len(kept),
            "deleted_silent": sum(whole[number].kind in SILENT for number in chosen)}


def clock_of(clock, first_ns, last_ns):
    """What a wrong clock shows, as a function of true time."""
    step_ns = first_ns + (last_ns - first_ns) * clock.get("step_at", 0)

    def shown(true_ns):
        wrong = clock["offset_ms"] * 10**6 + (true_ns - first_ns) * clock["skew_ppm"] // 10**6
        return true_ns + wrong + (clock["step_ms"] * 10**6 if true_ns >= step_ns else 0)
    return shown


def open_records(path):
    """([(time, record)], function that makes the file's bytes of such a list)."""
    if struct.unpack_from("<I", pcapfile.content(path))[0] == pcapfile.PCAPNG:
        return pcapng_records(pcapfile.content(path))
    frames, link = list(pcapfile.read(path)), packets.link_type(path)

    def rebuild(made):
        head = struct.pack("<IHHiIII", pcapfile.PCAP_NS, 2, 4, 0, 0, 262144, link)
        return head + b"".join(
            struct.pack("<IIII", *divmod(time_ns, 10**9), len(frame.data), frame.wire) + frame.data
            for time_ns, frame in made)
    return [(frame.time_ns, frame) for frame in frames], rebuild


def pcapng_records(raw):
    """Packet blocks with their times; all other blocks keep their place before or behind them."""
    before, after, records, offset = b"", b"", [], 0
    while offset < len(raw):
        kind, length = struct.unpack_from("<II", raw, offset)
        block = raw[offset:offset + length]
        offset += length
        if kind == 6:
            high, low = struct.unpack_from("<II", block, 12)
            records.append((high << 32 | low, block))
        elif records:
            after += block
        else:
            before += block

    def rebuild(made):
        return before + b"".join(
            block[:12] + struct.pack("<II", time_ns >> 32, time_ns & 0xffffffff) + block[20:]
            for time_ns, block in made) + after
    return records, rebuild
