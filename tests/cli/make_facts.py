#!/usr/bin/env python3
"""Writes the facts of a golden case as SQL text. usage: make_facts.py BOTHENDS DBTOOL NAME > fixtures/golden/NAME.sql"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "schema"))
from facts import ACK, Facts, RST, SECOND, SYN, SYNACK, T0  # noqa: E402

NASTY = "db\x1b[31m\r\n<script>alert(1)</script>\u202e\"'`|*_$(reboot)\x7f"


def clean(f):
    """Two captures, nothing wrong."""
    a, b = f.host("web", "10.0.0.1"), f.host("db", "10.0.0.2", offset=-3 * SECOND)
    for n in range(12):
        flow = f.flow(a, b, at=n, server_port=5432)
        f.path_row(flow, "c2s", a, b, 40, syn_sent=1)
        f.path_row(flow, "s2c", b, a, 60, syn_sent=1)


def loss(f):
    """Loss one way, a connection behind a path MTU hole, captures with flaws, a clock that jumped."""
    a = f.host("web", "10.0.0.1")
    b = f.host("db", "10.0.0.2", trust="with care", reasons=["the kernel dropped 40 frames"], dropped=40)
    for n in range(20):
        flow = f.flow(a, b, at=n, server_port=5432)
        f.lose(flow, "s2c", b, a, 100, 2, at=n, syn_sent=1)
        f.path_row(flow, "c2s", a, b, 80, syn_sent=1)
    for n in range(3):
        flow = f.flow(a, b, at=60 + n, server_ip="10.0.0.3", server_port=443, outcome="established")
        f.path_row(flow, "c2s", a, b, 10, syn_sent=1)
        f.path_row(flow, "s2c", b, a, 9, lost=4, syn_sent=1, smallest_lost=1500, largest_delivered=60)
        for k in range(4):
            f.event(flow, "s2c", "lost", b, a, at=60 + n + k)
    f.insert("icmp_error", vantage_id=b, at_ns=T0 + 61 * SECOND, capture_file_id=b, frame=900, version=4, type=3,
             code=4, mtu=1400, src_ip="10.0.0.254", dst_ip="10.0.0.3", quoted_src_ip="10.0.0.3",
             quoted_dst_ip="10.0.0.1")
    f.db.execute("UPDATE capture_file SET damaged = 'cut inside a block at byte 123456' WHERE id = 1")
    f.insert("limit_reached", table_name="segment_event", kept=1000000, total=1200000)
    f.db.execute("UPDATE clock SET to_ns = ? WHERE vantage_id = 2", [T0 + 100 * SECOND])
    f.insert("clock", vantage_id=2, reference_vantage_id=1, from_ns=T0 + 100 * SECOND, to_ns=T0 + 3600 * SECOND,
             offset_ns=2 * SECOND, offset_low_ns=2 * SECOND - 100000, offset_high_ns=2 * SECOND + 100000,
             skew_ppm=0, method="both directions", samples=100)


def one_sided(f):
    """One capture only: connections without an answer."""
    a = f.host("web", "10.0.0.1")
    for n in range(5):
        f.flow(a, a, at=n, server_port=27017, outcome="unanswered", seen=[a], near=dict(syn_c2s=4, bytes_c2s=0,
               bytes_s2c=0, packets_s2c=0))


def hostile(f):
    """Names, paths and details that would act on a terminal, a browser, a spreadsheet or a shell."""
    a, b = f.host("web", "10.0.0.1"), f.host(NASTY, "10.0.0.2", trust="with care", reasons=[NASTY])
    f.db.execute("UPDATE capture_file SET path = ?, damaged = ? WHERE id = 2",
                 ["/tmp/=cmd|' /C calc'!A0/" + NASTY + ".pcapng", NASTY])
    f.db.execute("UPDATE capture_file SET path = CAST(x'2f746d702fff2e70636170' AS TEXT) WHERE id = 1")
    for n in range(3):
        flow = f.flow(a, b, at=n, outcome="unanswered")
        f.path_row(flow, "s2c", b, a, 4, lost=4, syn_sent=4, syn_lost=4)
        for k in range(4):
            f.event(flow, "s2c", "lost", b, a, at=n + k, flags=SYNACK, length=0)
    flow = f.flow(a, b)
    f.path_row(flow, "c2s", a, b, 10, modified=1)
    f.event(flow, "c2s", "modified", a, b, detail=NASTY)


def many(f):
    """Everything at once: stories in order, sharing columns."""
    a, b = f.host("client", "2001:db8::1"), f.host("server", "2001:db8::2")
    ends = dict(client_ip="2001:db8::1", server_ip="2001:db8::2")
    for n in range(3):
        flow = f.flow(a, b, at=n, outcome="unanswered", seen=[a], **ends)
        f.path_row(flow, "c2s", a, b, 4, lost=4, syn_sent=4, syn_lost=4)
        for k in range(4):
            f.event(flow, "c2s", "lost", a, b, at=n + k, flags=SYN, length=0)
    for n in range(2):
        flow = f.flow(a, b, at=10 + n, outcome="reset", near=dict(rst_s2c=1), **ends)
        f.path_row(flow, "s2c", b, a, 10, injected=1)
        f.event(flow, "s2c", "injected", b, a, at=10 + n, flags=RST, length=0, reason="ttl")
    for n in range(4):
        f.flow(a, b, at=20 + n, outcome="refused", near=dict(rst_s2c=1), far=dict(rst_s2c=1), server_port=9999, **ends)
    flow = f.flow(a, b, at=30, **ends)
    f.path_row(flow, "s2c", b, a, 1000, reordered=12, duplicated=9)
    for kind, n in (("reordered", 12), ("duplicated", 9)):
        for k in range(n):
            f.event(flow, "s2c", kind, b, a, at=30 + k)
    f.insert("zero_window", flow_id=flow, vantage_id=a, direction="c2s", from_ns=T0 + 40 * SECOND,
             to_ns=T0 + 47 * SECOND, probes=5, capture_file_id=a, frame=777)


def dump(f):
    """INSERT statements of everything that was added, table by table."""
    f.db.commit()
    out = [f"-- {CASES[sys.argv[3]].__doc__} Made by tests/cli/make_facts.py."]
    tables = [row[0] for row in f.db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid")]
    for table in tables:
        if table in ("schema_comment", "setting", "defect", "defect_condition") or table.startswith("sqlite_"):
            continue
        names = [row[1] for row in f.db.execute(f"PRAGMA table_info({table})")]
        # quote() cannot hold bad UTF-8 as text: such values go as the bytes that they are
        values = " || ', ' || ".join(
            f"CASE WHEN typeof({n}) = 'text' AND {n} GLOB '*[^ -~]*' THEN 'CAST(x''' || hex({n}) || ''' AS TEXT)'"
            f" ELSE quote({n}) END" for n in names)
        for (row,) in f.db.execute(f"SELECT {values} FROM {table}"):
            out.append(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({row});")
    print("\n".join(out))


CASES = {"clean": clean, "loss": loss, "one-sided": one_sided, "hostile": hostile, "many": many}

if __name__ == "__main__":
    facts = Facts(*sys.argv[1:3])
    CASES[sys.argv[3]](facts)
    dump(facts)
    facts.close()
