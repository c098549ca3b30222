#!/usr/bin/env python3
"""Facts in, findings out: runs the rules on hand-made facts and compares the verdicts.

usage: causes.py DBTOOL CASE-FILE-OR-FOLDER ...

A case is a small text file: a claim in its first line, facts, then what must be found and what
must not. Times are seconds on the vantage point's clock. One statement a line:

    host NAME [ip=A/N] [mac=M] [at=VANTAGE] [if=eth0] [from=0 to=60] [kind=nic] [trust=sound]
         [filter=EXPR]        a machine and one of its vantage points with a capture
    address HOST ip=A/N|- mac=M [source=agent]
    sends|hears|speaks V IP MAC frames=N from=S to=S [ttl=64] [binding=M]
         frames it sent to IP under MAC; that came from IP under MAC; that it sent as IP
    arp V OP IP MAC TARGET [target_mac=M] at=S [every=S count=N]
    neighbor HOST IP MAC STATE [at=S] [confirmed=S]
    flow N PROTO CLIENT:PORT SERVER:PORT OUTCOME from=S to=S [pairing=isn]
    seen N V POSITION [column=N ...]      flow_vantage; columns not named are 0
    path N DIRECTION V V [column=N ...]   path; columns not named are 0
    adverts V SRC vrid=N prio=P from=S to=S [every=1] [version=2] [addresses=A,B] [out]
         [skip=S-S,S-S] [delay=S-S:D] [id=N] [mac=M] [interval=S] [auth=TYPE:HEX] [ttl=255]
         [checksum=message] [dst=224.0.0.18] [vlan=N]
    activity V from=S to=S [rx=5] [tx=5]  every second
    peer V SRC DST from=S to=S [n=3] [every=1]
    talks A B IP IP:PORT first=N n=COUNT from=S to=S [out=S-S] [back] [size=40] [got=40]
         flows N, N+1 ... between two places, heard at both every second; out: nothing of this size
         from A (back: to A) arrives, nothing at all unless got says up to which size it does
    klog HOST at=S TEXT
    fact HOST KEY VALUE [at=S]
    counter V NAME at=S VALUE
    row TABLE column=value ...            anything else; V:NAME, H:NAME, T:seconds are translated
    expect KIND [host= from= to= count= total= severity= cause= src_ip= dst_ip= detail.KEY=
         summary=PART n=1]
    forbid KIND [same keys]
    only                                  nothing but what is expected
"""
import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile

T0 = 1700000000
NS = 10**9


def ns(seconds):
    return T0 * NS + round(float(seconds) * NS)


def quote(value):
    if value is None:
        return "NULL"
    if isinstance(value, (int, float)):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


