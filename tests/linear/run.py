#!/usr/bin/env python3
"""Is work linear in the input, whatever a stranger sends?

    run.py BOTHENDS TABLES [CASE ...]

Counts the instructions of N, 2N and 4N (valgrind, tool callgrind) and compares what the second
doubling added with what the first one did: twice as much is linear, four times quadratic. No clock
is read, so a loaded machine changes nothing. Without valgrind it is skipped.
"""

import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

# Tables double in steps, and logarithms grow: linear work adds 2.0 to 2.3 times as much.
MOST = 2.7
SYN, ACK, PSH = 2, 16, 8


def address(number):
    return struct.pack('>I', number)


def checksum(data):
    total = sum(struct.unpack(f'>{len(data) // 2}H', data))
    total = (total & 0xffff) + (total >> 16)
    return 0xffff - ((total & 0xffff) + (total >> 16))


def segment(src, dst, sport, dport, seq, ack, flags, ip_id, payload=b''):
    """Ethernet, IPv4, TCP."""
    ip = bytearray(struct.pack('>BBHHHBBH4s4s', 0x45, 0, 40 + len(payload), ip_id & 0xffff, 0x4000, 64, 6, 0,
                               address(src), address(dst)))
    ip[10:12] = struct.pack('>H', checksum(bytes(ip)))
    tcp = struct.pack('>HHIIBBHHH', sport, dport, seq, ack, 0x50, flags, 65535, 0, 0)
    return bytes.fromhex('02000000000102000000000a0800') + bytes(ip) + tcp + payload


class Pair:
    """Two captures, a and b, of which b gets what is not lost, under other addresses where there is a translator."""

    def __init__(self, folder):
        self.files = [open(folder / f'{name}.pcap', 'wb') for name in 'ab']
        self.now_us = 1767225600 * 1000000
        for f in self.files:
            f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1))

    def put(self, at, frame, delay_us=0):
        t = self.now_us + delay_us
        self.files[at].write(struct.pack('<IIII', t // 1000000 & 0xffffffff, t % 1000000, len(frame), len(frame)) + frame)

    def both(self, frame, arrives=True):
        self.put(0, frame)
        if arrives:
            self.put(1, frame, 150)

    def close(self):
        for f in self.files:
            f.close()


def equal_isn(pair, n, _):
    """Connections behind a translator that all begin with one number."""
    for i in range(n):
        pair.now_us += 1000
        for at, (src, dst, port) in enumerate([(0x0b000000 + i, 0x0a000001, 1024 + i % 60000),
                                               (0x0d000000 + i, 0x0e000001, 1024 + i * 7 % 60000)]):
            pair.put(at, segment(src, dst, port, 80, 12345, 0, SYN, 1), at * 100)


def flood(pair, n, chance):
    """SYNs of made-up addresses, none of which is answered."""
    for i in range(n):
        pair.now_us += 10
        pair.both(segment(0x0b000000 + chance.getrandbits(24), 0x0a000001, chance.randrange(1024, 61024), 80,
                          chance.getrandbits(32), 0, SYN, i), chance.random() > 0.01)


def hosts(pair, n, chance):
    """One connection of each of very many hosts."""
    for i in range(n):
        pair.now_us += 10
        host, c, s = 0x0c000000 + i, chance.getrandbits(32), chance.getrandbits(32)
        more = (c + 1) & 0xffffffff
        pair.both(segment(host, 0x0a000001, 40000, 80, c, 0, SYN, i), chance.random() > 0.01)
        pair.both(segment(0x0a000001, host, 80, 40000, s, more, SYN | ACK, i))
        pair.both(segment(host, 0x0a000001, 40000, 80, more, (s + 1) & 0xffffffff, ACK | PSH, i + 1, bytes(50)))


def handshake(pair):
    pair.both(segment(1, 2, 40000, 80, 1000, 0, SYN, 1))
    pair.both(segment(2, 1, 80, 40000, 5000, 1001, SYN | ACK, 1))


def one_range(pair, n, chance):
    """The same bytes sent again and again, each time with another identification, and acknowledged once."""
    handshake(pair)
    for i in range(n):
        pair.now_us += 10
        pair.both(segment(1, 2, 40000, 80, 1001, 5001, ACK | PSH, i, bytes(100)), chance.random() > 0.1)
    pair.both(segment(2, 1, 80, 40000, 5001, 1101, ACK, 2))


def keep_alives(pair, n, chance):
    """One byte before what was acknowledged, each answered."""
    handshake(pair)
    for i in range(n):
        pair.now_us += 1000000
        pair.both(segment(1, 2, 40000, 80, 1000, 5001, ACK, i, bytes(1)), chance.random() > 0.01)
        pair.both(segment(2, 1, 80, 40000, 5001, 1001, ACK, i))


def doubled(pair, n, _):
    """One segment that arrives far more often than it was sent."""
    handshake(pair)
    again = segment(1, 2, 40000, 80, 1001, 5001, ACK | PSH, 7, bytes(100))
    for i in range(n):
        pair.now_us += 2000
        if i % 2:
            pair.put(0, again)
        pair.put(1, again, 150)
        pair.put(1, again, 1150)


def stamps(pair, n, chance):
    """A clock that says anything."""
    handshake(pair)
    for i in range(n):
        pair.now_us = chance.getrandbits(32) * 1000000
        pair.both(segment(1, 2, 40000, 80, 1001 + i * 100, 5001, ACK | PSH, i, bytes(100)), chance.random() > 0.1)


# case: what makes the captures, N
CAPTURES = {
    'equal-isn': (equal_isn, 500),
    'flood': (flood, 500),
    'hosts': (hosts, 250),
    'one-range': (one_range, 1000),
    'keep-alives': (keep_alives, 500),
    'doubled': (doubled, 500),
    'stamps': (stamps, 1000),
}
TABLES = {'equal-keys': 5000, 'far-keys': 5000, 'counting-keys': 5000}


def instructions(argv):
    run = subprocess.run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', *map(str, argv)],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    found = re.search(r'Collected : (\d+)', run.stderr)
    # 1: there are findings
    if run.returncode > 1 or not found:
        sys.exit(f'{" ".join(map(str, argv))}: status {run.returncode}\n{run.stderr[-1000:]}')
    return int(found[1])


def analyze(bothends, make, n):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pair = Pair(folder)
        make(pair, n, random.Random(n))
        pair.close()
        return instructions([bothends, 'analyze', '--quiet', '--confine=no', '--threads', '1', f'a={folder}/a.pcap', f'b={folder}/b.pcap',
                             '-o', folder / 'out.db'])


def is_linear(name, n, count):
    counts = [count(n), count(2 * n), count(4 * n)]
    growth = (counts[2] - counts[1]) / max(1, counts[1] - counts[0])
    print(f'{name}: {growth:.2f} times as much for twice as many; {counts[2] / 1e6:.1f} million instructions for {4 * n}')
    return growth <= MOST


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    bothends, tables, wanted = sys.argv[1], sys.argv[2], sys.argv[3:]
    if not shutil.which('valgrind'):
        print('skipped: valgrind is not installed, nothing counts instructions')
        return 77
    linear = [is_linear(name, n, lambda k, name=name: instructions([tables, name, k]))
              for name, n in TABLES.items() if not wanted or name in wanted]
    linear += [is_linear(name, n, lambda k, make=make: analyze(bothends, make, k))
               for name, (make, n) in CAPTURES.items() if not wanted or name in wanted]
    assert linear, 'no such case'
    return 0 if all(linear) else 1


if __name__ == '__main__':
    sys.exit(main())
