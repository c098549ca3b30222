#!/usr/bin/env python3
"""Mutates recorded captures and runs the whole of `bothends analyze` on them.

usage: mutate.py PROGRAM [--seconds S] [--seed N] [--keep FOLDER]

Whatever the bytes: the program ends by itself within the limit, with status 0 or 2, with at most one line
on standard error, and with status 0 every frame is accounted for and every path conserves. Anything else
(a signal, a sanitizer's report, a hang) is a failure; its inputs are kept and the command is printed.
Meant for a build with sanitizers. The same seed makes the same inputs.
"""
import argparse
import glob
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LIMIT_S = 60
SIZE_MAX = 150_000  # larger captures are cut: many small runs find more than few large ones
CONSERVES = ("SELECT count(*) FROM path WHERE sent <> delivered + misaddressed + lost + capture_missed + unjudged"
             " OR received <> delivered + misaddressed + duplicated + injected + sender_missed")
ACCOUNTS = ("SELECT count(*) FROM capture_file f WHERE frames <> coalesce((SELECT sum(frames) FROM frame_account a"
            " WHERE a.capture_file_id = f.id), 0)")


def plain(path):
    if path.endswith(".zst"):
        return subprocess.run(["zstd", "-dc", path], check=True, capture_output=True).stdout
    with open(path, "rb") as file:
        return file.read()


def scenarios():
    """Lists of captures that belong together, as bytes."""
    found = []
    for folder in sorted(glob.glob(os.path.join(ROOT, "fixtures", "capture", "*", ""))):
        files = sorted(f for f in glob.glob(folder + "*") if f.endswith((".pcap", ".pcapng", ".zst")))
        if files:
            found.append([plain(f)[:SIZE_MAX] for f in files[:3]])
    corpus = sorted(glob.glob(os.path.join(ROOT, "fixtures", "corpus", "capfile", "*")))
    found += [[plain(f)] for f in corpus if not f.endswith((".zst", ".gz")) and os.path.getsize(f) < SIZE_MAX]
    return found


INTERESTING = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff]


def flip(data, rng):
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def number(data, rng):
    """An extreme number of one, two or four bytes, in either order."""
    size = rng.choice((1, 2, 4))
    at = rng.randrange(max(1, len(data) - size))
    value = rng.choice(INTERESTING) & (256 ** size - 1)
    data[at:at + size] = value.to_bytes(size, rng.choice(("little", "big")))


def near(data, rng):
    """A number a little more or less than it was: lengths, offsets, sequence numbers."""
    at = rng.randrange(max(1, len(data) - 4))
    value = int.from_bytes(data[at:at + 4], "little") + rng.choice((-4, -1, 1, 4, 256, 65536))
    data[at:at + 4] = (value & 0xffffffff).to_bytes(4, "little")


def cut(data, rng):
    at = rng.randrange(len(data))
    del data[at:at + rng.choice((1, 4, 60, 2000))]


def repeat(data, rng):
    at, size = rng.randrange(len(data)), rng.choice((4, 28, 100, 1500))
    data[at:at] = data[at:at + size]


def end(data, rng):
    del data[rng.randrange(len(data)):]


def noise(data, rng):
    at = rng.randrange(len(data))
    size = min(rng.choice((4, 20, 60)), len(data) - at)
    data[at:at + size] = rng.randbytes(size)


MUTATIONS = (flip, flip, number, number, near, cut, repeat, end, noise)


def mutate(data, rng):
    data = bytearray(data)
    # Mostly past the file header: behind a broken one nothing is read any more.
    for _ in range(rng.choice((1, 2, 5, 20, 100))):
        if data:
            rng.choice(MUTATIONS)(data, rng)
    return bytes(data)


def arguments(folder, files, rng):
    args = ["-q", "-o", os.path.join(folder, "x.db"), "--force"]
    args += rng.choice(([], [], ["--packets", "all"], ["--threads", "1"], ["--filter", "tcp"], ["--memory", "64M"]))
    # Sometimes all are one host's: rotated files.
    return args + [f"{'one' if rng.random() < 0.1 else f'h{i}'}={path}" for i, path in enumerate(files)]


def wrong(done, database):
    """Why a finished run is a failure, or None."""
    if done.returncode not in (0, 2):
        return f"status {done.returncode}"
    if done.stderr.count(b"\n") > (done.returncode == 2):
        return "stderr"
    if done.returncode == 0:
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as db:
            for sql in (CONSERVES, ACCOUNTS):
                if db.execute(sql).fetchone()[0]:
                    return sql
        db.close()
    return None


ENVIRONMENT = {"ASAN_OPTIONS": "halt_on_error=1:abort_on_error=1:detect_leaks=1",
               "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:print_stacktrace=1", **os.environ}


def attempt(program, sources, seed, folder):
    """Why it failed with its stderr, or None."""
    rng = random.Random(seed)
    files = []
    for i, data in enumerate(rng.choice(sources)):
        files.append(os.path.join(folder, f"{i}.cap"))
        with open(files[-1], "wb") as file:
            file.write(mutate(data, rng) if rng.random() < 0.8 else data)
    command = [program, "analyze", *arguments(folder, files, rng)]
    try:
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=LIMIT_S, check=False,
                              env=ENVIRONMENT)
        why, said = wrong(done, os.path.join(folder, "x.db")), done.stderr.decode(errors="replace")
    except subprocess.TimeoutExpired:
        why, said = f"still running after {LIMIT_S} s", ""
    return why and f"{why}\n{' '.join(command)}\n{said}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", default=None)
    options = parser.parse_args()
    program, sources = os.path.abspath(options.program), scenarios()
    deadline, failures, seed = time.monotonic() + options.seconds, 0, options.seed
    while time.monotonic() < deadline:
        folder = tempfile.mkdtemp(prefix=f"bothends-mutate-{seed}-", dir=options.keep)
        why = attempt(program, sources, seed, folder)
        if why:
            failures += 1
            print(f"seed {seed}: {why}")
        else:
            shutil.rmtree(folder)
        seed += 1
    print(f"{seed - options.seed} runs from seed {options.seed} on, {failures} failed")
    return 1 if failures or seed == options.seed else 0


if __name__ == "__main__":
    sys.exit(main())
