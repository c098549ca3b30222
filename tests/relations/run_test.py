#!/usr/bin/env python3
"""The comparison must be able to fail: run_test.py BOTHENDS.

Programs that lie are run in the program's place. Each does what the program does and then alters the answer to every
input that is not the unchanged one; each must be caught, in the class that fits. The program itself must pass where
the lies are told. What the changes make of bytes is held against the checksums and the formats."""
import os
import struct
import subprocess
import sys
import tempfile
from dataclasses import replace

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import capture
import cases
import frames as wire
import packets
import of_frames

LIAR = """#!/usr/bin/env python3
import sqlite3, subprocess, sys
done = subprocess.run([{bothends!r}, *sys.argv[1:]])
if done.returncode > 1:
    sys.exit(done.returncode)
output = sys.argv[sys.argv.index("-o") + 1]
if "/changed/" in output:
    db = sqlite3.connect(output)
    db.executescript({sql!r})
    db.commit()
    sys.exit({status})
"""
FINDING = ("INSERT INTO finding (id, kind, severity, confidence, from_vantage_id, to_vantage_id, src_ip, count, summary)"
           " VALUES (999, '{}', '{}', 1, 1, 2, '10.1.0.10', 5, 'a lie');")
ONE_LOST = "UPDATE path SET lost = lost + 1, delivered = delivered - 1 WHERE flow_id = 3 AND direction = 's2c' AND leg = 0;"
# relation, case, SQL, exit status, the class that must catch it
LIES = [
    ("threads-2", "no-loss", FINDING.format("mac-mismatch", "critical"), 0, "false-critical"),
    ("hosts-renamed", "no-loss", FINDING.format("reordering", "warning"), 0, "false-warning"),
    ("to-pcapng", "no-loss", FINDING.format("reordering", "notice"), 0, "changed"),
    ("cut-last-third", "no-loss:server.pcap", FINDING.format("symmetric-loss", "critical"), 0, "false-critical"),
    ("deleted-3", "no-loss:server.pcap", ONE_LOST, 0, "more-lost"),
    ("compressed-zstd", "loss-2pct-s2c", ONE_LOST, 0, "more-lost"),
    ("snap-54", "loss-2pct-s2c", "DELETE FROM finding WHERE kind = 'asymmetric-loss';", 0, "right-finding-lost"),
    ("rotated", "loss-2pct-s2c", "UPDATE finding SET count = count + 1 WHERE kind = 'asymmetric-loss';", 0, "changed"),
    ("rotated", "loss-2pct-s2c", "UPDATE finding SET severity = 'critical' WHERE kind = 'asymmetric-loss';", 0,
     "false-critical"),
    ("stamps-us", "loss-2pct-s2c:client.pcap", "UPDATE path SET reordered = 1 WHERE flow_id = 1;", 0, "changed"),
    ("clock-hour-late", "no-loss:client", FINDING.format("clock-step", "notice"), 0, "changed"),
    ("addresses-anonymised", "loss-2pct-s2c", "UPDATE finding SET src_ip = '10.1.0.10' WHERE kind = 'asymmetric-loss';", 0,
     "changed"),
    ("third-tap-last", "loss-2pct-s2c:client.pcap", ONE_LOST, 0, "more-lost"),
    ("filtered-to-port", "loss-2pct-s2c", "DELETE FROM path;", 0, "changed"),
    ("memory-small", "no-loss", "DROP TABLE path;", 0, "changed"),
    ("memory-small", "no-loss", "", 2, "changed"),
]


def run(program, relation, case):
    return subprocess.run([sys.executable, os.path.join(HERE, "run.py"), program, "--jobs", "1", "--relation", relation,
                           "--case", case], capture_output=True, text=True, check=False)