class Case:
    """Turns statements into SQL and keeps the expectations."""

    def __init__(self):
        self.sql = []
        self.hosts = {}
        self.vantages = {}
        self.frames = {}
        self.legs = {}
        self.expected = []
        self.forbidden = []
        self.only = False

    def row(self, table, **columns):
        self.sql.append("INSERT INTO %s (%s) VALUES (%s);" % (
            table, ", ".join(columns), ", ".join(quote(v) for v in columns.values())))

    def frame(self, vantage):
        self.frames[vantage] = self.frames.get(vantage, 0) + 1
        return self.frames[vantage]

    def source(self, vantage):
        """Columns of a row that a frame stands behind."""
        v = self.vantages[vantage]
        return {"vantage_id": v, "capture_file_id": v, "frame": self.frame(vantage)}

    def do_host(self, words, o):
        name = words[0]
        if name not in self.hosts:
            self.hosts[name] = len(self.hosts) + 1
            self.row("host", id=self.hosts[name], name=name)
        vantage, interface = o.get("at", name), o.get("if", "eth0")
        n = self.vantages[vantage] = len(self.vantages) + 1
        first, last = ns(o.get("from", 0)), ns(o.get("to", 60))
        self.row("vantage", id=n, host_id=self.hosts[name], name=vantage, kind=o.get("kind", "nic"),
                 interface=interface, mac=o.get("mac"), link_type=1, trust=o.get("trust", "sound"),
                 trust_reasons="[]", first_ns=first, last_ns=last)
        self.row("capture_file", id=n, host_id=self.hosts[name], vantage_id=n, path=vantage + ".pcap",
                 format="pcap", compression="none", snaplen=128, frames=1000, bytes=1, first_ns=first,
                 last_ns=last, hash="")
        self.row("capture_interface", capture_file_id=n, interface=0, vantage_id=n, name=interface,
                 link_type=1, snaplen=128, filter=o.get("filter"))
        for ip in o["ip"].split(",") if "ip" in o else []:
            self.do_address([name], {"ip": ip, "mac": o.get("mac"), "source": "capture", "if": interface})

    def do_address(self, words, o):
        ip, _, prefix = o["ip"].partition("/")
        self.row("host_address", host_id=self.hosts[words[0]], ip=None if ip == "-" else ip,
                 mac=o.get("mac"), interface=o.get("if"), prefix=int(prefix) if prefix else None,
                 source=o.get("source", "agent"))

    def mac_use(self, words, o, role, outgoing):
        vantage, ip, mac = words
        s = self.source(vantage)
        self.row("mac_use", vantage_id=s["vantage_id"], ip=ip, mac=mac, role=role,
                 frames=int(o.get("frames", 10)), first_ns=ns(o.get("from", 1)), last_ns=ns(o.get("to", 50)),
                 first_file_id=s["capture_file_id"], first_frame=s["frame"],
                 ttl_max=int(o.get("ttl", 64)), outgoing=outgoing, binding_mac=o.get("binding"))

    def do_sends(self, words, o):
        self.mac_use(words, o, "destination", 1)

    def do_hears(self, words, o):
        self.mac_use(words, o, "source", 0)

    def do_speaks(self, words, o):
        self.mac_use(words, o, "source", 1)

    def do_arp(self, words, o):
        vantage, operation, ip, mac, target = words
        for i in range(int(o.get("count", 1))):
            broadcast = "ff:ff:ff:ff:ff:ff" if operation != "reply" else o.get("target_mac")
            self.row("arp", at_ns=ns(float(o["at"]) + i * float(o.get("every", 1))), operation=operation,
                     sender_mac=mac, sender_ip=None if ip == "-" else ip, target_mac=o.get("target_mac"),
                     target_ip=target, ethernet_src=mac, ethernet_dst=o.get("to", broadcast),
                     **self.source(vantage))

    def do_neighbor(self, words, o):
        host, ip, mac, state = words
        self.row("neighbor", host_id=self.hosts[host], at_ns=ns(o["at"]) if "at" in o else None, ip=ip,
                 mac=None if mac == "-" else mac, state=state, interface="eth0",
                 confirmed_s=int(o["confirmed"]) if "confirmed" in o else None)

    def do_flow(self, words, o):
        number, protocol, client, server, outcome = words
        (cip, cport), (sip, sport) = client.rsplit(":", 1), server.rsplit(":", 1)
        self.flow = getattr(self, "flow", {})
        self.flow[number] = (cip, int(cport), sip, int(sport), ns(o["from"]), ns(o["to"]))
        self.row("flow", id=int(number), protocol=protocol, client_ip=cip, client_port=int(cport),
                 server_ip=sip, server_port=int(sport), first_ns=ns(o["from"]), last_ns=ns(o["to"]),
                 outcome=outcome, client_known=1, pairing=o.get("pairing", "isn"))

    def do_seen(self, words, o):
        number, vantage, position = words
        cip, cport, sip, sport, first, last = self.flow[number]
        columns = dict.fromkeys((
            "seq_delta_c2s seq_delta_s2c packets_c2s packets_s2c bytes_c2s bytes_s2c syn_c2s syn_s2c "
            "fin_c2s fin_s2c rst_c2s rst_s2c zero_window_c2s zero_window_s2c").split(), 0)
        times = {"first_ns": ns(o.pop("from")) if "from" in o else first,
                 "last_ns": ns(o.pop("to")) if "to" in o else last}
        columns.update({k: int(v) for k, v in o.items()})
        self.row("flow_vantage", flow_id=int(number), vantage_id=self.vantages[vantage],
                 position=int(position), client_ip=cip, client_port=cport, server_ip=sip,
                 server_port=sport, **times, **columns)

    def do_path(self, words, o):
        number, direction, a, b = words
        names = "sent delivered misaddressed lost capture_missed unjudged duplicated injected sender_missed"
        columns = dict.fromkeys(names.split() + [
            "received", "modified", "reordered", "retransmitted", "syn_sent", "syn_lost", "estimated"] + [
            "bytes_" + n for n in names.split() + ["received", "retransmitted"]], 0)
        columns.update({k: int(v) for k, v in o.items()})
        leg = self.legs.get((number, direction), 0)
        self.legs[number, direction] = leg + 1
        self.row("path", flow_id=int(number), leg=leg, direction=direction, from_vantage_id=self.vantages[a],
                 to_vantage_id=self.vantages[b], **columns)

    def do_adverts(self, words, o):
        vantage, src = words[:2]
        at, end, every = float(o["from"]), float(o["to"]), float(o.get("every", 1))
        skips = [tuple(map(float, s.split("-"))) for s in o.get("skip", "").split(",") if s]
        delays = [(*map(float, s.split(":")[0].split("-")), float(s.split(":")[1]))
                  for s in o.get("delay", "").split(",") if s]
        auth = o.get("auth", "0:").split(":")
        count = 0
        rows = []
        while at <= end + 1e-9:
            number = int(o["id"]) + count if "id" in o else None
            count += 1
            if not any(a <= at <= b for a, b in skips):
                late = sum(d for a, b, d in delays if a <= at <= b)
                rows.append((at + late, number))
            elif "stall" in words:
                count -= 1
            at += every
        for when, number in sorted(rows):
            self.row("vrrp_advert", at_ns=ns(when), version=int(o.get("version", 2)), vrid=int(o["vrid"]),
                     src_ip=src, priority=int(o["prio"]),
                     interval_ns=round(float(o.get("interval", every)) * NS),
                     addresses=o.get("addresses", "10.0.1.100"), dst_ip=o.get("dst", "224.0.0.18"),
                     src_mac=o.get("mac"), vlan=int(o["vlan"]) if "vlan" in o else None, ip_id=number,
                     ttl=int(o.get("ttl", 255)), auth_type=int(auth[0]), auth_data=auth[1] or None,
                     checksum=o.get("checksum", "message"), outgoing=1 if "out" in words else 0,
                     **self.source(vantage))

    def do_activity(self, words, o):
        for s in range(int(o["from"]), int(o["to"])):
            self.row("activity", vantage_id=self.vantages[words[0]], second_ns=ns(s),
                     rx_frames=int(o.get("rx", 5)), tx_frames=int(o.get("tx", 5)), rx_bytes=100, tx_bytes=100)

    def do_peer(self, words, o):
        vantage, src, dst = words
        for s in range(int(o["from"]), int(o["to"]), int(o.get("every", 1))):
            self.row("peer_activity", vantage_id=self.vantages[vantage], src_ip=src, dst_ip=dst,
                     second_ns=ns(s), frames=int(o.get("n", 3)))

    def do_talks(self, words, o):
        a, b, client, server = words[:4]
        out = tuple(map(float, o["out"].split("-"))) if "out" in o else (0, 0)
        size, way = int(o.get("size", 40)), "s2c" if "back" in words else "c2s"
        sender, receiver = (b, a) if way == "s2c" else (a, b)
        seconds = range(int(o["from"]), int(o["to"]))
        for number in range(int(o["first"]), int(o["first"]) + int(o["n"])):
            name = str(number)
            self.do_flow([name, "tcp", f"{client}:{40000 + number}", server, "established"], o)
            self.do_seen([name, a, 0], {})
            self.do_seen([name, b, 1], {})
            lost = [s for s in seconds if out[0] <= s < out[1]]
            self.do_path([name, way, sender, receiver], {
                "sent": len(seconds), "lost": len(lost), "delivered": len(seconds) - len(lost),
                "largest_delivered": 40 + size if len(lost) < len(seconds) else 0})
            for place in (sender, receiver):
                for second in seconds:
                    here = int(o.get("got", 0)) if place == receiver and second in lost else size
                    if here:
                        self.row("flow_activity", flow_id=number, vantage_id=self.vantages[place], direction=way,
                                 second_ns=ns(second), at_ns=ns(second), frames=2, largest=here)
            for second in lost:
                self.row("segment_event", flow_id=number, direction=way, kind="lost", seq=0, length=size, segments=1,
                         tcp_flags=24, from_vantage_id=self.vantages[sender], sent_file_id=self.vantages[sender],
                         sent_frame=self.frame(sender), sent_ns=ns(second + 0.5), to_vantage_id=self.vantages[receiver],
                         reason="retransmitted")
            if lost:
                self.row("flow_outage", flow_id=number, direction=way, from_vantage_id=self.vantages[sender],
                         to_vantage_id=self.vantages[receiver], from_ns=ns(lost[0] + 0.5), to_ns=ns(lost[-1] + 0.5), at_from_ns=ns(lost[0] + 0.5), at_to_ns=ns(lost[-1] + 0.5),
                         until_ns=ns(lost[-1] + 1.5) if lost[-1] + 1 < seconds[-1] else None, transmissions=len(lost),
                         least=512 if "got" in o else 0)

    def do_klog(self, words, o):
        self.row("kernel_log", host_id=self.hosts[words[0]], at_ns=ns(o["at"]), level=4, message=words[1])

    def do_fact(self, words, o):
        self.row("host_fact", host_id=self.hosts[words[0]], at_ns=ns(o.get("at", 0)), key=words[1],
                 value=words[2])

    def do_counter(self, words, o):
        self.row("nic_counter", vantage_id=self.vantages[words[0]], at_ns=ns(o["at"]), name=words[1],
                 value=int(words[2]))

    def do_row(self, words, o):
        def value(text):
            kind, _, rest = text.partition(":")
            if kind == "V" and rest in self.vantages:
                return self.vantages[rest]
            if kind == "H" and rest in self.hosts:
                return self.hosts[rest]
            if kind == "T":
                return ns(rest)
            return None if text == "NULL" else int(text) if text.lstrip("-").isdigit() else text
        self.row(words[0], **{k: value(v) for k, v in o.items()})

    def do_expect(self, words, o):
        self.expected.append((words[0], o))

    def do_forbid(self, words, o):
        self.forbidden.append((words[0], o))

    def do_only(self, words, o):
        self.only = True


