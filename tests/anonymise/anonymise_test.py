#!/usr/bin/env python3
"""An anonymised pair of captures gets the answer of the plain one, and nothing in it leads back.
usage: anonymise_test.py BOTHENDS SOURCE_ROOT CASE...

The answers are compared as tests/relations compares them; which address became which is read off the frames.
"""
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "relations"))
import answer  # noqa: E402
import capture  # noqa: E402
import cases  # noqa: E402
import packets  # noqa: E402

KEY = b"a key of the test, not a secret"


def anonymise(bothends, key, path, out):
    done = subprocess.run([bothends, "anonymise", path, "-o", out, "--key", key], capture_output=True, text=True)
    assert done.returncode == 0, f"{path}: {done.stderr}"


def read(path):
    with open(path, "rb") as file:
        return file.read()


def pairs_of(link, old, new):
    """(address, address after) of the IP packets and ARP of a frame, those that ICMP errors quote as well."""
    before, after = packets.layout(link, old), packets.layout(link, new)
    while before:
        yield before.src, after.src
        yield before.dst, after.dst
        before, after = packets._quote(old, before), packets._quote(new, after)
    kind = packets.ethertype(link, old)
    if kind and kind[0] == packets.ARP and len(old) >= kind[1] + 28:
        for at in (kind[1] + 14, kind[1] + 24):
            yield old[at:at + 4], new[at:at + 4]


def macs_of(link, data):
    if link == capture.ETHERNET:
        yield from (data[0:6], data[6:12])
    kind = packets.ethertype(link, data)
    if kind and kind[0] == packets.ARP and len(data) >= kind[1] + 28:
        yield from (data[kind[1] + 8:kind[1] + 14], data[kind[1] + 18:kind[1] + 24])


def stays(raw):
    """Addresses of everybody."""
    if len(raw) == 6:
        return raw[0] & 1 or not any(raw) or raw[:5] == b"\0\0\x5e\0\1"
    if len(raw) == 4:
        return raw[0] in (0, 127, 255) or raw[:3] == b"\xe0\0\0"
    return raw[0] == 0 or raw[0] == 0xff


