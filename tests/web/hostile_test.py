#!/usr/bin/env python3
"""Text from strangers stays text, in everything that is put out.

usage: hostile_test.py BOTHENDS FIXTURES

Host names, file names, comments and interfaces of pcapng, VRRP passwords, facts, neighbours and flow logs hold
markup, quotes, escape sequences, bidi overrides, line breaks, formulas, and bytes that are no UTF-8. They go in
through the real parsers; then HTML, terminal, Markdown, JSON, CSV and tables must be inert, and must still show them.
"""
import csv
import glob
import html.parser
import io
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile

BOTHENDS, FIXTURES = (os.path.abspath(p) for p in sys.argv[1:3])
ARP = f"{FIXTURES}/capture/stale-arp"
BEGIN = 1795235974 * 10**9
ACTS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")


def evil(mark):
    """Where it came from stands in it: alert(MARK)."""
    return f"<script>alert({mark})</script><img src=x onerror=alert({mark})>\"'`|*_\x1b[31m\x1b]0;x\x07\u202ecod\u2066.exe\r\n\t\x7f".encode() + b"\xff\xc3("


# ---- inputs ----

def block(kind, body):
    body += bytes(-len(body) % 4)
    return struct.pack("<II", kind, len(body) + 12) + body + struct.pack("<I", len(body) + 12)


def option(code, value):
    return struct.pack("<HH", code, len(value)) + value + bytes(-len(value) % 4)


def frames(path):
    with open(path, "rb") as f:
        raw = f.read()
    at = 0
    while at < len(raw):
        kind, length = struct.unpack_from("<II", raw, at)
        if kind == 6:
            high, low, cap, wire = struct.unpack_from("<IIII", raw, at + 12)
            yield high << 32 | low, raw[at + 28:at + 28 + cap], wire
        at += length


def facts_comment(**facts):
    lines = [b"bothends-facts 1 at_ns=%d" % BEGIN] + [k.replace("__", ".").encode() + b"=" + v for k, v in facts.items()]
    return option(1, b"\n".join(lines))


def capture(path, packets, mark, *more):
    with open(path, "wb") as f:
        f.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1) + option(1, evil(f"{mark}1")) + option(2, evil(f"{mark}2"))
                      + option(3, evil(f"{mark}3")) + option(4, evil(f"{mark}4")) + b"".join(more) + option(0, b"")))
        f.write(block(1, struct.pack("<HHI", 1, 0, 0) + option(2, evil(f"{mark}5")) + option(3, evil(f"{mark}6"))
                      + option(11, b"\0" + evil(f"{mark}7")) + option(9, b"\x09") + option(0, b"")))
        for at, data, wire in packets:
            f.write(block(6, struct.pack("<IIIII", 0, at >> 32, at & 0xffffffff, len(data), wire) + data + bytes(-len(data) % 4)
                          + option(1, evil(f"{mark}8")) + option(0, b"")))


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~((total & 0xffff) + (total >> 16)) & 0xffff


def advert(source, priority, password):
    """A VRRP version 2 advertisement with simple text authentication (RFC 2338)."""
    body = struct.pack("!BBBBBBH4s", 0x21, 51, priority, 1, 1, 1, 0, bytes([10, 0, 1, 200])) + password.ljust(8, b"\0")
    body = body[:6] + struct.pack("!H", checksum(body)) + body[8:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0xc0, 20 + len(body), 1, 0, 255, 112, 0, source, bytes([224, 0, 0, 18]))
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return bytes.fromhex("01005e000012 00005e000133 0800".replace(" ", "")) + ip + body


def adverts():
    for i in range(6):
        for router, password in ((1, b"<script>"), (2, b"\x1b[31m\xff'")):
            data = advert(bytes([10, 0, 1, router]), 100 + router, password)
            yield BEGIN + i * 10**9 + router * 10**6, data, len(data)


def write(path, *lines):
    with open(path, "wb") as f:
        f.write(b"".join(lines))


def as_json(value):
    """Bytes as a JSON string: what is no UTF-8 stays as it is, inside the quotes."""
    return json.dumps(value.decode("utf-8", "surrogateescape"), ensure_ascii=False).encode("utf-8", "surrogateescape")


