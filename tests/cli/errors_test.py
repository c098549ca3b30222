#!/usr/bin/env python3
"""Every error message that a command line brings about, as it is printed: one line with what, where and the remedy.

usage: errors_test.py BOTHENDS DBTOOL ROOT [--update]

errors.txt holds commands and the line that each prints; --update writes the lines anew (review the diff). Every text in
the source that can become an error must be printed by one of them, or stand in errors-untried.txt under the reason why
no command brings it about.
"""
import glob
import os
import re
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile

BOTHENDS, DBTOOL, ROOT = (os.path.abspath(p) for p in sys.argv[1:4])
HERE = os.path.join(ROOT, "tests", "cli")
CALL = re.compile(r"\b(?:error_set|error_errno|argp_error)\s*\(")
LITERAL = r'"(?:[^"\\]|\\.)*"'
STRINGS = re.compile(rf"{LITERAL}(?:\s*{LITERAL})*")  # neighbours are one text
CONVERSION = re.compile(r"%(?:%|[-0-9.*]*(?:ll|z|j|l)?[a-zA-Z])")


def put(name, content):
    with open(name, "wb") as file:
        file.write(content)


def change(name, sql):
    connection = sqlite3.connect(name)
    connection.executescript(sql)
    connection.commit()
    connection.close()


def captures():
    """Files that are no captures, or not whole."""
    for name in ("worker", "db"):
        shutil.copy(f"{ROOT}/fixtures/capture/stale-arp/{name}.pcapng", f"{name}.pcapng")
    with open("db.pcapng", "rb") as file:
        whole = file.read()
    put("again.pcapng", whole)
    put("short.pcapng", whole[:20])
    header = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 147)
    put("short.pcap", header[:10])
    put("version.pcap", struct.pack("<IHHiIII", 0xA1B2C3D4, 9, 9, 0, 0, 65535, 1))
    put("odd-link.pcap", header + struct.pack("<IIII", 1, 0, 60, 60) + bytes(60))
    put("text.txt", b"nothing of interest\n")
    put("empty.pcap", b"")
    put("key", b"0123456789abcdef")
    put("short-key", b"short")
    put("broken.json", b"[1")
    put("none.json", b"[]")
    put("flow.csv", b"version,account-id\n")
    for folder in ("folder", "nothing-in-it", "rules", "no-rules", "two"):
        os.mkdir(folder)
    put("folder/text.txt", b"nothing of interest\n")
    put("rules/mine.sql", b"-- mine\nSELEC 1;\n")
    put("two/a.pcapng", whole)
    for folder, content in (("rules-nul", b"-- mine\n\0"), ("rules-big", b"-" * ((1 << 20) + 1))):
        os.mkdir(folder)
        put(f"{folder}/mine.sql", content)
    os.makedirs("rules-folder/mine.sql")
    put("long-key", b"correct-horse-battery\n")
    put("dmesg.log", b"[    0.000000] Linux version 6.1.0-13-amd64 (gcc) #1 SMP\n[    1.0] eth0: link up\n" * 3)
    shutil.copy(f"{ROOT}/fixtures/flowlog/story-acl/flow.log", "flow.log")
    shutil.copy(f"{ROOT}/fixtures/flowlog/aws-default.parquet", "flow.parquet")


def databases():
    for name in ("clean", "loss"):
        subprocess.run([DBTOOL, "make", f"{name}.db", f"{ROOT}/fixtures/golden/{name}.sql"], check=True)
    subprocess.run([BOTHENDS, "analyze", "-q", "-o", "real.db", "worker.pcapng", "db.pcapng"], check=True)
    shutil.copy("real.db", "newer.db")
    change("newer.db", "PRAGMA user_version = 9999")
    shutil.copy("real.db", "moved.db")
    change("moved.db", "UPDATE capture_file SET path = '/nowhere/' || path")
    shutil.copy("real.db", "logged.db")
    change("logged.db", "DELETE FROM evidence")
    shutil.copy("real.db", "no-frame.db")
    change("no-frame.db", "UPDATE evidence SET frame = 99999")
    shutil.copy("real.db", "unknown-file.db")
    change("unknown-file.db", "PRAGMA foreign_keys = OFF; DELETE FROM capture_file")
    change("other.db", "CREATE TABLE mine (x)")
    subprocess.run([BOTHENDS, "analyze", "-q", "-o", "flow.db", "flow.log"], check=True)
    subprocess.run([BOTHENDS, "analyze", "-q", "-o", "proof.db", "--keep", "proof", "flow.log"], check=True)
    with open("real.db", "rb") as file:
        put("cut.db", file.read()[:50000])