def common_bits(a, b):
    return len(a) * 8 - (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_length()


def check_frames(before, after):
    """Times, lengths and headers stay; payload does not. Returns what became what, and the MACs."""
    assert len(before.frames) == len(after.frames)
    became, macs = {}, set()
    for old, new in zip(before.frames, after.frames):
        link = before.interfaces[old.interface].link
        assert (old.time_ns, len(old.data), old.wire) == (new.time_ns, len(new.data), new.wire)
        was, now = packets.segment(link, old.data), packets.segment(link, new.data)
        if was:
            assert was[1:] == now[1:] and (was.key[1], was.key[3]) == (now.key[1], now.key[3])
        for a, b in pairs_of(link, old.data, new.data):
            assert became.setdefault(a, b) == b, "one address became two"
        macs |= set(macs_of(link, old.data))
    return became, macs


def check_prefixes(became):
    items = sorted(became.items())
    for a, after_a in items:
        for b, after_b in items:
            if len(a) == len(b):
                assert common_bits(a, b) == common_bits(after_a, after_b), (a, b)


def payloads(link, data):
    ip = packets.layout(link, data)
    if ip and ip.protocol == packets.TCP and ip.transport is not None and len(data) > ip.transport + 13:
        return data[ip.transport + (data[ip.transport + 12] >> 4) * 4:]
    return b""


def check_silence(before, raw, became, macs):
    """No address, MAC or payload of before lies in the bytes of raw."""
    for secret in [a for a in became if not stays(a)] + [m for m in macs if not stays(m)]:
        if became.get(secret) != secret:
            assert secret not in raw, secret.hex(":")
    for frame in before.frames:
        body = payloads(before.interfaces[frame.interface].link, frame.data)
        for at in range(0, len(body) - 15, 16):
            piece = body[at:at + 16]
            assert len(set(piece)) < 8 or piece not in raw, piece


def check_checksums(folder, paths):
    """What Wireshark says of IP and TCP checksums is the same before and after."""
    if not shutil.which("tshark"):
        return
    said = []
    for path in paths:
        done = subprocess.run(["tshark", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-o",
                               "udp.check_checksum:TRUE", "-T", "fields", "-e", "ip.checksum.status", "-e", "tcp.checksum.status",
                               "-e", "udp.checksum.status", "-e", "icmp.checksum.status", "-e", "icmpv6.checksum.status"],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
    for number, (old, new) in enumerate(zip(*said, strict=True), 1):
        assert old == new, f"{paths[0]}: frame {number}: checksums {old!r} became {new!r}"


OWNER, PEER = bytes((198, 51, 100, 77)), bytes((203, 0, 113, 99))
SECRETS = ("secret-comment", "secret-hardware", "secret-name", "secret-description", "secret-host", "secret.example",
           "SECRET_TLS_KEY", "secret-payload", "secretpw", "secret-unknown")


def hiding_places():
    """A capture with something to hide in every place that a file and its packets have for it."""
    option, block = capture._option, capture._block
    text = [name.encode() for name in SECRETS]

    def ip(protocol, body, options=b""):
        size = 20 + len(options)
        return bytes.fromhex("02aabbccddee02aabbccddff0800") + struct.pack(
            ">BBHHHBBH4s4s", 0x40 | size // 4, 0, size + len(body), 1, 0, 64, protocol, 0, OWNER, PEER) + options + body

    def tcp(options, body):
        return struct.pack(">HHIIBBHHH", 40000, 443, 1, 0, (5 + len(options) // 4) << 4, 2, 1000, 0, 0) + options + body

    quoted = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, PEER, OWNER) + tcp(b"", b"")
    frames = (
        ip(6, tcp(b"\x1e\x08" + b"\x30\x01" + OWNER, b"secret-payload " * 3)),               # MPTCP names an address
        ip(17, struct.pack(">HHHH", 53, 53, 30, 0) + b"secret.example" * 2, b"\x07\x0b\x08" + OWNER + PEER + b"\0"),
        ip(1, struct.pack(">BBHI", 5, 0, 0, 0)[:4] + OWNER + quoted + b"secret-payload"),
        ip(112, struct.pack(">BBBBBBH", 0x21, 1, 100, 1, 1, 1, 0) + OWNER + b"secretpw"),
        ip(2, b"\x16\0\0\0" + OWNER), ip(132, b"secret-unknown"), ip(47, b"\0\0\x88\x99secret-unknown"),
        bytes.fromhex("02aabbccddee02aabbccddff88cc") + b"secret-host" + OWNER,                       # LLDP
        bytes.fromhex("02aabbccddee02aabbccddff0026") + b"secret-host" + OWNER,                       # IEEE 802.3
        bytes.fromhex("02aabbccddee02aabbccddff0806000108000604000102aabbccddff") + OWNER + bytes(6) + PEER + b"secret-host")
    out = [block(capture.PCAPNG, struct.pack("<IHHq", 0x1a2b3c4d, 1, 0, -1) + option(1, text[0]) + option(2, text[1])
                 + option(4, text[9]) + option(0, b"")),
           block(1, struct.pack("<HHI", 1, 0, 0) + option(2, text[2]) + option(3, text[3]) + option(4, OWNER + b"\xff" * 4)
                 + option(6, bytes.fromhex("02aabbccddff")) + option(11, b"\0host secret.example") + option(0, b"")),
           block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"eth0") + option(11, b"\0tcp port 443 and net 198.51.100.0/24")
                 + option(0, b"")),
           block(4, struct.pack("<HH", 1, 16) + OWNER + b"secret-host\0" + struct.pack("<HH", 0, 0)),
           block(10, struct.pack("<II", 0x544c534b, 16) + b"SECRET_TLS_KEY\0\0"),
           block(0xbad, struct.pack("<I", 1) + b"secret-unknown  ")]
    hashes = [b"payload-hash c49bd630 %08x d08113b3" % (number // 2) for number in range(len(frames))]
    for data, digest in zip(frames, hashes, strict=True):
        out.append(block(capture.EPB, struct.pack("<IIIII", 0, 1, 1, len(data), len(data)) + data + b"\0" * (-len(data) % 4)
                         + option(1, text[0]) + option(1, digest) + option(0, b"")))
    return b"".join(out), len(frames)


def check_hidden(bothends, folder):
    path, out = f"{folder}/hiding.pcapng", f"{folder}/hidden.pcapng"
    given, count = hiding_places()
    with open(path, "wb") as file:
        file.write(given)
    for secret in [name.encode() for name in SECRETS] + [OWNER, PEER, bytes.fromhex("02aabbccddff")]:
        assert secret in given, secret
    anonymise(bothends, f"{folder}/key", path, out)
    raw = read(out)
    for secret in [name.encode() for name in SECRETS] + [OWNER, PEER, b"aabbccdd", bytes.fromhex("aabbccdd")]:
        assert secret not in raw, secret
    hashes = re.findall(rb"payload-hash ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8})", raw)
    assert len(hashes) == count and len({h[0] for h in hashes}) == len({h[2] for h in hashes}) == 1, hashes
    assert hashes[0] == hashes[1] != hashes[2] == hashes[3] and b"c49bd630" not in raw and b"d08113b3" not in raw, hashes
    after = capture.parse(raw)
    assert len(after.frames) == count and b"anonymised" in raw
    kept, network = after.interfaces[0], after.interfaces[1].option(capture.IF_FILTER)
    assert kept.option(capture.IF_FILTER) is None and after.interfaces[1].option(capture.IF_NAME) == b"eth0"
    assert re.fullmatch(rb"\0tcp port 443 and net [0-9]+\.[0-9]+\.[0-9]+\.0/24", network), network
    owner = packets.layout(1, after.frames[0].data).src
    assert kept.option(capture.IF_IPV4)[:4] == owner and network.split(b" ")[-1].startswith(
        b"%d.%d.%d." % tuple(owner[:3])), "the filter's network is that of the packets"


def check_case(bothends, root, name, folder):
    case, key = cases.load(name), f"{folder}/key"
    with open(key, "wb") as file:
        file.write(KEY)
    became, plain, shared = {}, [], []
    given_files = [i["file"] for i, given in zip(case.truth["inputs"], case.inputs) if given.capture]
    for number, given in enumerate(i for i in case.inputs if i.capture):
        path, out = f"{folder}/{number}.plain.pcapng", f"{folder}/{number}.pcapng"
        original = os.path.join(os.path.dirname(cases.places()[name]), given_files[number])
        with open(path, "wb") as file:
            file.write(capture.serialise(given.capture))  # without the agent's facts
        anonymise(bothends, key, original, out)
        raw = read(out)
        after = capture.parse(raw)
        map_, macs = check_frames(given.capture, after)
        for a, b in map_.items():
            assert became.setdefault(a, b) == b, "the other end has another address"
        check_silence(given.capture, raw, map_, macs)
        check_checksums(folder, (path, out))
        again = f"{folder}/again.pcapng"
        anonymise(bothends, key, original, again)
        assert read(again) == raw
        os.remove(again)
        plain.append(f"{given.host}={path}")
        shared.append(f"{given.host}={out}")
    check_prefixes(became)
    back = {packets.text(b): packets.text(a) for a, b in became.items()}
    before, after = f"{folder}/before.db", f"{folder}/after.db"
    answer.run(bothends, plain, [], before)
    answer.run(bothends, shared, [], after)
    naming = answer.Naming(address=lambda text: back.get(text, text))
    differences = answer.compare(answer.read(before), answer.read(after, naming))
    assert not differences, "\n".join(f"{name}: {d.kind}: {d.text}: {d.before} / {d.after}" for d in differences)
    return len(became)


def check_refusals(bothends, folder):
    """Mistakes are named, and nothing is written."""
    short, capture_, out = f"{folder}/short", f"{folder}/x.pcap", f"{folder}/x.out"
    with open(short, "wb") as file:
        file.write(b"12345")
    with open(capture_, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 239) + struct.pack("<IIII", 1, 0, 4, 4) + b"abcd")
    for key, says in ((short, "shorter than 16 bytes"), (f"{folder}/none", "cannot open"), (f"{folder}/key", "link type 239")):
        done = subprocess.run([bothends, "anonymise", capture_, "-o", out, "--key", key], capture_output=True, text=True)
        assert done.returncode == 2 and says in done.stderr, done.stderr
        assert not os.path.exists(out)


def main():
    bothends, root, *names = sys.argv[1:]
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{name}: {check_case(bothends, root, name, folder)} addresses")
            check_refusals(bothends, folder)
            check_hidden(bothends, folder)


main()