def read_case(path):
    case = Case()
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        words = shlex.split(line, comments=True)
        if not words:
            continue
        plain = [w for w in words[1:] if not _is_option(w)]
        options = dict(w.split("=", 1) for w in words[1:] if _is_option(w))
        if words[0] == "klog":
            plain, options = [words[1], " ".join(words[3:])], dict([words[2].split("=", 1)])
        if words[0] == "fact":
            rest = [w for w in words[1:] if not w.startswith("at=")]
            plain = rest[:2] + [" ".join(rest[2:])]
            options = dict(w.split("=", 1) for w in words[1:] if w.startswith("at="))
        try:
            getattr(case, "do_" + words[0])(plain, options)
        except (AttributeError, KeyError, ValueError, IndexError) as e:
            sys.exit(f"{path}:{number}: {type(e).__name__}: {e}")
    return case


def _is_option(word):
    name = word.split("=", 1)[0]
    return "=" in word and name.replace(".", "").replace("_", "").isalnum()


# Findings whose proof a case's facts always hold.
PROVEN_BY_FRAMES = ("mac-mismatch", "l2-asymmetric", "arp-unanswered", "arp-conflict", "vrrp-gap-source",
                    "vrrp-gap-path", "vrrp-flap", "advisory", "host-dark", "firewall-drop", "host-drop", "vrrp-dual-master", "vrrp-misconfig", "vrrp-no-garp")