def believed(bothends, folder):
    """Lies that were not caught, and truths that were not believed."""
    wrong = []
    for number, (relation, case, sql, status, kind) in enumerate(LIES):
        program = os.path.join(folder, f"liar{number}")
        with open(program, "w", encoding="utf-8") as file:
            file.write(LIAR.format(bothends=bothends, sql=sql, status=status))
        os.chmod(program, 0o755)
        done = run(program, relation, case)
        if done.returncode != 1 or f"not ok {relation} {case}: {kind}: " not in done.stdout:
            wrong.append(f"{relation} {case}: {sql or f'status {status}'}: wanted {kind}, got\n{done.stdout}{done.stderr}")
        if f"\n{kind}: 1\n" not in done.stdout:
            wrong.append(f"{relation} {case}: the summary does not count one {kind}")
    for relation, case in sorted({lie[:2] for lie in LIES}):
        done = run(bothends, relation, case)
        if done.returncode != 0 or f"ok {relation} {case}\n" not in done.stdout:
            wrong.append(f"{relation} {case}: the program itself fails:\n{done.stdout}{done.stderr}")
    if run(bothends, "to-pcap", "no-loss").returncode != 1:
        wrong.append("a run in which nothing was fit passes")
    return wrong


# --- bytes ---

def checksums_hold(link, data):
    """Whether all checksums of a whole frame are right; None: it has none that can be checked."""
    ip = packets.layout(link, data)
    if not ip or ip.transport is None or ip.protocol not in (6, 17, 1, 58):
        return None
    end = ip.ip + (struct.unpack_from("!H", data, ip.ip + 2)[0] if ip.ethertype == packets.IPV4
                   else 40 + struct.unpack_from("!H", data, ip.ip + 4)[0])
    if end > len(data) or ip.protocol == 17 and data[ip.transport + 6:ip.transport + 8] == b"\0\0":
        return None
    head = ip.ethertype == packets.IPV6 or wire.checksum(data[ip.ip:ip.transport]) == 0
    size = end - ip.transport
    pseudo = b"" if ip.protocol == 1 else ip.src + ip.dst + struct.pack("!II", size, ip.protocol)
    return head and wire.checksum(pseudo + data[ip.transport:end]) == 0


def frames_of(name):
    case = cases.load(name)
    return [(n, c.capture.link, f.data) for n, c in enumerate(case.inputs) if c.capture for f in c.capture.frames]


def bytes_wrong():
    """Rewritten frames keep right checksums right, quoted packets follow, and the permutations undo themselves."""
    wrong, checked = [], 0
    for name in ("loss-2pct-s2c", "loss-2pct-s2c-ipv6", "pmtu-blackhole", "vrrp-lost", "zero-window"):
        case = cases.load(name)
        for change in ({"address": of_frames._address}, {"mac": of_frames._mac}, {"port": of_frames._mirror}):
            rewriter = packets.Rewriter(**change)
            for n, link, data in frames_of(name):
                new = rewriter.frame(link, data)
                if checksums_hold(link, data):
                    checked += 1
                    if checksums_hold(link, new) is not True:
                        wrong.append(f"{name} input {n}: a checksum breaks under {list(change)}")
                if rewriter.frame(link, new) != data:
                    wrong.append(f"{name} input {n}: {list(change)} does not undo itself")
        for i in case.inputs:
            if i.capture:
                for form in ("pcap", "pcapng"):
                    again = capture.parse(capture.serialise(replace(i.capture, format=form)))
                    if again.frames != i.capture.frames:
                        wrong.append(f"{name} {i.file}: frames change on the way through {form}")
    quoting = [new for _, link, data in frames_of("pmtu-blackhole") for new in [packets.Rewriter(
        address=of_frames._address).frame(link, data)] if packets._quote(data, packets.layout(link, data) or packets.Layout(
            0, 0, 0, b"", b"", None))]
    for new in quoting:
        ip = packets.layout(1, new)
        if packets._quote(new, ip).src not in (ip.dst,):
            wrong.append("the packet that an ICMP error quotes does not follow")
    if checked < 500:
        wrong.append(f"only {checked} checksums were looked at")
    return sorted(set(wrong))


def main():
    with tempfile.TemporaryDirectory() as folder:
        wrong = bytes_wrong() + believed(os.path.abspath(sys.argv[1]), folder)
    print("\n".join(wrong) or f"{len(LIES)} lies, all caught")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
