#!/usr/bin/env python3
"""Wireshark shows what bothends found of a frame, in an extract and in the capture itself.
usage: wireshark_test.py BOTHENDS SOURCE_ROOT
"""
import os
import pwd
import shutil
import subprocess
import sys
import tempfile

FIELDS = ("frame.number", "bothends.finding", "bothends.kind", "bothends.severity", "bothends.file", "bothends.frame",
          "bothends.verdict")


def run(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, **more)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


def tshark(script, path, *options):
    """Rows of the fields. Wireshark runs no scripts for root, so somebody else asks."""
    fields = [part for name in FIELDS for part in ("-e", name)]
    nobody = {"user": pwd.getpwnam("nobody").pw_uid, "extra_groups": []} if os.geteuid() == 0 else {}
    text = run("tshark", "-X", f"lua_script:{script}", "-r", path, "-T", "fields", *fields, *options,
               env={**os.environ, "HOME": "/nonexistent", "WIRESHARK_CONFIG_DIR": "/nonexistent"}, **nobody)
    return [line.split("\t") for line in text.splitlines()]


def main():
    bothends, root = map(os.path.abspath, sys.argv[1:3])
    if not shutil.which("tshark") or "Lua" not in run("tshark", "--version"):
        print("tshark with Lua is not installed")
        sys.exit(77)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        script = shutil.copy(f"{root}/packaging/wireshark/bothends.lua", folder)
        for name in ("db.pcapng", "worker.pcapng"):
            shutil.copy(f"{root}/fixtures/capture/stale-arp/{name}", folder)
        run(bothends, "analyze", "-q", "worker=worker.pcapng", "db=db.pcapng", "-o", "i.db", cwd=folder)
        run(bothends, "extract", "i.db", "1", "-o", "one.pcapng", cwd=folder)
        run(bothends, "extract", "i.db", "1", "--context", "-o", "context.pcapng", cwd=folder)
        for name in os.listdir(folder):
            os.chmod(f"{folder}/{name}", 0o644)

        rows = tshark(script, f"{folder}/one.pcapng", "-Y", 'bothends.finding == 1 && bothends.verdict contains "never arrived"')
        assert len(rows) == 12, rows
        assert rows[0] == ["1", "1", "synack-lost", "critical", "db.pcapng", "50", "SYN-ACK 1 of 12, never arrived"], rows[0]
        everything, ours = tshark(script, f"{folder}/context.pcapng"), tshark(script, f"{folder}/context.pcapng", "-Y", "bothends")
        assert len(ours) == 12 < len(everything), (len(ours), len(everything))

        table = f"{folder}/db.csv"
        with open(table, "w", encoding="utf-8") as file:
            file.write(run(bothends, "query", "i.db", "--saved", "frames", "-p", "capture=db.pcapng", "-f", "csv", cwd=folder))
        os.chmod(table, 0o644)
        rows = tshark(script, f"{folder}/db.pcapng", "-o", f"bothends.csv:{table}", "-Y", 'bothends.kind == "synack-lost"')
        assert [row[0] for row in rows][:3] == ["50", "80", "91"] and len(rows) == 12, rows
        plain = tshark(script, f"{folder}/db.pcapng", "-Y", "bothends")
        assert not plain, plain

        colours = shutil.copy(f"{root}/packaging/wireshark/colorfilters", f"{folder}/colorfilters")
        with open(colours, encoding="utf-8") as file:
            for line in file:
                if line.startswith("@"):
                    tshark(script, f"{folder}/one.pcapng", "-Y", line.split("@")[2])
    print("an extract, a capture with a table of frames, and the filters of the colours")


main()