FINDINGS = """
SELECT f.kind, h.name AS host, vf.name AS "from", vt.name AS "to", f.severity, f.src_ip, f.dst_ip,
	f.count, f.total, f.summary, f.remedy, f.detail, f.confidence, c.kind AS cause, f.first_ns, f.last_ns,
	(SELECT count(*) FROM evidence e WHERE e.finding_id = f.id) AS evidence
FROM finding f LEFT JOIN finding c ON c.id = f.cause_id LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage vf ON vf.id = f.from_vantage_id LEFT JOIN vantage vt ON vt.id = f.to_vantage_id
ORDER BY f.id
"""


def matches(row, kind, options):
    if row["kind"] != kind:
        return False
    for key, wanted in options.items():
        if key == "n":
            continue
        if key.startswith("detail."):
            got = json.loads(row["detail"])
            for part in key.split(".")[1:]:
                got = (got[int(part)] if isinstance(got, list) and int(part) < len(got)
                       else got.get(part) if isinstance(got, dict) else None)
        else:
            got = row[key]
        if key in ("summary", "remedy"):
            if wanted not in (got or ""):
                return False
        elif key in ("first_ns", "last_ns") or key.endswith(("from_ns", "to_ns")):
            if got is None or abs(got - ns(wanted)) > NS // 2:
                return False
        elif ("" if got is None else str(got)) != wanted:
            return False
    return True


