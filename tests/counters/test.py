#!/usr/bin/env python3
"""What every source of counters says of one interface equals what the kernel counted.

usage: test.py BOTHENDS FIXTURES recorded|live

recorded: fixtures/counters, made by record.sh on Debian 12. live: record.sh now, with what is installed here.
"""
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile

SKIP = 77
COLLECT = ["proc-net-dev", "ip-link-stats", "sysfs-statistics"]


def analyze(bothends, folder, database):
    inputs = [f"{name.split('.')[0]}={name}" for name in sorted(os.listdir(folder)) if name != "truth.json"]
    # both scrapes are one host's
    inputs = ["node" + text[text.index("="):] if text.startswith("node-") else text for text in inputs]
    done = subprocess.run([bothends, "analyze", "-q", "-o", database, *inputs], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def samples(db, host, kind, name):
    """First and last value of a counter of eth0, by one kind of source; how many samples."""
    rows = [row[0] for row in db.execute(
        "SELECT n.value FROM nic_counter n JOIN host h ON h.id = n.host_id JOIN host_file f ON f.id = n.host_file_id "
        "WHERE h.name = ? AND f.kind = ? AND n.interface = 'eth0' AND n.name = ? AND n.at_ns IS NOT NULL ORDER BY n.at_ns", (host, kind, name))]
    return (rows[0], rows[-1], len(rows)) if rows else None


def grown(db, host, kind, name):
    found = samples(db, host, kind, name)
    return found[1] - found[0] if found else None


def counted(db, host, name):
    return db.execute("SELECT sum(i.amount) FROM counter_interval i JOIN host h ON h.id = i.host_id "
                      "WHERE h.name = ? AND i.interface = 'eth0' AND i.name = ?", (host, name)).fetchone()[0]


def firewall(db, like):
    rows = db.execute("SELECT max(value) - min(value) FROM nic_counter WHERE name LIKE 'firewall.packets %' AND name LIKE ? "
                      "GROUP BY host_file_id IN (SELECT id FROM host_file WHERE kind = 'iptables-save')", [like]).fetchall()
    return sorted(row[0] for row in rows)


def compare(folder, db, truth):
    wrong = []

    def same(what, told, wanted, tolerance=0):
        if told is None or abs(told - wanted) > tolerance:
            wrong.append(f"{what}: {told}, the kernel counted {wanted}")

    for name in truth["before"]:
        kernel = truth["after"][name] - truth["before"][name]
        for kind in COLLECT:
            same(f"collect, {kind}, {name}", grown(db, "collect", kind, name), kernel)
        if os.path.exists(f"{folder}/node-2.prom"):
            same(f"node_exporter, {name}", grown(db, "node", "prometheus", name), kernel)
        if os.path.exists(f"{folder}/collectd"):
            same(f"collectd, {name}", grown(db, "collectd", "collectd", name), kernel)
        if os.path.exists(f"{folder}/collectd-rates"):
            same(f"collectd with rates, {name}", counted(db, "collectd-rates", name), truth["rates"][name], 0.01)
        # a hundredth of a packet, or of 1024 bytes, in each of ten intervals
        for form in ("csv", "json"):
            if os.path.exists(f"{folder}/sadf.{form}"):
                # both forms are one host's: each tells the same
                same(f"sadf, {name}", counted(db, "sadf", name) / 2, kernel, 0.5 if "packets" in name else 60)
    same("nft's rule", max(firewall(db, "%guard input: udp dport 9 drop")), truth["nft"])
    if truth["iptables"]:
        same("iptables' rule", max(firewall(db, "%iptables filter INPUT: -p udp -m udp --dport 10 -j DROP")), truth["iptables"])
    times = db.execute("SELECT count(*) FROM nic_counter WHERE at_ns IS NULL").fetchone()[0]
    same("samples without a time", times, 0)
    places = db.execute("SELECT count(*) FROM nic_counter WHERE host_file_id IS NULL OR line IS NULL").fetchone()[0]
    same("samples without file and line", places, 0)
    return wrong


def check(bothends, folder):
    with open(f"{folder}/truth.json", encoding="utf-8") as file:
        truth = json.load(file)
    with tempfile.TemporaryDirectory() as place:
        analyze(bothends, folder, f"{place}/x.db")
        with sqlite3.connect(f"file:{place}/x.db?mode=ro", uri=True) as db:
            wrong = compare(folder, db, truth)
    print("\n".join(wrong))
    return 1 if wrong else 0


def live(bothends):
    if os.geteuid() != 0:
        print("network namespaces need root")
        return SKIP
    for program in ("ip", "nft", "ping"):
        if not shutil.which(program):
            print(f"{program} is not installed")
            return SKIP
    with tempfile.TemporaryDirectory() as folder:
        record = os.path.join(os.path.dirname(os.path.abspath(__file__)), "record.sh")
        subprocess.run([record, os.path.abspath(bothends), folder], check=True, timeout=120)
        for name, program in (("collectd", "collectd"), ("node-1.prom", "prometheus-node-exporter"), ("sadf.csv", "sadf")):
            if not os.path.exists(f"{folder}/{name}"):
                print(f"{program} is not installed: its format is tested as recorded only")
        return check(bothends, folder)


def main():
    bothends, fixtures, which = sys.argv[1:]
    bothends = os.path.abspath(bothends)
    return live(bothends) if which == "live" else check(os.path.abspath(bothends), f"{fixtures}/counters")


sys.exit(main())
