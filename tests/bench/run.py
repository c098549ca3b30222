#!/usr/bin/env python3
"""Measures bothends beside what people use, on captures that it makes itself.

All contenders of a set run in turn, several rounds after one that is not counted, in one run; the table
shows medians. Counts are checked against what was lost. Needs as much disk as the largest sets asked for,
and removes what it made at the end unless --keep is given.
"""

import argparse
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

MILLION = 1000000
HERE = Path(__file__).resolve().parent

# name: (arguments of the generator, contenders, bytes on disk of both files, most rounds)
SETS = {
    # Real TCP stacks in network namespaces (kernel.py); the others are generate.c's.
    'kernel': (['1000000'], ['bothends', 'one-thread', 'records', 'capinfos', 'tcptrace', 'tshark'], 210e6, 9),
    '1m': (['-p', '1000000', '-c', '6820'],
           ['bothends', 'one-thread', 'cat', 'headers', 'records', 'capinfos', 'tcptrace', 'judge', 'tshark'], 210e6, 9),
    'ref': (['-p', '5570000', '-c', '38000'],
            ['bothends', 'one-thread', 'cat', 'headers', 'records', 'capinfos', 'tcptrace', 'judge'], 1.2e9, 9),
    '10m': (['-p', '10000000', '-c', '68200'], ['bothends', 'records'], 2.1e9, 5),
    'flows': (['-p', '5570000', '-c', '380000'], ['bothends', 'one-thread', 'records', 'judge'], 1.2e9, 9),
    'million-flows': (['-p', '10000000', '-c', '1000000', '-l', '0.005'], ['bothends', 'judge'], 2.1e9, 3),
    'full': (['-p', '1000000', '-c', '6820', '-s', '262144', '-n'],
             ['bothends', 'cat', 'headers', 'records'], 2.1e9, 9),
    '50m': (['-p', '50000000', '-c', '341000'], ['bothends', 'memory-256M', 'headers'], 10.5e9, 3),
}

# Sets that are compared with each other are measured in turn, as contenders are.
TOGETHER = [('kernel',), ('1m', '10m'), ('ref', 'flows'), ('million-flows',), ('full',), ('50m',)]

# What a contender writes; gone before each run, as it is for who runs it first.
OUTPUT = {'bothends': 'incident.db', 'one-thread': 'one.db', 'memory-256M': 'small.db'}

TITLES = {
    'bothends': 'bothends analyze', 'one-thread': 'bothends analyze --threads 1',
    'memory-256M': 'bothends analyze --memory 256M', 'judge': 'bothends judge',
    'cat': 'cat both files', 'headers': 'walk over record headers', 'records': 'parse, hash, 40-byte record; 2 threads',
    'capinfos': 'capinfos', 'tcptrace': 'tcptrace', 'tshark': 'tshark -T fields, join in SQLite',
}

FIELDS = ['frame.number', 'frame.time_epoch', 'ip.src', 'tcp.srcport', 'ip.dst', 'tcp.dstport', 'tcp.seq_raw',
          'tcp.ack_raw', 'tcp.len', 'tcp.flags']

JOIN = '''
.mode tabs
CREATE TABLE a (frame INTEGER, at REAL, src, sport INTEGER, dst, dport INTEGER, seq INTEGER, ack INTEGER,
    len INTEGER, flags);
CREATE TABLE b (frame INTEGER, at REAL, src, sport INTEGER, dst, dport INTEGER, seq INTEGER, ack INTEGER,
    len INTEGER, flags);
.import a.tsv a
.import b.tsv b
CREATE INDEX a_key ON a(src, sport, dst, dport, seq, len);
CREATE INDEX b_key ON b(src, sport, dst, dport, seq, len);
SELECT count(*) FROM a WHERE src = '10.0.1.90' AND NOT EXISTS (SELECT 1 FROM b WHERE b.src = a.src
    AND b.sport = a.sport AND b.dst = a.dst AND b.dport = a.dport AND b.seq = a.seq AND b.len = a.len);
SELECT count(*) FROM b WHERE src = '10.0.2.20' AND NOT EXISTS (SELECT 1 FROM a WHERE a.src = b.src
    AND a.sport = b.sport AND a.dst = b.dst AND a.dport = b.dport AND a.seq = b.seq AND a.len = b.len);
'''


def prefer(pid, nice):
    """Among all of the machine's programs: where sessions are scheduled as groups, the group too."""
    os.setpriority(os.PRIO_PROCESS, pid, nice)
    try:
        Path(f'/proc/{pid}/autogroup').write_text(str(nice))
    except OSError:
        pass  # the kernel has no such groups


