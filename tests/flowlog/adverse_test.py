#!/usr/bin/env python3
"""Networks and incidents made by hand, and what has to be said of them. usage: adverse_test.py BOTHENDS

Each case says what is right: kind, severity, the words that name the place, and the minutes from and to (within one
window); or that nothing louder than a notice may be said.
"""
import os
import sqlite3
import subprocess
import sys
import tempfile
import unittest

from aggregate import ESP, FIN, SYN, SYNACK, T0, TCP, UDP, Host, Log, at

BOTHENDS = None
OUTSIDE = [Host(f"203.0.113.{i}") for i in range(1, 80)]


def between(first, last, what, match):
    return lambda c, s, port, t: what if at(first) <= t < at(last) and match(c, s, port) else None


def tier(minutes=120, rate=6, **options):
    """Clients outside, a balancer, three applications, a database, a resolver, a bastion; scanners."""
    log = Log(**options)
    balancer, bastion, db, dns = Host("10.0.0.5", "b"), Host("10.0.0.9", "ba"), Host("10.0.2.10", "db"), Host("10.0.3.2", "dns")
    apps = [Host(f"10.0.1.{10 + i}", f"app{i}") for i in range(3)]
    for m in range(minutes):
        for _ in range(rate):
            log.talk(log.random.choice(OUTSIDE), balancer, 443, at(m, log.random.randrange(56)))
            log.talk(balancer, log.random.choice(apps), 8080, at(m, log.random.randrange(56)))
        for i, app in enumerate(apps):
            log.talk(app, db, 5432, at(m, 5), sport=40000 + i, kept=True)
            log.talk(app, dns, 53, at(m, 7 + i), UDP)
        if m % 4 == 0:
            log.talk(Host(f"198.18.9.{log.random.randrange(1, 9)}"), bastion, 22, at(m))
        for target in (balancer, bastion):
            log.probe(target, at(m, log.random.randrange(56)), log.random.choice((22, 23, 3389)))
            log.probe(target, at(m, log.random.randrange(56)), 22)
    return log


def cluster(**options):
    """Nodes whose pods have secondary addresses, all asking each other and a database."""
    log = Log(**options)
    nodes = [Host(f"10.0.41.{5 + i}", f"node{i}") for i in range(3)]
    pods = [[Host(f"10.0.41.{100 + 20 * i + k}", f"node{i}", n.ip) for k in range(4)] for i, n in enumerate(nodes)]
    db = Host("10.0.2.10", "db")
    for m in range(120):
        for i, row in enumerate(pods):
            for k, pod in enumerate(row):
                log.talk(pod, pods[(i + 1) % 3][0], 53, at(m, 3 * k), UDP)
                log.talk(pod, pods[(i + 2) % 3][1], 8080, at(m, 5 * k + i))
                log.talk(pod, db, 5432, at(m, 30 + k))
    return log


def gateway(dropped):
    """A transit gateway's own log: 8 clients ask 3 servers through two attachments."""
    lines = ["version resource-type account-id tgw-id tgw-attachment-id srcaddr dstaddr srcport dstport protocol packets bytes start end log-status "
             "packets-lost-no-route packets-lost-blackhole packets-lost-mtu-exceeded packets-lost-ttl-expired tcp-flags flow-direction"]

    def row(attachment, a, b, ports, packets, t, flags, way, lost=0):
        lines.append(f"6 TransitGateway 111122223333 tgw-0a tgw-attach-0{attachment} {a} {b} {ports[0]} {ports[1]} 6 {packets} {packets * 100} {t} {t + 59} OK "
                     f"0 {lost} 0 0 {flags} {way}")

    for m in range(120):
        for n in range(24):
            c, s, ports = f"10.1.0.{10 + n % 8}", f"10.2.0.{10 + n // 8}", (33000 + m * 24 + n, 443)
            if dropped(m, s):
                row("a", c, s, ports, 0, at(m), SYN, "ingress", 3)
                continue
            for attachment, way in (("a", "ingress"), ("b", "egress")):
                row(attachment, c, s, ports, 6, at(m), SYN | FIN, way)
            for attachment, way in (("b", "ingress"), ("a", "egress")):
                row(attachment, s, c, ports[::-1], 6, at(m), SYNACK | FIN, way)
    return lines