def make_inputs(t):
    base = os.fsencode(t)
    name = base + b"/cap<img src=x onerror=alert(91)>\x1b[31m\xe2\x80\xae\xff\n'\"`=.pcapng"
    capture(name, sorted(list(frames(f"{ARP}/worker.pcapng")) + list(adverts())), "1", facts_comment(host__name=b"worker",
            host__kernel=evil("92"), nic__eth0__driver=evil("93"), hypervisor__type=evil("94")))
    capture(f"{t}/db.pcapng", frames(f"{ARP}/db.pcapng"), "2")
    write(f"{t}/db.facts.jsonl", *(b'{"at_ns":%d,"key":%s,"value":%s}\n' % (BEGIN, as_json(k), as_json(v)) for k, v in (
        (b"host.name", b"db"), (b"kernel.log", b"level=4 message=NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out " + evil("95")),
        (b"nic.eth0.driver", evil("96")), (b"x" + evil("97"), b"1"))))
    with open(f"{t}/db.facts.jsonl", "ab") as f:  # the same once more as JSON that is valid
        f.write(b'{"at_ns":%d,"key":"kernel.log","value":%s}\n' % (BEGIN, json.dumps(
            "level=4 message=NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out " + evil("79").decode("utf-8", "replace")).encode()))
        f.write(b'{"at_ns":%d,"key":"nic.eth0.driver_version","value":%s}\n' % (BEGIN, json.dumps(evil("78").decode("utf-8", "replace")).encode()))
    write(f"{t}/neigh.txt", b"10.0.1.90 dev eth0 lladdr 00:00:01:fc:b3:48 STALE\n10.0.1.91 dev <script>alert(98)</script> lladdr 00:00:01:fc:b3:49 " + evil("99") + b"\n")
    write(f"{t}/aws.log", b"version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status\n",
          *(b"2 %s 192.0.2.10 192.0.2.20 %d 5432 6 4 240 %d %d %s\n" % (
              (b"<b>alert(81)</b>\x1b[31m\xe2\x80\xae\xff eni-0aaa1111bbbb2222c", b"1 eni-<img/src=x/onerror=alert(82)>\x1b\xff")[i > 8],
              40000 + i, BEGIN // 10**9 + 60 * i, BEGIN // 10**9 + 60 * i + 58, (b"REJECT OK", b"=cmd|'/C\x07 OK", b"ACCEPT SKIP\x1bDATA")[i % 3])
            for i in range(12)))
    record = {"insertId": "a", "jsonPayload": {"bytes_sent": "1422", "packets_sent": "9", "reporter": "SRC",
              "connection": {"src_ip": "192.0.2.10", "dest_ip": "198.51.100.20", "protocol": 6, "src_port": 51000, "dest_port": 443},
              "end_time": "2026-11-21T04:39:44Z", "start_time": "2026-11-21T04:39:40Z",
              "src_instance": {"project_id": "@@83", "vm_name": "@@84", "region": "@@85", "zone": "@@86"}},
              "logName": "projects/example/logs/compute.googleapis.com%2Fvpc_flows",
              "resource": {"type": "gce_subnetwork", "labels": {"project_id": "@@87", "subnetwork_name": "@@88"}}, "timestamp": "2026-11-21T04:39:45Z"}
    text = json.dumps(record).encode()
    for mark in range(83, 89):
        text = text.replace(b'"@@%d"' % mark, json.dumps(evil(str(mark)).decode("utf-8", "replace")).encode())
    write(f"{t}/gcp.json", text + b"\n")
    host = b"db<b onclick alert(90)>\x1b[31m\xe2\x80\xae\xff'\"`"
    return [name, host + b"=" + base + b"/db.pcapng", host + b"=" + base + b"/db.facts.jsonl", host + b"=" + base + b"/neigh.txt",
            base + b"/aws.log", base + b"/gcp.json"]


# ---- outputs ----

class Page(html.parser.HTMLParser):
    """What a browser would act on in a report."""

    KNOWN = set("html head meta title style body a header p b span h1 h2 h3 ul li nav main section article bdi dl dt dd code button time "
                "details summary figure figcaption input label div svg rect line path circle text tspan g table caption thead tbody tr th td "
                "footer script".split())

    def __init__(self):
        super().__init__()
        self.odd, self.scripts, self.text = [], 0, []

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        if tag not in self.KNOWN:
            self.odd.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("src", "srcdoc", "style", "formaction") or (name == "href" and not value.startswith("#")):
                self.odd.append(f"{tag} {name}={value}")

    def handle_data(self, data):
        self.text.append(data)


def inert(name, raw, allowed="\n"):
    text = raw.decode("utf-8")  # strictly: no bad byte comes through
    found = ACTS.search(text.translate({ord(c): None for c in allowed}))
    assert not found, f"{name}: U+{ord(found[0]):04X} comes through, after {text[max(0, found.start() - 80):found.start()]!r}"
    return text


def run(*args, status=(0,)):
    r = subprocess.run([BOTHENDS, *args], capture_output=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert r.returncode in status, (args, r.returncode, r.stderr)
    inert(f"stderr of {args[0]}", r.stderr)
    return r.stdout


def check_html(raw):
    text = inert("html", raw)
    page = Page()
    page.feed(text)
    assert not page.odd, f"html: {page.odd[:3]}"
    assert page.scripts == 3, f"html: {page.scripts} scripts"
    series = re.search(r'id="series">(.*?)</script>', text, re.S)
    assert series and not re.search("[<>&]", series[1]), "html: markup in the data of the charts"
    json.loads(series[1])
    return "".join(page.text)


def check_markdown(raw):
    text = inert("markdown", raw)
    for line in text.splitlines():
        # Commands stand in code spans, where markup is text; elsewhere it must be escaped.
        plain = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", line)
        assert "<" not in plain, f"markdown: markup in {line[:200]!r}"
    return text


def check_csv(name, raw):
    text = inert(name, raw, "\r\n")
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert not re.match(r"[=+@]|-\D", cell), f"{name}: a spreadsheet takes {cell[:60]!r} for a formula"
    return text


def main():
    seen = {}
    with tempfile.TemporaryDirectory() as t:
        inputs = make_inputs(t)
        db = f"{t}/hostile.db"
        run("analyze", "-q", "-o", db, *inputs)
        seen["analyze, text"] = inert("analyze", run("analyze", "--force", "-o", db, *inputs))
        for width in ("0", "40", "80"):
            seen[f"text {width}"] = inert(f"text {width}", run("report", *(["--width", width] if width != "0" else []), db))
        raw = inert("json", run("report", "--format", "json", db))
        json.loads(raw)
        seen["json"] = raw
        seen["markdown"] = check_markdown(run("report", "--format", "md", db))
        seen["html"] = check_html(run("report", "--format", "html", db))
        tables = [n for n, in sqlite3.connect(db).execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")]
        assert len(tables) > 20, tables
        for table in tables:
            sql = f'SELECT * FROM "{table}" LIMIT 5000'
            raw = inert(f"query {table} json", run("query", "--format", "json", db, sql))
            json.loads(raw)
            seen["query, json"] = seen.get("query, json", "") + raw
            seen["query, csv"] = seen.get("query, csv", "") + check_csv(f"query {table} csv", run("query", "--format", "csv", db, sql))
            seen["query, table"] = seen.get("query, table", "") + inert(f"query {table}", run("query", "--format", "table", db, sql))
        run("extract", db, "1", "--source", t, "-o", f"{t}/evidence.pcapng", status=(0, 2))
        # Names of files that are not there, or hold nothing, are said back.
        for name in inputs[:1]:
            run("analyze", "-q", "--force", "-o", db, name + b".gone", status=(2,))
        assert not glob.glob(f"{t}/*.db-*"), "left behind"

    # It went in: each place that is kept is shown somewhere, and reports show who they speak of.
    everything = seen["query, json"]
    for mark, where in (("90", "host name"), ("91", "file name"), ("15", "interface name"), ("17", "filter"), ("92", "fact of a comment"), ("79", "kernel line"),
                        ("78", "fact of a file"), ("84", "machine of a flow log"), ("82", "interface that a flow log cannot have")):
        assert f"alert({mark})" in everything, f"the {where} (alert({mark})) is nowhere in the database"
    for name in ("text 80", "json", "markdown", "html"):
        for mark in ("90", "91"):
            assert f"alert({mark})" in seen[name].replace("\\", "").replace("\n", "").replace(" ", ""), f"{name} does not show alert({mark})"
    print(f"ok hostile text in {len(seen)} outputs")


main()
