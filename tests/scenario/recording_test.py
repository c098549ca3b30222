#!/usr/bin/env python3
"""What each statement of the notation puts into the capture files: small scripts, played, and their bytes read back by
a reader of its own. No program takes part."""
import collections
import gzip
import inspect
import os
import struct
import sys
import tempfile

sys.dont_write_bytecode = True
from recording import write_all
from script import Script, Wrong
from world import World

# An IPv4 or IPv6 packet as it stands in a file. sum_ok: of the transport. good: that of VXLAN's outer UDP, None without.
Packet = collections.namedtuple("Packet", "time interface ifindex kind src_mac dst_mac protocol ttl src dst ports seq payload"
                                " sum_ok outer")
FLOW = "flow web tcp 10.0.0.1:40001 > 10.0.0.2:80\n"
ROUTER = "# claim\npoint A\npoint R any {}\npoint B\nleg A-R delay=1ms\nleg R-B delay=1ms\n" + FLOW


def words_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def frames_of(path):
    """(time, interface, link type, bytes) of a pcap or pcapng file."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        yield from blocks_of(data)
        return
    nanoseconds = data[:4] == b"\x4d\x3c\xb2\xa1"
    link, at = struct.unpack_from("<I", data, 20)[0], 24
    while at + 16 <= len(data) and any(data[at:at + 16]):
        seconds, rest, length, _ = struct.unpack_from("<IIII", data, at)
        yield seconds * 10**9 + rest * (1 if nanoseconds else 1000), 0, link, data[at + 16:at + 16 + length]
        at += 16 + length


def blocks_of(data):
    at, links = 0, []
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        if kind == 1:
            links.append(struct.unpack_from("<H", data, at + 8)[0])
        elif kind == 6:
            interface, high, low, length = struct.unpack_from("<IIII", data, at + 8)
            yield high << 32 | low, interface, links[interface], data[at + 28:at + 28 + length]
        at += size


def packet(time, interface, link, data, outer=None):
    ifindex = kind = None
    if link == 276:
        ethertype, _, ifindex, _, kind = struct.unpack_from("!HHIHB", data)
        src_mac, dst_mac, data = data[12:18].hex(":"), None, data[20:]
    else:
        dst_mac, src_mac = data[:6].hex(":"), data[6:12].hex(":")
        ethertype, data = struct.unpack_from("!H", data, 12)[0], data[14:]
    if ethertype == 0x0806:
        return Packet(time, interface, ifindex, kind, src_mac, dst_mac, "arp", None, data[14:18], data[24:28], None,
                      struct.unpack_from("!H", data, 6)[0], data[8:14].hex(":"), None, outer)
    if ethertype == 0x0800:
        assert words_sum(data[:20]) == 0xffff, "IP header checksum"
        ttl, protocol, src, dst, body = data[8], data[9], data[12:16], data[16:20], data[20:]
    else:
        ttl, protocol, src, dst, body = data[7], data[6], data[8:24], data[24:40], data[40:]
    pseudo = b"" if protocol == 1 else src + dst + struct.pack("!II", len(body), protocol)
    sum_ok = words_sum(pseudo + body) == 0xffff
    if protocol == 17 and body[2:4] == b"\x12\xb5":
        return packet(time, interface, 1, body[16:], sum_ok if body[6:8] != b"\0\0" else "left out")
    ports = struct.unpack("!HH", body[:4]) if protocol in (6, 17) else None
    payload = body[(body[12] >> 4) * 4:] if protocol == 6 else body[8:]
    seq = struct.unpack_from("!I", body, 4)[0] if protocol == 6 else None
    return Packet(time, interface, ifindex, kind, src_mac, dst_mac, protocol, ttl, src, dst, ports, seq, payload, sum_ok, outer)


def play(text):
    """{file's name: its packets}, and the arguments, of a script."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.scn")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        inputs = write_all(World(Script(path)), folder)
        found = {}
        for each in inputs:
            name = each.partition("=")[2] or each
            relative = os.path.relpath(name, folder)
            if name.endswith(".gz"):
                with gzip.open(name) as file:
                    found[relative] = file.read()
            else:
                found[relative] = [packet(*frame) for frame in frames_of(name)]
        return found, [each.replace(folder + "/", "") for each in inputs]


def router_records_twice():
    found, inputs = play(ROUTER.format("") + "1.0 c> P. (100)\n2.0 s> P. (50)\n")
    rows = [(p.ifindex, p.kind, p.ttl, len(p.payload)) for p in found["R.pcap"]]
    assert rows == [(2, 0, 63, 100), (3, 4, 62, 100), (3, 0, 63, 50), (2, 4, 62, 50)], rows
    assert "R=R.pcap" in inputs and [p.ttl for p in found["B.pcap"]] == [61, 64], found["B.pcap"]


def router_loses_inside():
    found, _ = play(ROUTER.format("") + "1.0 c> P. (3x100) drop@R.s#2\n2.0 c> P. (100) drop@R\n")
    assert [p.kind for p in found["R.pcap"]].count(0) == 3 and [p.kind for p in found["R.pcap"]].count(4) == 2
    assert len(found["B.pcap"]) == 2


def batch_keeps_ins_before_outs():
    found, _ = play(ROUTER.format("batch=1ms inside=5us") + "1.00001 c> . (4x100) every=5us\n1.00002 s> . (10)\n")
    assert [p.kind for p in found["R.pcap"]] == [0] * 5 + [4] * 5, [p.kind for p in found["R.pcap"]]


def offload_merges_ins_alone():
    found, _ = play(ROUTER.format("gro batch=1ms") + "1.0 c> . (4x1000) every=5us\n")
    assert [(p.kind, len(p.payload)) for p in found["R.pcap"]] == [(0, 4000)] + [(4, 1000)] * 4
    assert not found["R.pcap"][0].sum_ok and all(p.sum_ok for p in found["R.pcap"][1:])


TWO = "# claim\npoint A\npoint B1 host=B file=B.pcap{}\npoint B2 host=B file=B.pcap faces=client{}\n" + FLOW


def interfaces_share_a_file():
    found, inputs = play(TWO.format(" format=pcapng", "") + "leg B1-B2 delay=0s hops=0\n1.0 c> P. (3x10)\n")
    assert inputs == ["A=A.pcap", "B=B.pcap"], inputs
    assert [p.interface for p in found["B.pcap"]] == [0, 1] * 3


def interfaces_in_parallel():
    text = ("# claim\npoint A\npoint B1 host=B\npoint B2 host=B beside=B1 takes=s2c\n" + FLOW +
            "1.0 c> P. (3x10) via@B2#3\n2.0 s> P. (2x10)\n")
    found, inputs = play(text)
    assert inputs == ["A=A.pcap", "B=B1.pcap", "B=B2.pcap"], inputs
    assert [len(found[f"{name}.pcap"]) for name in ("A", "B1", "B2")] == [5, 2, 3]


def one_direction_recorded():
    for only, sizes in (("in", [10, 10]), ("out", [20]), ("s2c", [20]), ("dns:c2s", [10, 10, 20])):
        found, _ = play(f"# claim\npoint A\npoint B only={only}\n" + FLOW + "1.0 c> P. (2x10)\n2.0 s> P. (20)\n")
        assert [len(p.payload) for p in found["B.pcap"]] == sizes, (only, found["B.pcap"])
        assert len(found["A.pcap"]) == 3


def checksums_are_right():
    text = "# claim\npoint A\npoint B\nflow u udp 10.0.0.1:1 > 10.0.0.2:2\nflow t tcp [fd00::1]:1 > [fd00::2]:2\n" \
           "flow p icmp6 fd00::1 > fd00::2\n1.0 u:c> (101)\n2.0 t:open\n2.5 t:c> P. (333)\n3.0 p:c> (56)\n"
    found, _ = play(text)
    assert [p.protocol for p in found["B.pcap"]] == [17, 6, 6, 6, 6, 58]
    assert all(p.sum_ok for p in found["A.pcap"] + found["B.pcap"])
    records, _ = play("# claim\npoint A partial\npoint B\n" + FLOW + "1.0 c> P. (10)\n1.1 s> P. (10)\n")
    assert [p.sum_ok for p in records["A.pcap"]] == [False, True] and all(p.sum_ok for p in records["B.pcap"])


def bytes_change_anywhere():
    text = "# claim\npoint A\npoint B\n" + FLOW.strip() + " acks=1\n1.0 c> P. (3x500) every=1ms {}\n"
    for fate, sums, acks in (("twist@B#2=300", [True] * 3, 3), ("flip@B#2=300", [True, False, True], 2),
                             ("sum@B#2", [True, False, True], 2), ("sum=partial", [False] * 3, 0)):
        found, _ = play(text.format(fate))
        sent, got = ([p for p in found[name] if p.payload] for name in ("A.pcap", "B.pcap"))
        differ = [[i for i in range(500) if a.payload[i] != b.payload[i]] for a, b in zip(sent, got)]
        assert differ == [[], [300] if "=300" in fate else [], []], (fate, differ)
        assert [p.sum_ok for p in got] == sums, fate
        assert sum(not p.payload for p in found["A.pcap"]) == acks, fate
    found, _ = play(text.format("flip@B#2=300 resend=5ms"))
    assert len([p for p in found["B.pcap"] if p.payload]) == 4


def tunnels():
    text = "# claim\npoint A vxlan=11 host=M file=M.pcap\npoint B vxlan=22 host=M file=M.pcap\n" + FLOW
    text += "1.0 c> P. (2x10) outer-sum@B#2\n"
    found, inputs = play(text)
    assert inputs == ["M=M.pcap"] and [p.outer for p in found["M.pcap"]] == ["left out", "left out", "left out", False]
    assert all(p.sum_ok for p in found["M.pcap"])


def third_parties():
    text = "# claim\npoint A\npoint B\n" + FLOW
    found, _ = play(text + "1.0 s> R. inject@A src@A=02:aa:00:00:00:01 mac@A=02:bb:00:00:00:01 ttl=250\n")
    p = found["A.pcap"][0]
    assert (p.src_mac, p.dst_mac, p.ttl) == ("02:aa:00:00:00:01", "02:bb:00:00:00:01", 250) and not found["B.pcap"]


def names_and_rotation():
    text = "# claim\npoint A unnamed file=a/dump.pcap\npoint B unnamed file=b/dump.pcap rotate=1.5s,2.5s\n" + FLOW
    found, inputs = play(text + "1.0 c> P. (10)\n2.0 c> P. (10)\n3.0 c> P. (10)\n")
    assert inputs == ["a/dump.pcap", "b/dump.pcap", "b/dump.pcap1", "b/dump.pcap2"], inputs
    assert [len(found[name]) for name in inputs] == [3, 1, 1, 1]
    found, inputs = play("# claim\npoint A copy=gzip zeros=100\npoint B copy=plain\n" + FLOW + "1.0 c> P. (10)\n")
    assert inputs == ["A=A.pcap", "A=A.pcap.gz", "B=B.pcap", "B=B.pcap.copy"] and found["A.pcap.gz"].endswith(bytes(100))
    assert len(found["A.pcap"]) == len(found["B.pcap.copy"]) == 1


def stamps_are_rounded():
    found, _ = play("# claim\npoint A unit=ms\npoint B\n" + FLOW + "1.0001 c> P. (3x10) every=100us\n")
    assert len({p.time for p in found["A.pcap"]}) == 1 and len({p.time for p in found["B.pcap"]}) == 3


def neighbours():
    text = "# claim\npoint A\npoint B\n" + FLOW + "1.0 c> P. (10)\n"
    found, _ = play(text + "2.0 arp request 10.0.0.1 for 10.0.0.9 seen=A,B\n"
                    "3.0 arp reply 10.0.0.9 for 10.0.0.1 seen=A mac=02:99:00:00:00:01\n")
    rows = [(p.seq, p.src_mac, p.dst_mac, p.src[3], p.dst[3]) for p in found["A.pcap"] if p.protocol == "arp"]
    assert rows == [(1, "02:00:00:00:00:01", "ff:ff:ff:ff:ff:ff", 1, 9),
                    (2, "02:99:00:00:00:01", "02:00:00:00:00:01", 9, 1)], rows
    assert len(found["B.pcap"]) == 2
    found, _ = play(text + "2.0 arp request fd00::1 for fd00::9 seen=A\n"
                    "2.1 arp reply fd00::9 for fd00::1 seen=A mac=02:99:00:00:00:01\n")
    rows = [(p.protocol, p.ttl, p.dst_mac, p.sum_ok) for p in found["A.pcap"][1:]]
    assert rows == [(58, 255, "33:33:ff:00:00:09", True), (58, 255, "02:00:00:00:00:01", True)], rows


def drops_by_interface():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "case.scn")
        with open(path, "w", encoding="utf-8") as file:
            file.write(TWO.format(" drops=0", " drops=7") + "1.0 c> P. (3x10)\n")
        write_all(World(Script(path)), folder)
        with open(os.path.join(folder, "B.pcap"), "rb") as file:
            data = file.read()
    at, drops = 0, {}
    while at < len(data):
        kind, size, interface = struct.unpack_from("<III", data, at)
        if kind == 5:
            drops[interface] = struct.unpack_from("<Q", data, data.index(struct.pack("<HH", 7, 8), at) + 4)[0]
        at += size
    assert drops == {0: 0, 1: 7}, drops


def nonsense_is_refused():
    for text in ("point C sideways", "point C host=A colour=red", "1.0 c> P. (10) dorp@B", "1.0 c> P. (10) colour=red",
                 "1.0 arp guess 10.0.0.1 for 10.0.0.2 seen=A", "1.0 arp request 10.0.0.1 for 10.0.0.2 seen=Z"):
        try:
            play("# claim\npoint A\npoint B\n" + FLOW + text + "\n")
        except (Wrong, KeyError, ValueError):
            continue
        raise AssertionError(f"'{text}' was taken")


def main():
    tests = [each for name, each in globals().items() if inspect.isfunction(each) and name != "main"
             and each.__module__ == __name__ and not inspect.signature(each).parameters]
    failed = 0
    for test in tests:
        try:
            test()
        except AssertionError as error:
            failed += 1
            print(f"not ok {test.__name__}: line {error.__traceback__.tb_next.tb_lineno}: {error}")
    print(f"{len(tests) - failed} passed, {failed} failed")
    sys.exit(bool(failed) or len(tests) < 15)


if __name__ == "__main__":
    main()