def run(dbtool, path):
    case = read_case(path)
    with tempfile.TemporaryDirectory() as folder:
        facts, db = os.path.join(folder, "facts.sql"), os.path.join(folder, "case.db")
        with open(facts, "w", encoding="utf-8") as f:
            f.write("\n".join(case.sql))
        done = subprocess.run([dbtool, "make", db, facts], capture_output=True, text=True)
        if done.returncode:
            return [f"{path}: {done.stderr.strip()}"]
        if os.environ.get("CAUSES_KEEP"):
            subprocess.run(["cp", db, os.environ["CAUSES_KEEP"]], check=True)
        connection = sqlite3.connect(db)
        connection.row_factory = sqlite3.Row
        found = connection.execute(FINDINGS).fetchall()
        connection.close()
    wrong, explained = [], set()
    for kind, options in case.expected:
        hits = [i for i, r in enumerate(found) if matches(r, kind, options)]
        explained.update(hits)
        if len(hits) != int(options.get("n", 1)):
            wrong.append(f"expected {kind} {options}, got {len(hits)}")
    for kind, options in case.forbidden:
        wrong += [f"must not be found: {kind}: {r['summary']}" for r in found if matches(r, kind, options)]
    if case.only:
        wrong += [f"nothing but what is expected: {r['kind']}: {r['summary']}"
                  for i, r in enumerate(found) if i not in explained]
    if not (case.expected or case.forbidden or case.only):
        wrong.append("asserts nothing")
    for r in found:
        if r["kind"] in PROVEN_BY_FRAMES and not r["evidence"]:
            wrong.append(f"{r['kind']} has no evidence")
    if wrong or os.environ.get("CAUSES_SHOW"):
        for r in found:
            shown = f"    found: {r['severity']} {r['kind']} {r['host']} {r['from']}->{r['to']}" \
                f" {r['count']}/{r['total']} because {r['cause']}: {r['summary']} | {r['remedy']} | {r['detail']}"
            wrong.append(shown) if wrong else print(path, shown, sep="\n")
    return [f"{path}: {w}" for w in wrong]


def is_of_packets(path):
    """Scripts of packets seen at points lie in the same tree: tests/scenario/run.py plays them."""
    with open(path, encoding="utf-8") as file:
        return any(line.startswith("point ") for line in file)


def cases(places):
    for place in places:
        if os.path.isdir(place):
            for folder, _, names in sorted(os.walk(place)):
                yield from (path for path in (os.path.join(folder, n) for n in sorted(names))
                            if path.endswith(".scn") and not is_of_packets(path))
        else:
            yield place


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    failed = total = 0
    for path in cases(sys.argv[2:]):
        total += 1
        wrong = run(sys.argv[1], path)
        failed += bool(wrong)
        for line in wrong:
            print(line)
    print(f"{total - failed} passed, {failed} failed")
    sys.exit(1 if failed or not total else 0)


main()
