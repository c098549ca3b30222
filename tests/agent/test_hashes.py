"""What the agent keeps of payload that it cuts: both ends are joined by it, and it says nothing."""
import os
from lab import *
from test_drops import DropLab

SECRET = b"SECRETOFTHEPAYLOAD"
# Ports by what happens on the way: IPv6 and IPv4, with loss and without.
PORTS = {5006: "fd78::3", 5004: "10.78.0.3", 5016: "fd78::3", 5014: "10.78.0.3"}
BURSTS = """import socket, sys, time
for port, address in %r.items():
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as s:
        for i in range(150):
            for k in range(10):
                s.sendto((i * 10 + k).to_bytes(4, "big") + %r * 20, (address, port))
            time.sleep(0.005)
""" % (PORTS, SECRET)
# Ten datagrams a record (UDP_SEGMENT), which the router sends on one by one.
MERGED = """import os, socket, time
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
    s.setsockopt(17, 103, 400)
    for i in range(50):
        s.sendto(os.urandom(4000), ("fd78::3", 5018))
        time.sleep(0.005)
"""


class HashLab(DropLab):
    """IPv6 as well, and a router that drops every thirtieth datagram to two ports."""

    def wire(self):
        super().wire()
        for ns, dev in ((self.b, "eth1"), (self.c, "eth0")):
            run("ip", "-n", ns, "link", "set", dev, "mtu", "1500")  # IPv6 needs 1280
        for ns in (self.a, self.b, self.c):
            run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.default.disable_ipv6=0", ns=ns)
        run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1", ns=self.b)
        for ns, dev, address in ((self.a, "eth0", "fd77::1"), (self.b, "eth0", "fd77::2"), (self.b, "eth1", "fd78::2"), (self.c, "eth0", "fd78::3")):
            run("sysctl", "-qw", f"net.ipv6.conf.{dev}.disable_ipv6=0", ns=ns)
            run("ip", "-n", ns, "addr", "add", address + "/64", "dev", dev, "nodad")
        run("ip", "-n", self.a, "route", "add", "default", "via", "fd77::2")
        run("ip", "-n", self.c, "route", "add", "default", "via", "fd78::2")
        run("nft", "-f", "-", ns=self.b, input="".join(f"""table inet t {{
            counter c{port} {{ }}
            chain f {{ type filter hook forward priority 0;
                udp dport {port} numgen inc mod 30 == 7 counter name c{port} drop
            }}
            }}\n""" for port in (5006, 5004)))
        run("ping", "-qc2", "-i0.2", "fd78::3", ns=self.a)

    def key(self, name, digits):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(digits + "\n")
        os.chmod(path, 0o600)
        return path

    def one_end(self, name, end, *words):
        ns = self.a if end == "client" else self.c
        return self.agent(ns, self.folder(f"{name}-{end}"), "--name", end, "--buffer", "4M", *words)

    def both_ends(self, name, *words):
        return [self.one_end(name, end, *words) for end in ("client", "server")]

    def paths(self, agents, *options):
        """What became of the datagrams to each port: sent, delivered, lost, and the kinds of findings."""
        kinds = {f["kind"] for f in self.analyze(*options, *(f"{n}={f}" for n, a in zip(("client", "server"), agents) for f in a.files()))}
        rows = self.query("SELECT flow.server_port AS port, sum(sent) AS sent, sum(delivered) AS delivered, sum(lost) AS lost, sum(unjudged) AS unjudged"
                          " FROM path JOIN flow ON flow.id = flow_id WHERE protocol = 'udp' AND flow.server_port BETWEEN 5000 AND 5020"
                          " GROUP BY 1")
        return {r["port"]: (r["sent"], r["delivered"], r["lost"], r["unjudged"]) for r in rows}, kinds

    def query(self, sql):
        rows = json.loads(run(os.path.join(BUILD, "analyzer/bothends"), "query", self.dir + "/incident.db", "--format", "json", sql).stdout)
        return rows["rows"] if isinstance(rows, dict) else rows


def test_hashes():
    """1,500 datagrams a port at the agent's defaults: joined like those with payload; so are 50 records of ten that
    offload merged; with other keys nothing wrong is said."""
    need("ethtool")
    with HashLab() as lab:
        keys = [lab.key("one", "00112233445566778899aabbccddeeff"), lab.key("two", "ff" * 16)]
        runs = {"cut": lab.both_ends("cut"), "whole": lab.both_ends("whole", "--payload", "yes", "--snaplen", "2000"),
                "keyed": lab.both_ends("keyed", "--payload-key", keys[0])}
        runs["apart"] = [runs["keyed"][0], lab.one_end("apart", "server", "--payload-key", keys[1])]
        run("ethtool", "-K", "eth1", "tx-udp-segmentation", "off", ns=lab.b)
        run("python3", "-c", BURSTS, ns=lab.a)
        run("python3", "-c", MERGED, ns=lab.a)
        time.sleep(0.3)
        dropped = {p: lab.counter(f"c{p}") if p in (5006, 5004) else 0 for p in PORTS}
        truth = {p: (1500, 1500 - n, n, 0) for p, n in dropped.items()} | {5018: (500, 500, 0, 0)}
        check(min(dropped[5006], dropped[5004]) > 40, f"dropped {dropped}")
        held = {}
        for a in {a for agents in runs.values() for a in agents}:
            a.stop()
        for name, agents in runs.items():
            for a in agents:
                held.setdefault(name, set()).update(SECRET in open(f, "rb").read() for f in a.files())
        check(held == {"cut": {False}, "whole": {True}, "keyed": {False}, "apart": {False}}, f"payload in the files: {held}")
        got = {name: lab.paths(agents) for name, agents in runs.items() if name != "apart"}
        for name, (paths, kinds) in got.items():
            check(paths == truth, f"{name}: {paths}, the router dropped {dropped}")
            check(kinds == got["whole"][1], f"{name}: {kinds}, with payload {got['whole'][1]}")
        records = [sum(len(tshark(f, "udp.dstport == 5018 && !icmpv6", "frame.len")) for f in a.files()) for a in runs["cut"]]
        check(records == [50, 500], f"offload made {records} records")
        paths, kinds = lab.paths(runs["apart"])
        check(paths[5018] == truth[5018], f"other keys, merged records: {paths[5018]}")
        check(all(p[0] == 1500 and p[2] <= dropped[port] for port, p in paths.items() if port in PORTS), f"other keys: {paths}, dropped {dropped}")
        check(kinds <= got["whole"][1], f"other keys: {kinds}")
        report = run(os.path.join(BUILD, "analyzer/bothends"), "report", lab.dir + "/incident.db").stdout
        check("under different keys" in report, f"no word of the keys: {report}")
    return f"of 6500 datagrams {sum(dropped.values())} lost, with hashes as with payload"
