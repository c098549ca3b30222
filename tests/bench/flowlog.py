#!/usr/bin/env python3
"""Flow logs: from an export of default lines to the finished database, beside what people use.

usage: flowlog.py BOTHENDS [--lines N] [--runs N] [--folder DIR] [--markdown FILE]

Makes its input itself (deterministic; plain and gzip), runs every contender once to warm up and then
alternately, and prints medians of wall and processor time, peak memory, and ratios. Nothing here is a
test: it asserts nothing about time.
"""
import argparse
import datetime
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HEADER = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
          "log-status\n")


def generate(path, lines, seed=1):
    """A day of 50 ENIs: 60 s windows, both directions, 5 % rejects, some silence, unanswered and NODATA."""
    rng = random.Random(seed)
    enis = [(f"eni-{0xaaa1111bbbb2222 + i:017x}", f"10.0.{i // 200}.{10 + i % 200}") for i in range(50)]
    peers = [f"198.51.{rng.randrange(256)}.{rng.randrange(256)}" for _ in range(2000)]
    ports = (443, 80, 22, 5432, 6379, 27017, 53)
    written = 0
    with open(path, "w", encoding="ascii", buffering=1 << 20) as file:
        file.write(HEADER)
        while written < lines:
            eni, own = enis[rng.randrange(50)]
            peer = peers[rng.randrange(2000)]
            client, port = rng.randrange(1024, 65535), ports[rng.randrange(7)]
            start = 1790000000 + 60 * (written * 1440 // lines) + rng.randrange(5)
            packets = rng.randrange(1, 200)
            tail = f"6 {packets} {packets * rng.randrange(40, 1400)} {start} {start + 55 + rng.randrange(5)}"
            kind = rng.random()
            if kind < 0.05:
                file.write(f"2 111122223333 {eni} {peer} {own} {client} {port} {tail} REJECT OK\n")
            elif kind < 0.06:
                file.write(f"2 111122223333 {eni} - - - - - - - {start} {start + 58} - NODATA\n")
            else:
                file.write(f"2 111122223333 {eni} {peer} {own} {client} {port} {tail} ACCEPT OK\n")
                if kind < 0.98 and written + 1 < lines:
                    file.write(f"2 111122223333 {eni} {own} {peer} {port} {client} {tail} ACCEPT OK\n")
                    written += 1
            written += 1


def watch_memory(pid, ended, peaks):
    """The highest of anonymous and of file-backed resident memory, in KB."""
    while not ended.wait(0.01):
        try:
            with open(f"/proc/{pid}/status", encoding="ascii") as file:
                fields = dict(line.split(":", 1) for line in file)
        except (OSError, ValueError):
            continue
        for i, key in enumerate(("RssAnon", "RssFile")):
            if key in fields:
                peaks[i] = max(peaks[i], int(fields[key].split()[0]))


def measure(command, cleanup):
    """Wall seconds, processor seconds, peak KB of anonymous and of file memory of one run."""
    for path in cleanup:
        if os.path.exists(path):
            os.unlink(path)
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peaks, ended = [0, 0], threading.Event()
    watcher = threading.Thread(target=watch_memory, args=(process.pid, ended, peaks))
    watcher.start()
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    ended.set()
    watcher.join()
    wall = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        sys.exit(f"{command[0]} failed: {error.decode(errors='replace').strip()}")
    return wall, usage.ru_utime + usage.ru_stime, *peaks


def contenders(bothends, folder):
    plain, packed = os.path.join(folder, "flow.log"), os.path.join(folder, "flow.log.gz")
    database = os.path.join(folder, "out.db")
    imported = os.path.join(folder, "import.db")

    def analyze(path, *more):
        return [bothends, "analyze", "--quiet", "--force", "-o", database, *more, path]

    yield "bothends analyze, plain", analyze(plain), [database]
    yield "bothends analyze, gzip", analyze(packed), [database]
    yield "bothends analyze, plain, --memory 256M", analyze(plain, "--memory", "256M"), [database]
    if shutil.which("sqlite3"):
        yield ("sqlite3 .import, plain (no findings)",
               ["sqlite3", imported, "-cmd", ".mode csv", "-cmd", ".separator ' '", f".import {plain} flow_log"], [imported])
    yield "zcat", ["sh", "-c", f"zcat {packed} > /dev/null"], []
    yield "cat", ["sh", "-c", f"cat {plain} > /dev/null"], []
    yield "wc -l", ["wc", "-l", plain], []
    if shutil.which("mawk"):
        yield "mawk, sum of packets", ["mawk", "{ s += $9 } END { print s }", plain], []


def processor():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def report(results, lines, runs):
    out = [f"{lines / 1e6:g} million default lines, medians of {runs}, {os.cpu_count()} x {processor()}, "
           f"Linux {platform.release()}, {datetime.date.today().isoformat()}", "",
           "| | wall s | processor s | anonymous MiB | file MiB | million lines/s |", "|---|--:|--:|--:|--:|--:|"]
    medians = {}
    for name, figures in results.items():
        wall, cpu, anonymous, mapped = (statistics.median(f[i] for f in figures) for i in range(4))
        medians[name] = wall
        out.append(f"| {name} | {wall:.2f} | {cpu:.2f} | {anonymous / 1024:.0f} | {mapped / 1024:.0f} | {lines / wall / 1e6:.2f} |")
    own = medians.get("bothends analyze, plain")
    other = medians.get("sqlite3 .import, plain (no findings)")
    if own and other:
        out += ["", f"sqlite3 .import alone takes {other / own:.1f} times as long as the whole analysis of the plain file."]
    return "\n".join(out) + "\n"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bothends")
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder")
    parser.add_argument("--markdown")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp(prefix="bothends-bench-")
    plain = os.path.join(folder, "flow.log")
    try:
        if not os.path.exists(plain):
            generate(plain, options.lines)
            subprocess.run(["gzip", "-6", "-k", "-f", plain], check=True)
        chosen = list(contenders(options.bothends, folder))
        results = {name: [] for name, _, _ in chosen}
        for run in range(options.runs + 1):
            for name, command, cleanup in chosen:
                figures = measure(command, cleanup)
                if run:
                    results[name].append(figures)
        text = report(results, options.lines, options.runs)
        print(text, end="")
        if options.markdown:
            with open(options.markdown, "w", encoding="utf-8") as file:
                file.write(text)
    finally:
        if not options.folder:
            shutil.rmtree(folder)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
