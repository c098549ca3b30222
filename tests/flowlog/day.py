"""Days of flow logs: traffic of an ordinary network, and incidents that are put into it.

A Day is made from a seed. Every conversation is simulated with what became of it (its fate), and each interface that
would log it writes its records, in windows of its own phase. What is true comes from here, never from the program.
"""
import datetime
import json
import random

T0 = 1790000040
SYN, SYNACK, FIN, RST = 2, 18, 1, 4
V2 = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
V5 = V2 + " tcp-flags pkt-srcaddr pkt-dstaddr flow-direction"
TCP, UDP, ICMP = 6, 17, 1


class Host:
    def __init__(self, ip, number=None, public=False):
        self.ip, self.public = ip, public
        self.eni = None if number is None else f"eni-0{number:016x}"
        self.phase = 0 if number is None else (number * 17) % 60
        self.end = None  # second at which it is gone


class Day:
    def __init__(self, seed, lines=200000, minutes=None, incidents=(), cloud="aws"):
        self.cloud, self.flows = cloud, {}
        self.random = random.Random(seed)
        self.minutes = minutes or (1440 if lines > 1000000 else 240)
        self.rate = lines / self.minutes
        self.flags = seed % 2 == 0
        self.incidents = incidents
        self.rows = []
        self.number = 0
        self.port = 32768
        self.build()

    def host(self, ip, logged=True):
        self.number += 1
        return Host(ip, self.number if logged else None)

    def build(self):
        self.balancers = [self.host("10.0.0.5"), self.host("10.0.100.5")]
        self.nats = [self.host("10.0.0.20"), self.host("10.0.100.20")]
        self.bastion = self.host("10.0.0.9")
        self.apps = [self.host(f"10.0.{1 + i % 2}.{10 + i // 2}") for i in range(8)]
        self.dbs = [self.host("10.0.11.10"), self.host("10.0.12.10")]
        self.second = self.host("10.0.13.10")  # another interface of the first database
        self.cache = self.host("10.0.11.30")
        self.resolvers = [self.host("10.0.21.2"), self.host("10.0.21.3")]
        self.syslog, self.statsd, self.prometheus = (self.host(f"10.0.21.{n}") for n in (14, 15, 16))
        self.workers = [self.host(f"10.0.31.{10 + i}") for i in range(6)]
        self.node = self.host("10.0.41.5")
        self.pods = [Host(f"10.0.41.{100 + i}") for i in range(6)]
        for pod in self.pods:
            pod.eni, pod.phase, pod.node = self.node.eni, self.node.phase, self.node
        self.reports = self.host("10.1.1.10")
        self.peers = [self.host(f"10.1.2.{20 + i}") for i in range(4)]
        self.office = [self.host(f"192.168.7.{20 + i}", False) for i in range(5)]
        self.standby = self.host("10.0.1.200")
        self.outside = [Host(f"198.51.100.{1 + i}") for i in range(30)]
        self.clients = [Host(f"203.0.113.{1 + i}") for i in range(120)]
        self.scaled = []
        for i in range(6):
            h = self.host(f"10.0.{1 + i % 2}.{60 + i}")
            first = self.random.randrange(10, self.minutes // 2)
            h.begin, h.end = T0 + first * 60, T0 + (first + self.random.randrange(40, self.minutes // 2)) * 60
            self.scaled.append(h)
        self.kept = {}

    # Records

    def record(self, host, way, src, dst, sport, dport, proto, packets, size, at, flags=0, action="ACCEPT", shown=None):
        if host.eni is None or not packets or (host.end is not None and at > host.end):
            return
        start = (at - host.phase) // 60 * 60 + host.phase
        if self.cloud == "azure":
            self.tuple_of(host, way, src, dst, sport, dport, proto, packets, size, at, start, action)
            return
        if self.cloud == "gcp":
            self.entry_of(host, way, src, dst, sport, dport, proto, packets, size, at, start, action)
            return
        a, b = shown or (src, dst)
        node = getattr(host, "node", None)
        if node:
            a, b = (node.ip if a == host.ip else a), (node.ip if b == host.ip else b)
        row = f"{5 if self.flags else 2} 111122223333 {host.eni} {a} {b} {sport} {dport} {proto} {packets} {size} {start} {start + 59} {action} OK"
        if self.flags:
            row += f" {flags if proto == TCP else 0} {src} {dst} {'ingress' if way == 'in' else 'egress'}"
        chance = self.random.random()
        if chance < 3e-5:
            return  # never delivered
        self.rows.append((start + 60 + host.phase % 7, row))
        if chance > 1 - 3e-5:
            self.rows.append((start + 61, row))

    def tuple_of(self, host, way, src, dst, sport, dport, proto, packets, size, at, start, action):
        """Azure: both directions of a flow in one tuple, told from who began it."""
        key = (start, host.eni, frozenset(((src, sport), (dst, dport))), proto, action)
        flow = self.flows.setdefault(key, [src, dst, sport, dport, "O" if way == "out" else "I", at, 0, 0, 0, 0])
        back = 0 if (src, sport) == (flow[0], flow[2]) else 2
        flow[6 + back] += packets
        flow[7 + back] += size

    def entry_of(self, host, way, src, dst, sport, dport, proto, packets, size, at, start, action):
        """GCP: sampled packets; rejects are in another log."""
        if action == "REJECT" or self.random.random() > 0.5:
            return
        time = lambda t: datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        side = "src" if way == "out" else "dest"
        self.rows.append((start + 60, json.dumps({"insertId": f"i{len(self.rows)}", "jsonPayload": {
            "connection": {"src_ip": src, "src_port": sport, "dest_ip": dst, "dest_port": dport, "protocol": proto},
            f"{side}_instance": {"project_id": "example", "vm_name": host.eni}, "reporter": side.upper(), "packets_sent": str(packets),
            "bytes_sent": str(size), "start_time": time(start), "end_time": time(start + 59)},
            "logName": "projects/example/logs/compute.googleapis.com%2Fvpc_flows", "timestamp": time(start + 64)})))

    def azure_rows(self):
        groups = {}
        for (start, eni, _, proto, action), f in self.flows.items():
            state, counts = ("D", "0,0,0,0") if action == "REJECT" else ("E", ",".join(map(str, f[6:])))
            groups.setdefault((start, eni), []).append(f"{f[5] * 1000},{f[0]},{f[1]},{f[2]},{f[3]},{proto},{f[4]},{state},NX,{counts}")
        for (start, eni), tuples in groups.items():
            self.rows.append((start + 60, json.dumps({
                "time": datetime.datetime.fromtimestamp(start, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"), "flowLogVersion": 4,
                "macAddress": "00005E" + eni[-6:].upper(), "category": "FlowLogFlowEvent",
                "flowRecords": {"flows": [{"aclID": "a", "flowGroups": [{"rule": "UserRule", "flowTuples": tuples}]}]}})))

    def both(self, sender, receiver, sport, dport, proto, packets, size, at, flags=0):
        self.record(sender, "out", sender.ip, receiver.ip, sport, dport, proto, packets, size, at, flags)
        self.record(receiver, "in", sender.ip, receiver.ip, sport, dport, proto, packets, size, at, flags)

    def next_port(self):
        self.port = 32768 + (self.port - 32767) % 28000
        return self.port

    # Conversations

    def fate(self, c, s, port, proto, at, kept=False):
        for incident in self.incidents:
            fate = incident.fate(self, c, s, port, proto, at, kept)
            if fate:
                return fate
        if s.end is not None and at > s.end:
            return "silent"
        return "aborted" if not kept and proto == TCP and self.random.random() < 2e-4 else None

    def talk(self, c, s, port, at, ask=(6, 900), answer=(6, 4200), proto=TCP, sport=None):
        """A short conversation."""
        sport = sport or self.next_port()
        fate = self.fate(c, s, port, proto, at)
        if fate is None:
            self.both(c, s, sport, port, proto, *ask, at, SYN | FIN)
            self.both(s, c, port, sport, proto, *answer, at, SYNACK | FIN)
            if proto == TCP:
                self.tail(c, s, sport, port, at)
            return
        self.fail(fate, c, s, sport, port, proto, at, (4, 240) if proto == TCP else ask, SYN)

    def tail(self, c, s, sport, port, at):
        """What comes after the end of a connection: a packet that asks nothing, let through or not."""
        chance = self.random.random()
        if chance < 0.01:
            self.both(c, s, sport, port, TCP, 1, 40, at + 60, RST)
        elif chance < 0.015:
            self.both(s, c, port, sport, TCP, 1, 52, at + 60, FIN)
        elif chance < 0.017:
            self.record(s, "out", s.ip, c.ip, port, sport, TCP, 1, 40, at + 60, RST)
            self.record(c, "in", s.ip, c.ip, port, sport, TCP, 1, 40, at + 60, RST, "REJECT")

    def go_on(self, c, s, port, at, ask=(20, 4000), answer=(20, 20000), proto=TCP, key=0):
        """A minute of a connection that is kept."""
        sport = self.kept.setdefault((c.ip, s.ip, port, key), self.next_port())
        fate = self.fate(c, s, port, proto, at, True)
        if fate is None:
            self.both(c, s, sport, port, proto, *ask, at)
            self.both(s, c, port, sport, proto, *answer, at)
            return
        self.fail(fate, c, s, sport, port, proto, at, (5, 1200), 0)

    def fail(self, fate, c, s, sport, port, proto, at, ask, flags):
        out = lambda action="ACCEPT": self.record(c, "out", c.ip, s.ip, sport, port, proto, *ask, at, flags, action)
        came = lambda action="ACCEPT": self.record(s, "in", c.ip, s.ip, sport, port, proto, *ask, at, flags, action)
        reply = (4, 240)
        back = lambda by=s, action="ACCEPT": self.record(by, "out", s.ip, c.ip, port, sport, proto, *reply, at, flags and SYNACK, action)
        if fate == "rejected-out":
            out("REJECT")
            return
        out()
        if fate == "lost" or fate == "aborted":
            return
        came("REJECT" if fate == "rejected-in" else "ACCEPT")
        if fate == "reply-rejected":
            back(action="REJECT")
        elif fate == "reply-rejected-in":
            back()
            self.record(c, "in", s.ip, c.ip, port, sport, proto, *reply, at, flags and SYNACK, "REJECT")
        elif fate == "reply-lost":
            back()
        elif fate == "elsewhere":
            back(self.second)
        elif fate == "refused":
            self.both(s, c, port, sport, TCP, ask[0], 40 * ask[0], at, RST)
        elif fate == "small":
            self.both(c, s, sport, port, TCP, 5, 900, at, SYN)
            self.record(s, "out", s.ip, c.ip, port, sport, TCP, 9, 9600, at, SYNACK)
            self.record(c, "in", s.ip, c.ip, port, sport, TCP, 3, 164, at, SYNACK)

    def translated(self, c, nat, h, port, at):
        """Through a NAT gateway: four directions at its interface."""
        sport, other = self.next_port(), self.random.randrange(1024, 65000)
        show = (c.ip, nat.ip)
        fate = self.fate(c, h, port, TCP, at)
        ask, answer = (((4, 240), None) if fate else ((7, 1100), (8, 6000)))
        flags = SYN if fate else SYN | FIN
        self.record(c, "out", c.ip, h.ip, sport, port, TCP, *ask, at, flags, "REJECT" if fate == "rejected-out" else "ACCEPT")
        if fate in ("rejected-out", "lost"):
            return
        self.record(nat, "in", c.ip, h.ip, sport, port, TCP, *ask, at, flags, shown=show)
        if fate == "nat-full":
            return
        self.record(nat, "out", nat.ip, h.ip, other, port, TCP, *ask, at, flags)
        if fate:
            return
        self.record(nat, "in", h.ip, nat.ip, port, other, TCP, *answer, at, SYNACK | FIN)
        self.record(nat, "out", h.ip, c.ip, port, sport, TCP, *answer, at, SYNACK | FIN, shown=(nat.ip, c.ip))
        self.record(c, "in", h.ip, c.ip, port, sport, TCP, *answer, at, SYNACK | FIN)

    # Traffic

    def times(self, per_minute):
        n = int(per_minute) + (self.random.random() < per_minute % 1)
        return [self.random.randrange(60) for _ in range(n)]

    def live_apps(self, at):
        return self.apps + [h for h in self.scaled if h.begin <= at <= h.end + 45]

    def minute(self, m):
        r, at = self.random, T0 + m * 60
        base = 560
        s = max(0.15, (self.rate - base) / 130) if self.rate > base else 0.15
        for t in self.times(8 * s):
            self.talk(r.choice(self.clients), r.choice(self.balancers), 443, at + t)
        for t in self.times(12 * s):
            self.talk(r.choice(self.balancers), r.choice(self.live_apps(at + t)), 8080, at + t)
        for t in self.times(8 * s):
            self.talk(r.choice(self.apps), r.choice(self.resolvers), 53, at + t, (1, 70), (1, 180), UDP)
        for t in self.times(4 * s):
            i = r.randrange(8)
            self.translated(self.apps[i], self.nats[i % 2], r.choice(self.outside), 443, at + t)
        self.every_minute(m, at)
        self.noise(m, at, s)

    def every_minute(self, m, at):
        r = self.random
        for i, app in enumerate(self.apps):
            self.go_on(app, self.dbs[i % 2], 5432, at + 5)
            self.go_on(app, self.cache, 6379, at + 7, key=1)
            if i % 2 == m % 2:
                self.talk(app, self.reports, 8443, at + 11 + i)
        for b in self.balancers:
            for app in self.live_apps(at):
                for t in (3, 33):
                    self.talk(b, app, 8080, at + t, (5, 420), (5, 510))
        for i, h in enumerate(self.apps + self.dbs + [self.cache] + self.workers + self.resolvers):
            self.talk(self.prometheus, h, 9100, at + i, (6, 600), (12, 14000))
            sport = 40000 + i
            self.both(h, self.syslog, sport, 514, UDP, 5, 900, at + 1)
            self.both(h, self.statsd, sport, 8125, UDP, 30, 2900, at + 2)
        for n in self.nats:
            self.both(n, self.statsd, 45000, 2055, UDP, 6, 4000, at)
        for i, w in enumerate(self.workers):
            if m % 10 == i:
                self.talk(w, self.dbs[0], 5432, at + 9)
            if m % 5 == 0:
                self.both(w, self.outside[i], 123, 123, UDP, 1, 76, at)
                self.both(self.outside[i], w, 123, 123, UDP, 1, 76, at)
            self.record(w, "out", w.ip, "224.0.0.251", 5353, 5353, UDP, 1, 120, at)
        for pod in self.pods:
            self.talk(pod, self.dbs[1], 5432, at + 21)
        for p in self.peers:
            self.talk(p, self.apps[0], 8080, at + 15)
            self.go_on(p, self.reports, 5432, at + 16)
        for o in self.office:
            self.talk(o, self.apps[1], 8080, at + 17)
        if m % 90 < 9:  # a backup: a large transfer
            self.go_on(self.workers[0], self.reports, 873, at, (90000, 125000000), (30000, 1560000), key=m // 90)
        row = f"{5 if self.flags else 2} 111122223333 {self.standby.eni} - - - - - - - {at} {at + 59} - NODATA" + (" - - - -" if self.flags else "")
        if self.cloud == "aws":
            self.rows.append((at + 60, row))

    def noise(self, m, at, s):
        r = self.random
        for t in self.times(6 + s):
            scanner = Host(f"198.18.{r.randrange(250)}.{r.randrange(1, 250)}")
            target = r.choice(self.balancers + self.nats + [self.bastion])
            accepted = target in self.nats and r.random() < 0.3
            self.record(target, "in", scanner.ip, target.ip, r.randrange(1024, 65000), r.choice((22, 23, 445, 3389, 8080, r.randrange(1, 65000))),
                        TCP, 1, r.choice((40, 44, 60)), at + t, SYN, "ACCEPT" if accepted else "REJECT")
        if m % 3 == 0:
            self.talk(Host(f"198.18.9.{r.randrange(1, 9)}"), self.bastion, 22, at, (12, 1900), (13, 2500))
        # Always so: a forgotten agent asks a host that is gone, another one a port that is closed to it.
        self.record(self.workers[5], "out", self.workers[5].ip, "10.0.21.99", self.next_port(), 9999, TCP, 3, 180, at, SYN)
        if m % 5 == 0:
            sport = self.next_port()
            self.record(self.workers[4], "out", self.workers[4].ip, self.cache.ip, sport, 22, TCP, 3, 180, at, SYN)
            self.record(self.cache, "in", self.workers[4].ip, self.cache.ip, sport, 22, TCP, 3, 180, at, SYN, "REJECT")
        if r.random() < 0.02:  # an ICMP error
            self.both(self.apps[0], r.choice(self.workers), 0, 0, ICMP, 1, 56, at)

    def lines(self):
        for m in range(self.minutes):
            self.minute(m)
            for incident in self.incidents:
                incident.extra(self, m, T0 + m * 60)
        self.azure_rows()
        self.rows.sort(key=lambda row: row[0])
        if self.cloud != "aws":
            return [row for _, row in self.rows]
        return [V5 if self.flags else V2] + [row for _, row in self.rows]


class Incident:
    """What goes wrong: fate of a conversation that matches, from a second to another."""

    def __init__(self, name, kinds, place, match, fate, share=1.0, first=90, length=None, kept=True):
        self.name, self.kinds, self.place, self.match, self.what = name, kinds, place, match, fate
        self.share, self.kept = share, kept
        self.first = T0 + first * 60
        self.last = self.first + length * 60 if length else None
        self.extra_records = None
        self.count, self.hits = 0, None

    def fate(self, day, c, s, port, proto, at, kept):
        if at < self.first or (self.last and at >= self.last) or (kept and not self.kept):
            return None
        if not self.match(day, c, s, port, proto) or day.random.random() >= self.share:
            return None
        self.count += 1
        self.hits = (min(at, self.hits[0]), max(at, self.hits[1])) if self.hits else (at, at)
        return self.what

    def extra(self, day, m, at):
        if self.extra_records and at >= self.first and not (self.last and at >= self.last):
            self.extra_records(self, day, at)
