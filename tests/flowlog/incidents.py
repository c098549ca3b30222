"""Incidents for a Day, each in three strengths: what share of the requests fails, or for how long."""
from day import SYN, SYNACK, TCP, Host, Incident

ABSENT = {"flowlog-unreachable", "flowlog-one-way", "flowlog-loss"}


def to(name, index=None, port=None):
    def match(day, c, s, p, proto):
        target = getattr(day, name)
        hosts = [target] if not isinstance(target, list) else target if index is None else [target[index]]
        return s in hosts and (port is None or p == port)
    return match


def flood(incident, day, at):
    for i in range(int(600 * incident.share)):
        source = Host(f"100.70.{day.random.randrange(250)}.{day.random.randrange(250)}".replace("100.70", "198.19"))
        b, sport = day.balancers[0], day.random.randrange(1024, 65000)
        day.record(b, "in", source.ip, b.ip, sport, 443, TCP, 1, 60, at + i % 60, SYN)
        day.record(b, "out", b.ip, source.ip, 443, sport, TCP, 2, 120, at + i % 60, SYNACK)


def idle(incident, day, at):
    """Connections that pause for ten minutes and are forgotten meanwhile."""
    minute = (at - incident.first) // 60
    for i in range(int(20 * incident.share)):
        if (minute - i) % 11 == 10:
            w, db, sport = day.workers[i % 6], day.dbs[1], 50000 + i + minute // 11 * 100
            day.both(w, db, sport, 5432, TCP, 9, 2000, at - 600, SYN)
            day.both(db, w, 5432, sport, TCP, 9, 5000, at - 600, SYNACK)
            day.record(w, "out", w.ip, db.ip, sport, 5432, TCP, 5, 900, at, 0)
            incident.count += 1


def large(incident, day, at):
    day.go_on(day.workers[1], day.reports, 874, at, (int(400000 * incident.share), int(600000000 * incident.share)), (90000, 4700000))


def end_instance(incident, day, at):
    day.cache.end = incident.first


def all_incidents(strength=1.0):
    """name -> Incident. strength: 1, 0.5, 0.25."""
    s = strength
    length = max(12, int(100 * s))
    made = [
        Incident("security-group", {"flowlog-reject"}, "10.0.11.30", to("cache", port=6379), "rejected-in", 1, length=length),
        Incident("security-group-app", {"flowlog-reject"}, "8080", lambda d, c, v, p, q: v in d.apps and p == 8080 and c in d.balancers, "rejected-in", s, kept=False),
        Incident("egress-rule", {"flowlog-reject"}, "443", lambda d, c, v, p, q: c in d.apps and v in d.outside and p == 443, "rejected-out", 1, length=length),
        Incident("acl-ephemeral", {"flowlog-reject"}, "10.0.11.", lambda d, c, v, p, q: v.ip.startswith("10.0.11."), "reply-rejected", 1, length=length),
        Incident("acl-ephemeral-client", {"flowlog-reject"}, "10.0.21.", lambda d, c, v, p, q: v in d.resolvers, "reply-rejected-in", s),
        Incident("deaf", {"host-dark"}, "10.0.11.10", lambda d, c, v, p, q: v is d.dbs[0], "silent", 1, length=max(3, int(12 * s))),
        Incident("nat-full", ABSENT, "443", lambda d, c, v, p, q: c in d.apps and v in d.outside and p == 443, "nat-full", max(s, 0.3), length=length),
        Incident("terminated", ABSENT, "10.0.11.30", to("cache"), "lost", 1),
        Incident("service-down", {"flowlog-refused"}, "10.1.1.10:8443", to("reports", port=8443), "refused", 1, length=length),
        Incident("full-size-gone", {"flowlog-mtu"}, "10.1.1.10:8443", to("reports", port=8443), "small", 1, length=length),
        Incident("resolver-limit", ABSENT, "53", lambda d, c, v, p, q: v in d.resolvers and p == 53, "silent", max(0.15, s * 0.4), length=length),
        Incident("resolver-dead", ABSENT, "10.0.21.2:53", to("resolvers", 0, 53), "silent", 1, length=length),
        Incident("other-interface", ABSENT, "10.0.11.10", lambda d, c, v, p, q: v is d.dbs[0], "elsewhere", 1, length=length),
        Incident("one-zone", ABSENT, "10.1.1.10", lambda d, c, v, p, q: v is d.reports and c.ip.startswith("10.0.2."), "lost", 1, length=length),
        Incident("peering-one-way", ABSENT, "10.0.1.10:8080", lambda d, c, v, p, q: c in d.peers and v is d.apps[0], "reply-lost", 1, length=length),
        Incident("route-lost", ABSENT, "10.1.1.10", to("reports"), "lost", 1, length=length),
        Incident("target-silent", ABSENT, "10.0.1.11:8080", to("apps", 2, 8080), "silent", max(s, 0.5), length=length),
        Incident("internet-gone", ABSENT, "443", lambda d, c, v, p, q: c in d.apps[::2] and v in d.outside, "lost", 1, length=length),
        Incident("balancer-closed", {"flowlog-reject"}, "443", lambda d, c, v, p, q: v in d.balancers, "rejected-in", 1, length=length),
        Incident("worker-cut-off", ABSENT, "10.0.1.10", lambda d, c, v, p, q: c is d.apps[0], "lost", 1, length=length),
        Incident("scrape-blocked", {"flowlog-reject"}, "9100", lambda d, c, v, p, q: p == 9100, "rejected-in", 1, length=length),
        Incident("office-cut-off", {"flowlog-reject"}, "10.0.2.10:8080", lambda d, c, v, p, q: c in d.office, "rejected-in", 1, length=length),
    ]
    never = lambda d, c, v, p, q: False
    more = [
        Incident("syn-flood", {"flowlog-flood"}, "10.0.0.5", never, None, s, length=20),
        Incident("idle-timeout", {"flowlog-idle"}, "10.0.12.10", never, None, max(s, 0.5)),
        Incident("instance-ended", ABSENT, "10.0.11.30", never, None, s),
        Incident("large-transfer", set(), "", never, None, s, length=30),
    ]
    for incident, extra in zip(more, (flood, idle, end_instance, large)):
        incident.extra_records = extra
    # Too few requests to prove anything: nothing may be said.
    faint = [
        Incident("faint-reject", set(), "", lambda d, c, v, p, q: c is d.office[0], "rejected-in", 1, length=4),
        Incident("faint-loss", set(), "", lambda d, c, v, p, q: c is d.peers[0] and v is d.apps[0], "lost", 1, length=4),
        Incident("faint-silence", set(), "", lambda d, c, v, p, q: v is d.apps[3] and c is d.balancers[0] and p == 8080, "silent", 0.3, length=2),
    ]
    return {i.name: i for i in made + more + faint}