class Adverse(unittest.TestCase):
    def findings(self, log):
        with tempfile.TemporaryDirectory() as folder:
            path, db = os.path.join(folder, "flow.log"), os.path.join(folder, "a.db")
            with open(path, "w", encoding="ascii") as f:
                f.write("\n".join(log if isinstance(log, list) else log.rows()) + "\n")
            done = subprocess.run([BOTHENDS, "analyze", "-q", "-o", db, path], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            connection = sqlite3.connect(db)
            rows = connection.execute("SELECT severity, kind, summary, (first_ns / 1e9 - ?) / 60, (last_ns / 1e9 - ?) / 60 FROM finding ORDER BY id", (T0, T0)).fetchall()
            connection.close()
        return rows

    def quiet(self, log, *kinds):
        found = self.findings(log)
        self.assertEqual([f for f in found if f[0] != "notice"], [])
        self.assertEqual(sorted(f[1] for f in found), sorted(kinds))
        return found

    def loud(self, log, severity, kind, words, first, last, window=1):
        """One finding above notice, and it is right."""
        found = [f for f in self.findings(log) if f[0] != "notice"]
        self.assertEqual([(f[0], f[1]) for f in found], [(severity, kind)], found)
        for word in words:
            self.assertIn(word, found[0][2])
        self.assertLessEqual(abs(found[0][3] - first), window, found)
        self.assertLessEqual(abs(found[0][4] - last), window, found)

    def test_hour_of_a_healthy_network(self):
        """Scanners at a bastion that is asked now and then are no clients cut off."""
        for flags in (True, False):
            self.quiet(tier(60, flags=flags), "flowlog-scan")

    def test_again_and_again_is_one_cause(self):
        fate = lambda c, s, port, t: "silent" if s.ip == "10.0.1.11" and 20 <= (t - T0) // 60 < 90 and (t - T0) // 60 % 10 < 2 else None
        self.loud(tier(rate=20, fate=fate), "warning", "flowlog-one-way", ("10.0.1.11:8080", "in 7 spans"), 20, 82)

    def test_windows_of_ten_minutes(self):
        fate = between(100, 200, "silent", lambda c, s, port: s.ip == "10.0.1.11")
        for flags in (True, False):
            self.loud(tier(300, window=600, flags=flags, fate=fate), "warning", "flowlog-one-way", ("10.0.1.11:8080", "for 1 h"), 100, 200, 10)
        self.quiet(tier(300, window=600), "flowlog-scan")

    def test_log_that_begins_with_it(self):
        fate = between(-9, 30, "rejected-in", lambda c, s, port: port == 5432)
        self.loud(tier(60, fate=fate), "warning", "flowlog-reject", ("10.0.2.10:5432", "afterwards they were answered"), 0, 30, 2)

    def test_whole_log_is_a_notice(self):
        found = self.quiet(tier(60, fate=between(-9, 99, "rejected-in", lambda c, s, port: port == 5432)), "flowlog-reject", "flowlog-scan")
        self.assertIn("none was answered in the whole log", " ".join(f[2] for f in found))

    def test_until_the_end(self):
        fate = between(20, 99, "rejected-in", lambda c, s, port: port == 5432)
        self.loud(tier(60, fate=fate), "critical", "flowlog-reject", ("10.0.2.10:5432", "still at the end"), 20, 60)

    def test_front_door_that_answers_nobody_is_no_scan(self):
        found = self.quiet(tier(60, fate=between(-9, 99, "silent", lambda c, s, port: port == 443)), "flowlog-scan", "flowlog-unreachable")
        self.assertIn("10.0.0.5:443", next(f[2] for f in found if f[1] == "flowlog-unreachable"))

    def test_visitors_who_come_once(self):
        log = Log(between(60, 90, "silent", lambda c, s, port: True))
        balancer = Host("10.0.0.5", "b")
        for m in range(150):
            for n in range(40):
                log.talk(Host(f"203.{m}.{n}.{log.random.randrange(256)}"), balancer, 443, at(m, log.random.randrange(56)))
        self.loud(log, "warning", "flowlog-unreachable", ("10.0.0.5:443", "clients outside"), 60, 90)

    def test_few_clients_outside_among_strangers(self):
        """A client a minute, most of them for the first time: the first that comes again begins it."""
        log = Log(between(60, 110, "rejected-in", lambda c, s, port: True))
        balancer = Host("10.0.0.5", "b")
        for m in range(180):
            log.talk(Host(f"203.0.113.{log.random.randrange(1, 250)}"), balancer, 443, at(m, log.random.randrange(56)))
        self.loud(log, "warning", "flowlog-reject", ("10.0.0.5:443", "clients outside"), 60, 110, 10)

    def test_rolling_restart(self):
        fate = lambda c, s, port, t: "refused" if port == 8080 and at(40 + 5 * int(s.ip[-1])) <= t < at(40 + 5 * int(s.ip[-1]), 90) else None
        found = self.quiet(tier(rate=30, fate=fate), "flowlog-refused", "flowlog-scan")
        self.assertIn("as while a service restarts", " ".join(f[2] for f in found))
        fate = between(40, 50, "refused", lambda c, s, port: s.ip == "10.0.1.11")
        self.loud(tier(rate=30, fate=fate), "warning", "flowlog-refused", ("10.0.1.11:8080",), 40, 50)

    def test_instance_that_ends_near_the_end(self):
        """Autoscaling: its balancer asks it for a minute more. Whether others will notice is not known yet."""
        log = tier(60)
        balancer, scaled = Host("10.0.0.5", "b"), Host("10.0.1.60", "scaled")
        log.until[scaled.eni] = at(54)
        log.fate_of = lambda c, s, port, t: "lost" if t > at(54) else None
        for m in range(56):
            for second in range(0, 60, 10):
                log.talk(balancer, scaled, 8080, at(m, second))
        self.quiet(log, "flowlog-scan")

    def test_pods(self):
        for flags in (True, False):
            self.quiet(cluster(flags=flags))
        fate = between(60, 90, "silent", lambda c, s, port: s.ip == "10.0.41.100" and port == 53)
        self.loud(cluster(fate=fate), "warning", "flowlog-unreachable", ("10.0.41.100:53", "eni-0node0"), 60, 90)
        fate = between(60, 90, "lost", lambda c, s, port: "eni-0node2" in (c.eni, s.eni))
        self.loud(cluster(fate=fate), "warning", "flowlog-unreachable", ("eni-0node2",), 60, 90)

    def test_gateway_drops_are_one_finding(self):
        self.quiet(gateway(lambda m, s: False))
        self.loud(gateway(lambda m, s: 40 <= m < 90), "warning", "flowlog-gateway-drop", ("8 senders", "3 addresses of 10.2.0.*", "blackhole"), 40, 90)
        self.loud(gateway(lambda m, s: m >= 40 and s == "10.2.0.11"), "critical", "flowlog-gateway-drop", ("to 10.2.0.11",), 40, 120)
        self.quiet(gateway(lambda m, s: s == "10.2.0.11"), "flowlog-gateway-drop")

    def test_lost_records_are_one_notice(self):
        log = tier()
        for eni in ("b", "db", "dns", "app0", "app1"):
            for m in (50, 51, 90):
                log.state(Host("10.0.0.1", eni), "SKIPDATA", at(m))
        self.quiet(log, "flowlog-scan", "flowlog-skipdata")

    def test_host_that_forwards_is_not_deaf(self):
        """The far side of a tunnel is gone: its gateway has no answer to pass on."""
        log = Log()
        gateway_host, far = Host("10.0.0.7", "vpn"), Host("203.0.113.77")
        for m in range(120):
            bad = 60 <= m < 90
            log.send(gateway_host, far, (0, 0), ESP, 900, 800000, at(m, 3))
            if not bad:
                log.send(far, gateway_host, (0, 0), ESP, 700, 600000, at(m, 3))
            for i in range(5):
                for k in range(3):
                    c, s, port = Host(f"10.0.1.{10 + i}", f"c{i}"), f"172.16.4.{10 + k}", log.next_port()
                    for host, way in ((c, "egress"), (gateway_host, "ingress")):
                        log.pass_by(host, way, c.ip, s, (port, 443), TCP, 3 if bad else 6, 180 if bad else 900, at(m, 10), SYN if bad else SYN | FIN)
                    for host, way in () if bad else ((gateway_host, "egress"), (c, "ingress")):
                        log.pass_by(host, way, s, c.ip, (443, port), TCP, 6, 4000, at(m, 10), SYNACK | FIN)
        self.loud(log, "warning", "flowlog-unreachable", ("eni-0vpn",), 60, 90)

    def test_nfs(self):
        """Clients of NFS send from ports below its own."""
        log = Log(between(60, 90, "silent", lambda c, s, port: True), flags=False)
        server = Host("10.0.2.10", "nfs")
        for m in range(120):
            for i in range(5):
                log.talk(Host(f"10.0.1.{10 + i}", f"c{i}"), server, 2049, at(m, 4), sport=800 + i, kept=True)
        self.loud(log, "warning", "host-dark", ("eni-0nfs",), 60, 90)

    def test_log_of_one_kind(self):
        fate = between(60, 90, "rejected-in", lambda c, s, port: port == 5432)
        log = tier(fate=fate)
        log.sums = {k: v for k, v in log.sums.items() if k[6] == "ACCEPT"}
        self.loud(log, "warning", "flowlog-loss", ("10.0.2.10:5432", "No reject is on record"), 60, 90)
        log = tier(fate=fate)
        log.sums = {k: v for k, v in log.sums.items() if k[6] == "REJECT"}
        found = self.quiet(log, "flowlog-reject", "flowlog-scan")
        self.assertIn("limited to rejects", " ".join(f[2] for f in found))

    def test_one_interface(self):
        log = tier(fate=between(60, 90, "silent", lambda c, s, port: s.ip == "10.0.2.10"))
        log.sums = {k: v for k, v in log.sums.items() if k[0].eni == "eni-0app0"}
        self.loud(log, "warning", "flowlog-one-way", ("10.0.2.10:5432", "10.0.1.10"), 60, 90)


if __name__ == "__main__":
    BOTHENDS = os.path.abspath(sys.argv[1])
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
