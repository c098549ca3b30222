#!/usr/bin/env python3
"""Does --memory bound what the program holds, whatever a stranger sends?

    memory.py BOTHENDS

Analyzes each input at two sizes under one --memory and reads the most anonymous memory that was
resident (what the output's own file pages take is not counted).
"""

import random
import re
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import Pair, flood

MEMORY = 64
# What any run takes: the program, SQLite's cache and pages of tables.
ANY_RUN = 48


def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack('<II', kind, len(body) + 12) + body + struct.pack('<I', len(body) + 12)


def interfaces(folder, n):
    """Two pcapng files in which every frame is of an interface of its own."""
    pair = Pair(folder)
    flood(pair, n, random.Random(n))
    pair.close()
    for name in 'ab':
        frames = (folder / f'{name}.pcap').read_bytes()[24:]
        with open(folder / f'{name}.pcapng', 'wb') as out:
            out.write(block(0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 1, 0, -1)))
            number = 0
            while frames:
                s, us, size = struct.unpack_from('<III', frames)
                stamp = s * 1000000 + us
                out.write(block(1, struct.pack('<HHI', 1, 0, 0)))
                out.write(block(6, struct.pack('<IIIII', number, stamp >> 32, stamp & 0xffffffff, size, size)
                                + frames[16:16 + size]))
                frames = frames[16 + size:]
                number += 1
    return [f'{name}={folder}/{name}.pcapng' for name in 'ab']


def one_flood(folder, n):
    """SYNs, each from another address."""
    pair = Pair(folder)
    flood(pair, n, random.Random(n))
    pair.close()
    return [f'{name}={folder}/{name}.pcap' for name in 'ab']


def files(folder, n):
    """Very many small captures, each of a host of its own."""
    made = []
    for i in range(n // 2):
        (folder / str(i)).mkdir()
        pair = Pair(folder / str(i))
        pair.now_us += i * 1000
        flood(pair, 3, random.Random(i))
        pair.close()
        made += [f'h{i}{name}={folder}/{i}/{name}.pcap' for name in 'ab']
    return made


INPUTS = {'interfaces': (interfaces, 1000), 'flood': (one_flood, 30000), 'files': (files, 100)}


def peak(argv):
    """MB of anonymous memory, at most, and the status."""
    most = 0
    run = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while run.poll() is None:
        try:
            found = re.search(r'RssAnon:\s+(\d+)', Path(f'/proc/{run.pid}/status').read_text())
        except OSError:
            break
        most = max(most, int(found[1]) // 1024 if found else 0)
        time.sleep(0.01)
    said = run.communicate()[1]
    if run.returncode > 1:
        sys.exit(f'{argv[:4]}: status {run.returncode}\n{said[-1000:]}')
    return most


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    good = True
    for name, (make, n) in INPUTS.items():
        for size in (n, 3 * n):
            with tempfile.TemporaryDirectory() as folder:
                inputs = make(Path(folder), size)
                mb = peak([sys.argv[1], 'analyze', '--quiet', '--memory', f'{MEMORY}M', *inputs,
                           '-o', f'{folder}/out.db'])
            print(f'{name} {size}: {mb} MB of {MEMORY}')
            good &= mb <= MEMORY + ANY_RUN
    return 0 if good else 1


if __name__ == '__main__':
    sys.exit(main())