def printed(command):
    """Standard error of a command: one line, and status 2."""
    environment = dict(os.environ, TZ="UTC", LC_ALL="C", NO_COLOR="1", BOTHENDS_DUCKDB="/nowhere/libduckdb.so",
                       PATH=f"{os.getcwd()}/bin:{os.environ['PATH']}")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          timeout=60, env=environment)
    line = done.stderr.rstrip("\n")
    if done.returncode != 2 or "\n" in line or not line or done.stdout:
        return f"(status {done.returncode}, not one line: {line!r} {done.stdout[:200]!r})"
    return line


def arguments(text, at):
    """What stands between the parentheses that opened before at."""
    depth, quoted, i = 1, False, at
    while depth:
        c = text[i]
        if quoted:
            i += c == "\\"
            quoted = text[i] != '"' or c == "\\"
        elif c == '"':
            quoted = True
        else:
            depth += (c == "(") - (c == ")")
        i += 1
    return text[at:i - 1]


def texts():
    """(file, format) of every error in the analyzer's source."""
    found = set()
    for path in glob.glob(f"{ROOT}/analyzer/**/*.c", recursive=True):
        with open(path, encoding="utf-8") as file:
            source = file.read()
        for call in CALL.finditer(source):
            for text in STRINGS.findall(arguments(source, call.end())):
                form = "".join(part[1:-1] for part in re.findall(LITERAL, text)).replace('\\"', '"')
                if len(re.sub(CONVERSION, "", form).strip(" :;,()'-")) > 2:
                    found.add((os.path.relpath(path, f"{ROOT}/analyzer"), form))
    return sorted(found)


def is_printed(form, lines):
    parts = [re.escape(p) for p in re.split(CONVERSION, form)]
    pattern = re.compile(".*".join(parts))
    return any(pattern.search(line) for line in lines)


def untried():
    with open(f"{HERE}/errors-untried.txt", encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file if line.strip() and not line.startswith("#")]


def main():
    with open(f"{HERE}/errors.txt", encoding="utf-8") as file:
        kept = file.read().split("\n")
    commands = [line[2:] for line in kept if line.startswith("$ ")]
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.mkdir("bin")
        os.symlink(BOTHENDS, "bin/bothends")
        captures()
        databases()
        lines = [printed(c) for c in commands]
        os.chdir("/")
    now = "".join(f"$ {c}\n{line}\n" for c, line in zip(commands, lines))
    if "--update" in sys.argv:
        put(f"{HERE}/errors.txt", now.encode())
    wrong = [f"prints {a!r}, not {b!r}" for a, b in zip(now.split("\n"), kept) if a != b]
    wrong += [f"{c}: {line}" for c, line in zip(commands, lines) if line.startswith("(status")]
    known, all_texts = untried(), texts()
    wrong += [f"{path}: no command of errors.txt prints {form!r}" for path, form in all_texts
              if not is_printed(form, lines) and form not in known]
    wrong += [f"errors-untried.txt: no such text in the source, or it is tried: {form!r}" for form in known
              if form not in {f for _, f in all_texts} or is_printed(form, lines)]
    print(f"{len(commands)} commands, {len(all_texts)} texts, {len(known)} of them untried")
    for line in wrong:
        print(line)
    return 1 if wrong or len(commands) < 90 else 0


sys.exit(main())