class Program:
    """One run of a program: time and processor time, or memory: to look at that takes time from one that uses all cores."""

    def __init__(self, argv, cwd, nice, memory):
        start = time.monotonic()
        self.child = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                      stderr=subprocess.PIPE, start_new_session=True)
        if nice:
            prefer(self.child.pid, nice)
        self.anonymous = self.file = 0
        sampler = threading.Thread(target=self.sample, daemon=True) if memory else None
        if sampler:
            sampler.start()
        message = self.child.stderr.read()
        _, status, usage = os.wait4(self.child.pid, 0)
        self.wall = time.monotonic() - start
        self.child.returncode = os.waitstatus_to_exitcode(status)
        if sampler:
            sampler.join()
        self.cpu = usage.ru_utime + usage.ru_stime
        self.peak = usage.ru_maxrss * 1024
        if self.child.returncode:
            sys.exit(f'{argv[0]} failed with {self.child.returncode}: {message.decode(errors="replace")[-400:]}')

    def sample(self):
        """Peaks of anonymous and of file-backed pages; the process may go at any time."""
        try:
            with open(f'/proc/{self.child.pid}/status', 'rb', buffering=0) as status:
                while self.child.returncode is None:
                    status.seek(0)
                    for line in status.read(4096).splitlines():
                        if line.startswith(b'RssAnon:'):
                            self.anonymous = max(self.anonymous, int(line.split()[1]) * 1024)
                        elif line.startswith(b'RssFile:'):
                            self.file = max(self.file, int(line.split()[1]) * 1024)
                    time.sleep(0.003)
        except (OSError, ProcessLookupError):
            pass


