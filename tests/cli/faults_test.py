#!/usr/bin/env python3
"""Runs that are killed, that meet another one, or whose database others use.

    faults_test.py BOTHENDS
"""

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BOTHENDS = sys.argv[1]
LOG = 'version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n' \
      '2 123456789012 eni-1 10.0.0.1 10.0.0.2 4000 {port} 6 5 500 1767225600 1767225660 ACCEPT OK\n'


def capture(address):
    """Two requests that nobody answers."""
    frames = b''.join(
        struct.pack('<IIII', 1767225600 + i, 0, 42, 42) + bytes.fromhex('02000000000202000000000108060001080006040001020000000001')
        + bytes([10, 0, 0, address]) + bytes(6) + bytes([10, 0, 0, 9]) for i in range(2))
    return struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) + frames


def bothends(*argv, **more):
    return subprocess.run([BOTHENDS, *map(str, argv)], capture_output=True, text=True, timeout=300, **more)


def strays(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.startswith('out.db.'))


def wait_for(what):
    for _ in range(3000):
        if what():
            return
        time.sleep(0.01)
    raise AssertionError('waited in vain')


def default_signals():
    """What a parent ignores (nohup, a shell's background) its children ignore."""
    for number in (signal.SIGQUIT, signal.SIGXCPU, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)


class Slow:
    """A run that waits for the rest of one capture; its database is begun."""

    def __init__(self, folder):
        (folder / 'a.pcap').write_bytes(capture(1))
        self.run = subprocess.Popen([BOTHENDS, 'analyze', '-q', '-o', folder / 'out.db', f'a={folder}/a.pcap', 'b=-'],
                                    stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=default_signals)
        self.rest = capture(2)
        self.run.stdin.write(self.rest[:-1])
        self.run.stdin.flush()
        wait_for(lambda: strays(folder))

    def finish(self):
        said = self.run.communicate(self.rest[-1:])[1].decode()
        return self.run.returncode, said


def analyze(folder, *more):
    for number, name in enumerate('ab', 1):
        (folder / f'{name}.pcap').write_bytes(capture(number))
    return bothends('analyze', '-q', '-o', folder / 'out.db', f'a={folder}/a.pcap', f'b={folder}/b.pcap', *more)


def killed(folder):
    """What a killed run left goes when it is old and nobody holds it; signals leave nothing."""
    slow = Slow(folder)
    slow.run.kill()
    slow.run.wait()
    left, = strays(folder)
    assert analyze(folder).returncode <= 1
    assert strays(folder) == [left], 'it may be of a run that still goes on'
    os.utime(folder / left, (0, 0))
    other = folder / 'out.db.abcdef'
    other.write_text('somebody else made this')
    os.utime(other, (0, 0))
    assert analyze(folder, '--force').returncode <= 1
    assert strays(folder) == ['out.db.abcdef'], strays(folder)
    other.unlink()
    for number in (signal.SIGQUIT, signal.SIGXCPU, signal.SIGTERM):
        shutil.rmtree(folder)
        folder.mkdir()
        living = Slow(folder)
        living.run.send_signal(number)
        living.run.wait()
        assert not strays(folder), number


def locked(folder):
    """However old, what a living run writes stays."""
    slow = Slow(folder)
    name, = strays(folder)
    os.utime(folder / name, (0, 0))
    assert analyze(folder).returncode <= 1
    assert strays(folder) == [name]
    slow.finish()


def second(folder):
    """Of two runs to one output the second to end is refused, unless --force."""
    slow = Slow(folder)
    assert analyze(folder).returncode <= 1
    before = (folder / 'out.db').stat()
    status, said = slow.finish()
    assert status == 2 and 'made by another run' in said, (status, said)
    assert (folder / 'out.db').stat().st_ino == before.st_ino and not strays(folder)


def readers(folder):
    """Who reads and who adds wait for each other; neither fails."""
    out = folder / 'out.db'
    for port in (80, 81):
        (folder / f'{port}.log').write_text(LOG.format(port=port))
    assert bothends('analyze', '-q', '-o', out, folder / '80.log').returncode <= 1
    reader = sqlite3.connect(out)
    reader.execute('BEGIN')
    assert reader.execute('SELECT count(*) FROM log_file').fetchone() == (1,)
    run = subprocess.Popen([BOTHENDS, 'analyze', '-q', '--since', 'last', '-o', out, folder / '80.log', folder / '81.log'])
    report = subprocess.Popen([BOTHENDS, 'report', out], stdout=subprocess.DEVNULL)
    time.sleep(3)
    reader.close()
    assert report.wait(60) <= 1
    assert run.wait(60) <= 1
    assert sqlite3.connect(out).execute('SELECT count(*) FROM log_file').fetchone() == (2,)
    assert [p.name for p in folder.iterdir() if p.name.startswith('out.db')] == ['out.db']


def in_use(folder):
    """Locked, and changed by halves: neither is called none of ours."""
    out = folder / 'out.db'
    assert analyze(folder).returncode <= 1
    writer = sqlite3.connect(out, isolation_level=None)
    writer.execute('PRAGMA cache_size = 1')
    writer.execute('BEGIN EXCLUSIVE')
    said = bothends('report', out).stderr
    assert 'is in use' in said and 'not a bothends' not in said, said
    for _ in range(30):
        writer.execute("INSERT INTO kernel_log (host_id, at_ns, level, message) VALUES (1, 1, 1, hex(zeroblob(4000)))")
    journal = folder / 'out.db-journal'
    wait_for(lambda: journal.exists() and journal.stat().st_size)
    half = folder / 'half'
    half.mkdir()
    for name in ('out.db', 'out.db-journal'):
        shutil.copy(folder / name, half / name)
    writer.execute('ROLLBACK')
    said = bothends('report', half / 'out.db').stderr
    assert 'interrupted' in said and 'not a bothends' not in said, said
    assert bothends('judge', half / 'out.db').returncode == 0
    assert bothends('report', half / 'out.db').returncode <= 1
    (folder / 'text').write_text('no database')
    assert 'not a bothends database' in bothends('report', folder / 'text').stderr


for case in (killed, locked, second, readers, in_use):
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / 'run'
        place.mkdir()
        case(place)
    print('ok', case.__name__)