class Bench:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.tools = options.build / 'tests' / 'bench'
        self.bothends = options.build / 'analyzer' / 'bothends'
        self.results = {}
        self.truth = {}
        self.wrong = []  # counts that are not the truth

    def make(self, name):
        """The pair of captures of a set, unless it is there."""
        arguments, _, size, _ = SETS[name]
        place = self.folder / name
        place.mkdir(exist_ok=True)
        if not (place / 'truth.json').exists():
            free = shutil.disk_usage(place).free
            if free < size * 1.3 + 1e9:
                sys.exit(f'{name} needs {size * 1.3 / 1e9:.1f} GB in {place}, {free / 1e9:.1f} GB are free')
            if name == 'kernel':
                subprocess.run([HERE / 'kernel.py', *arguments, place], check=True)
            else:
                truth = subprocess.run([self.tools / 'bench_generate', *arguments, 'a.pcap', 'b.pcap'], cwd=place,
                                       stdout=subprocess.PIPE, check=True).stdout
                (place / 'truth.json').write_bytes(truth)
        self.truth[name] = json.loads((place / 'truth.json').read_text())
        return place

    @staticmethod
    def settle(place):
        """Brings the pair into the page cache anew. Files that have lain there for hours may be in small pieces: the same
        pair then took 0.13 s to copy out instead of 0.05 s."""
        for name in ('a.pcap', 'b.pcap'):
            with open(place / name, 'rb', buffering=0) as file:
                os.fsync(file.fileno())
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                while file.read(1 << 20):
                    pass

    def command(self, contender):
        analyze = [self.bothends, 'analyze', 'a=a.pcap', 'b=b.pcap', '--progress', 'never', '-o']
        tshark = ' '.join(f'-e {f}' for f in FIELDS)
        return {
            'bothends': [*analyze, OUTPUT['bothends']],
            'one-thread': [*analyze, OUTPUT['one-thread'], '--threads', '1'],
            'memory-256M': [*analyze, OUTPUT['memory-256M'], '--memory', '256M'],
            'judge': [self.bothends, 'judge', 'judge.db'],
            'cat': ['sh', '-c', 'cat a.pcap b.pcap > /dev/null'],
            'headers': [self.tools / 'bench_walk', 'headers', 'a.pcap', 'b.pcap'],
            'records': [self.tools / 'bench_walk', 'records', 'a.pcap', 'b.pcap'],
            'capinfos': ['capinfos', 'a.pcap', 'b.pcap'],
            'tcptrace': ['sh', '-c', 'tcptrace -n a.pcap > /dev/null && tcptrace -n b.pcap > /dev/null'],
            'tshark': ['sh', '-c', f'''rm -f join.db; for f in a b; do
                tshark -n -r $f.pcap -T fields {tshark} > $f.tsv & done; wait; sqlite3 join.db < join.sql; rm -f *.tsv'''],
        }[contender]

    def prepare(self, contender, place):
        """What the run needs, outside of the measured time."""
        if contender in OUTPUT:
            (place / OUTPUT[contender]).unlink(missing_ok=True)
            os.sync()  # the file system frees its blocks now, not while the next one is written
        if contender == 'judge':
            shutil.copy(place / 'incident.db', place / 'judge.db')
        if contender == 'tshark':
            (place / 'join.sql').write_text(JOIN)
        # A hypervisor takes back what was freed 2 s later: before the next one runs, not meanwhile.
        time.sleep(self.options.rest)
        # Memory at hand: as much as any of them takes.
        wanted = self.truth[place.name]['frames'][0] * 200 // 2**20 + 512
        subprocess.run([self.tools / 'bench_touch', str(min(wanted, self.options.touch))], check=True)

    def missing(self, contender):
        tool = {'capinfos': 'capinfos', 'tcptrace': 'tcptrace', 'tshark': 'tshark'}.get(contender)
        return tool and not shutil.which(tool)

    def rounds_of(self, name):
        return min(self.options.rounds, SETS[name][3])

    def measure(self, names):
        places = {name: self.make(name) for name in names}
        for place in places.values():
            self.settle(place)
        contenders = {name: [c for c in SETS[name][1] if not self.missing(c) and c not in self.options.skip.split(',')]
                      for name in names}
        runs = {(name, c): [] for name in names for c in contenders[name]}
        memory = {}
        for rounds in range(max(self.rounds_of(name) for name in names) + 1):
            for name, c in runs:
                # The first round warms up and looks at memory. tshark: minutes, against which no noise counts.
                once = c == 'tshark'
                if rounds > self.rounds_of(name) or (once and rounds != 1):
                    continue
                self.prepare(c, places[name])
                run = Program(self.command(c), places[name], self.options.nice, memory=once or not rounds)
                print(f'  {name} {c} {run.wall:.3f} s{"" if rounds else ", not counted"}', file=sys.stderr, flush=True)
                if rounds:
                    runs[name, c].append(run)
                if once or not rounds:
                    memory[name, c] = run
        for name, place in places.items():
            self.check(name, place)
            self.results[name] = {c: self.summary(runs[name, c], memory[name, c]) for c in contenders[name]}
            if not self.options.keep:
                shutil.rmtree(place)

    @staticmethod
    def summary(runs, memory):
        return {
            'wall': statistics.median(r.wall for r in runs), 'best': min(r.wall for r in runs),
            'cpu': statistics.median(r.cpu for r in runs), 'peak': max(r.peak for r in runs),
            'anonymous': memory.anonymous, 'file': memory.file}

    def check(self, name, place):
        """Every database says exactly what the generator lost, and all of them the same."""
        for file in ('incident.db', 'one.db', 'small.db'):
            if not (place / file).exists():
                continue
            db = sqlite3.connect(place / file)
            for direction, key in (('c2s', 'to_server'), ('s2c', 'to_client')):
                truth = self.truth[name][key]
                got = db.execute('''SELECT sum(sent), sum(lost), sum(bytes_lost), sum(capture_missed + unjudged
                    + misaddressed + injected + sender_missed + duplicated) FROM path JOIN flow ON flow.id = flow_id
                    WHERE direction = ? AND protocol = 'tcp' ''', (direction,)).fetchone()
                wanted = (truth['sent'], truth['lost'], truth['lost_bytes'], 0)
                if got != wanted:
                    self.wrong.append(f'{name}, {file}, {direction}: (sent, lost, bytes lost, other) is {got}, '
                                      f'the truth is {wanted}')
            db.close()

    def table(self, name):
        truth = self.truth[name]
        frames, size = sum(truth['frames']), sum(truth['bytes'])
        lines = [f'**{name}**: {frames / MILLION:.2f} million packets in {size / 1e9:.2f} GB, '
                 f'{truth["connections"]:,} connections, lost {truth["to_server"]["lost"]:,} and '
                 f'{truth["to_client"]["lost"]:,}', '',
                 '| | wall s | best s | CPU s | million packets/s | peak MB | of it anonymous | bytes/packet |',
                 '|---|--:|--:|--:|--:|--:|--:|--:|']
        for c, r in self.results[name].items():
            lines.append(f'| {TITLES[c]} | {r["wall"]:.3f} | {r["best"]:.3f} | {r["cpu"]:.2f} '
                         f'| {frames / r["wall"] / MILLION:.1f} | {r["peak"] / 1e6:.0f} | {r["anonymous"] / 1e6:.0f} '
                         f'| {r["anonymous"] / frames:.0f} |')
        return '\n'.join(lines) + '\n'

    def ratio(self, over, under):
        """By the medians and by the best runs; None when one of them was not measured."""
        try:
            (a, x), (b, y) = over, under
            return [self.results[a][x][v] / self.results[b][y][v] for v in ('wall', 'best')]
        except KeyError:
            return None

    def ratios(self):
        r = self.ratio
        tshark_set = next((s for s in ('ref', '1m') if 'tshark' in self.results.get(s, {})), 'none')
        base = 'ref' if 'ref' in self.results else '1m'
        ours = (base, 'bothends')
        rows = [
            ('million packets/s', self.speed(base), 'at least', 12),
            ('against capinfos, both files', r(ours, (base, 'capinfos')), 'at most', 0.2),
            ('against parse, hash and record', r(ours, (base, 'records')), 'at most', 3),
            ('tshark and SQLite against it', r((tshark_set, 'tshark'), (tshark_set, 'bothends')), 'at least', 200),
            ('two threads against one', r((base, 'one-thread'), ours), 'at least', 1.7),
            ('ten times the packets', r(('10m', 'bothends'), ('1m', 'bothends')), 'at most', 11.5),
            ('ten times the flows', r(('flows', 'bothends'), ('ref', 'bothends')), 'at most', 1.5),
            ('speed of the header walk reached, full-size', r(('full', 'headers'), ('full', 'bothends')), 'at least', 0.6),
            ('--memory 256M against no limit', r(('50m', 'memory-256M'), ('50m', 'bothends')), 'at most', 1.6),
            ('bytes a packet without limit', self.bytes_a_packet(base), 'at most', 64),
            ('MB with --memory 256M', self.peak('50m', 'memory-256M'), 'at most', 268),
            ('judging a million flows, s', self.seconds('million-flows', 'judge'), 'at most', 10),
        ]
        lines = ['| | by medians | by best runs | wanted | reached |', '|---|--:|--:|--:|---|']
        for title, values, word, wanted in rows:
            if values:
                median, best = values
                good = median >= wanted if word == 'at least' else median <= wanted
                lines.append(f'| {title} | {median:.3g} | {best:.3g} | {word} {wanted} | {"yes" if good else "no"} |')
        return '\n'.join(lines) + '\n'

    def speed(self, name):
        r = self.results.get(name, {}).get('bothends')
        return r and [sum(self.truth[name]['frames']) / r[v] / MILLION for v in ('wall', 'best')]

    def bytes_a_packet(self, name):
        r = self.results.get(name, {}).get('bothends')
        return r and [r['anonymous'] / sum(self.truth[name]['frames'])] * 2

    def peak(self, name, contender):
        r = self.results.get(name, {}).get(contender)
        return r and [r['anonymous'] / 1e6] * 2

    def seconds(self, name, contender):
        r = self.results.get(name, {}).get(contender)
        return r and [r['wall'], r['best']]


def parse():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument('--build', type=Path, default=Path('build'), help='meson build folder')
    p.add_argument('--sets', default='kernel,1m,ref,10m,flows,full', help='of ' + ', '.join(SETS) + '; or all')
    p.add_argument('--rounds', type=int, default=5)
    p.add_argument('--dir', type=Path, help='for captures and databases (default: a temporary folder)')
    p.add_argument('--keep', action='store_true', help='leave the captures there for the next run')
    p.add_argument('--slow', action='store_true', help='tshark and SQLite on the reference set too')
    p.add_argument('--rest', type=float, default=2.5, metavar='S', help='before each run')
    p.add_argument('--touch', type=int, default=4096, metavar='MiB', help='memory to bring near before each run')
    p.add_argument('--skip', default='', help='contenders to leave out: of ' + ', '.join(TITLES))
    p.add_argument('--nice', type=int, default=0, metavar='N', help='of what is measured (root: -20 on a busy machine)')
    p.add_argument('--json', type=Path, help='the numbers for programs')
    options = p.parse_args()
    options.build = options.build.resolve()
    options.sets = list(SETS) if options.sets == 'all' else options.sets.split(',')
    unknown = [s for s in options.sets if s not in SETS]
    if unknown or options.rounds < 1:
        p.error(f'no such set: {", ".join(unknown)}' if unknown else 'at least one round')
    if options.slow:
        SETS['ref'][1].append('tshark')
    return options


def main():
    options = parse()
    made = None if options.dir else tempfile.mkdtemp(prefix='bothends-bench-')
    folder = Path(options.dir or made)
    folder.mkdir(parents=True, exist_ok=True)
    bench = Bench(options, folder)
    try:
        for together in TOGETHER:
            names = [name for name in together if name in options.sets]
            if names:
                bench.measure(names)
                print(*map(bench.table, names), sep='\n', flush=True)
        print(bench.ratios())
        print('\n'.join(bench.wrong) or 'All counts are exactly what was lost.')
        if options.json:
            options.json.write_text(json.dumps(
                {'results': bench.results, 'truth': bench.truth, 'wrong': bench.wrong}, indent=1))
    finally:
        if made and not options.keep:
            shutil.rmtree(made, ignore_errors=True)
    return 1 if bench.wrong else 0


if __name__ == '__main__':
    sys.exit(main())
