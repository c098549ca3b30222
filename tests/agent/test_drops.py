"""The kernel's drops: reason and number against the kernel's own counters, and what the analyzer says of them."""
import collections, json, os, subprocess, time
from lab import *
from test_load import cpu_s

HERE = os.path.dirname(os.path.abspath(__file__))
KEEP = os.environ.get("AGENT_RECORD")  # a folder: the captures and their truth are kept there (record_drops.sh)


def need_drops():
    if not os.path.exists("/sys/kernel/btf/vmlinux"):
        raise Skip("this kernel has no BTF")
    with open("/proc/version") as f:
        release = f.read().split()[2]
    if tuple(int(x) for x in re.findall(r"\d+", release)[:2]) < (6, 1):
        raise Skip(f"Linux {release} gives few reasons")
    p = run(agent_path(), "-i", "lo", "-w", "/nonexistent", "--drops", "maybe", ok=False)
    check("must be yes, no or own" in p.stderr, p.stderr)


class DropLab(Lab):
    """And a third namespace behind B, which routes: 10.78.0.3, by a link with an MTU of 1000."""

    def wire(self):
        super().wire()
        self.c = f"agC{os.getpid()}"
        run("ip", "netns", "add", self.c)
        run("ip", "link", "add", "eth1", "netns", self.b, "mtu", "1000", "type", "veth", "peer", "name", "eth0", "netns", self.c, "mtu", "1000")
        for ns, dev, n in ((self.b, "eth1", 2), (self.c, "eth0", 3)):
            run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", ns=ns)
            run("ip", "-n", ns, "addr", "add", f"10.78.0.{n}/24", "dev", dev)
            run("ip", "-n", ns, "link", "set", dev, "up")
        run("ip", "-n", self.a, "route", "add", "10.78.0.0/24", "via", "10.77.0.2")
        run("ip", "-n", self.c, "route", "add", "default", "via", "10.78.0.2")
        run("ip", "-n", self.a, "addr", "add", "10.99.0.9/32", "dev", "lo")
        run("ip", "-n", self.b, "route", "add", "10.99.0.0/24", "dev", "eth1")
        run("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.eth0.rp_filter=1", "net.ipv4.tcp_syncookies=0", ns=self.b)
        run("ping", "-qc1", "10.78.0.3", ns=self.a)

    def __exit__(self, *why):
        super().__exit__(*why)
        subprocess.run(["ip", "netns", "del", f"agC{os.getpid()}"], capture_output=True)

    def send(self, *words):
        return run("python3", HERE + "/drops_send.py", *words, ns=self.a)

    def serve(self):
        p = subprocess.Popen(["ip", "netns", "exec", self.b, "python3", HERE + "/drops_serve.py"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        self.processes.append(p)
        self.server = p
        check(p.stdout.readline() == "ready\n", "no server")

    def ask(self, line):
        self.server.stdin.write(line + "\n")
        self.server.stdin.flush()
        return self.server.stdout.readline().strip()

    def counter(self, name):
        return int(re.search(rf"counter {name} {{\s+packets (\d+)", run("nft", "list", "counters", ns=self.b).stdout)[1])

    def stat(self, name):
        rows = json.loads(run("nstat", "-ajz", name, ns=self.b).stdout)["kernel"]
        return rows[name]


RULES = """table inet t {
	counter in_udp { }
	counter in_tcp { }
	counter through { }
	chain i {
		type filter hook input priority 0;
		udp dport 1001 counter name in_udp drop
		tcp dport 1002 counter name in_tcp drop
	}
	chain f {
		type filter hook forward priority 0;
		udp dport 1010 counter name through drop
	}
}
"""


def traffic(lab):
    """Every kind of drop; what the kernel counted: {(host, reason, port): packets}."""
    truth, begin = {}, time.time()
    run("nft", "-f", "-", ns=lab.b, input=RULES)
    lab.serve()
    lab.send("udp", "10.77.0.99", 1014, 3, 100)  # fails after three seconds, while the rest goes on
    lab.send("udp", "10.77.0.2", 1001, 7, 100)
    lab.send("connect", 1002, 2, 0.2)
    lab.send("udp", "10.78.0.3", 1010, 5, 100)
    lab.send("udp", "10.77.0.2", 1012, 4, 100, "10.99.0.9")
    lab.send("udp", "10.78.0.3", 1011, 4, 1200, "", 1)
    lab.send("udp", "10.77.0.2", 1017, 3, 100)
    lab.send("connect", 1018, 1, 0.1)
    lab.send("paws", 1004, 3)
    lab.send("bad_checksum", 1004, 4)
    lab.send("late", 1004, 2)
    lab.send("udp", "10.77.0.2", 1016, 40, 500)
    truth["server", "SOCKET_RCVBUFF", 1016] = int(lab.ask("drops"))
    run("ip", "-n", lab.b, "link", "set", "eth0", "promisc", "on")
    lab.send("other_host", 6)
    run("ip", "-n", lab.b, "link", "set", "eth0", "promisc", "off")
    lab.ask("raw")
    lab.send("udp", "10.77.0.2", 1015, 60, 500)
    lab.ask("no raw")
    run("ip", "-n", lab.b, "neigh", "replace", "10.77.0.9", "lladdr", "02:00:00:00:77:55", "dev", "eth0", "nud", "permanent")
    lab.send("overflow", 1003, 4)
    time.sleep(0.2)
    truth["server", "TCP_LISTEN_OVERFLOW", 1003] = lab.stat("TcpExtListenOverflows")
    run("tc", "-n", lab.a, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", "200kbit", "burst", "1600", "limit", "3000")
    lab.send("udp", "10.77.0.2", 1015, 30, 500)
    time.sleep(0.5)
    q = json.loads(run("tc", "-n", lab.a, "-s", "-j", "qdisc", "show", "dev", "eth0").stdout)[0]
    check(q["backlog"] == 0 and q["drops"] > 5, f"the queue: {q}")
    run("tc", "-n", lab.a, "qdisc", "del", "dev", "eth0", "root")
    truth["client", "QDISC", 1015] = q["drops"]
    truth["server", "NETFILTER_DROP", 1001] = lab.counter("in_udp")
    truth["server", "NETFILTER_DROP", 1002] = lab.counter("in_tcp")
    truth["server", "NETFILTER_DROP", 1010] = lab.counter("through")
    truth["server", "IP_RPFILTER", 1012] = lab.stat("TcpExtIPReversePathFilter")
    truth["server", "PKT_TOO_BIG", 1011] = 4
    truth["server", "NO_SOCKET", 1017] = lab.stat("UdpNoPorts")
    truth["server", "NO_SOCKET", 1018] = 1
    truth["server", "TCP_RFC7323_PAWS", 1004] = lab.stat("TcpExtPAWSEstab")
    truth["server", "TCP_CSUM", 1004] = lab.stat("TcpInCsumErrors")
    truth["client", "NEIGH_FAILED", 1014] = 3
    time.sleep(max(0.0, begin + 3.5 - time.time()))
    return truth


def recorded(path, host):
    """(host, reason, port) of each record, by tshark."""
    found = collections.Counter()
    for comment, udp, tcp in tshark(path, 'frame.interface_name == "kernel:drops" && ip', "frame.comment", "udp.dstport", "tcp.dstport"):
        found[host, words(comment)["reason"], int(udp or tcp or 0)] += 1
    return found


def test_drops():
    need_drops()
    need("nstat", "tc")
    with DropLab() as lab:
        agents = {name: lab.agent(ns, lab.folder(name), "--name", name, "--drops", "own", "--payload", "yes",
                                   "--facts", "no") for name, ns in
                  (("client", lab.a), ("server", lab.b))}
        time.sleep(0.3)
        truth = traffic(lab)
        for name, a in agents.items():
            a.stop()
            received, written, kernel, own = a.total("kernel:drops")
            check(received == written and not kernel and not own, a.text)
        if KEEP:
            keep(agents, truth)
        seen = sum((recorded(a.files()[0], name) for name, a in agents.items()), collections.Counter())
        for (host, reason, port), packets in truth.items():
            got = sum(n for (h, r, p), n in seen.items() if h == host and r.startswith(reason) and p == port)
            check(got == packets > 0, f"{host} {reason} {port}: {packets} by the kernel's counter, {got} recorded: {dict(seen)}")
        check(seen["server", "OTHERHOST", 1031] == 6, f"frames for another host: {dict(seen)}")
        findings = lab.analyze(*(f"{n}={f}" for n, a in agents.items() for f in a.files()))
        judged(findings, truth)
        check_rows(lab, truth)
    return f"{len(truth)} kinds, {sum(truth.values())} packets, each as the kernel counted it"


def judged(findings, truth):
    """Each kind of drop is a finding with its number, and nothing else is called a drop."""
    told = {}
    for f in findings:
        if f["kind"] in ("host-drop", "firewall-drop"):
            d = json.loads(f["detail"])
            told[d["reason"], d.get("port")] = f
    for (host, reason, port), packets in truth.items():
        f = [x for (r, p), x in told.items() if r.startswith(reason) and p == port]
        check(len(f) == 1 and f[0]["count"] == packets, f"{reason} {port}: {packets}, findings {[x['summary'] for x in told.values()]}")
        check(f"the kernel of {host} dropped" in f[0]["summary"], f[0]["summary"])
        way = "before they left" if host == "client" else "had reached it"
        check(way in f[0]["summary"], f[0]["summary"])
        firewall = reason in ("NETFILTER_DROP", "IP_RPFILTER")
        check(f[0]["kind"] == ("firewall-drop" if firewall else "host-drop"), f[0]["kind"])
    check(len(told) == len(truth), f"more than was dropped: {[x['summary'] for x in told.values()]}")


def check_rows(lab, truth):
    """Each packet that came in is joined to its frame at the interface, and to the one at the client."""
    bothends = os.path.join(BUILD, "analyzer/bothends")
    rows = json.loads(run(bothends, "query", lab.dir + "/incident.db", "--format", "json",
                          "SELECT reason, dst_port AS port, count(*) AS n, count(seen_frame) AS seen, count(sent_frame) AS sent,"
                          " count(DISTINCT seen_frame) AS frames FROM kernel_drop k JOIN vantage v ON v.id = k.vantage_id"
                          " JOIN host h ON h.id = v.host_id WHERE h.name = 'server' GROUP BY 1, 2").stdout)
    for r in rows["rows"] if isinstance(rows, dict) else rows:
        if ("server", r["reason"], r["port"]) in truth:
            check(r["n"] == r["seen"] == r["sent"] == r["frames"], f"not each joined: {r}")


def without_facts(path):
    """The blocks of a capture, without what they say of this machine."""
    out = b""
    for kind, body in blocks(path):
        if kind == 0x0A0D0D0A:
            body = body[:16]
        elif kind == 5:
            kept = [(c, v) for c, v in options(body, 12) if c != 1]
            body = body[:12] + b"".join(c.to_bytes(2, "little") + len(v).to_bytes(2, "little") + v + bytes(-len(v) % 4) for c, v in kept) + bytes(4)
        length = (len(body) + 12).to_bytes(4, "little")
        out += kind.to_bytes(4, "little") + length + body + length
    return out


def keep(agents, truth):
    inputs = []
    for name, a in agents.items():
        with open(f"{KEEP}/{name}.pcapng", "wb") as f:
            f.write(without_facts(a.files()[0]))
        inputs.append({"name": name, "file": f"{name}.pcapng", "frames": packets(a.files()[0])})
    drops = [{"host": h, "reason": r, "port": p, "packets": n, "received": h == "server"} for (h, r, p), n in sorted(truth.items())]
    with open(KEEP + "/truth.json", "w") as f:
        json.dump({"scenario": "kernel-drops", "claim": "Every packet that a kernel dropped is a finding with the kernel's reason and number,"
                   " unless it is normal to be dropped.", "inputs": inputs, "drops": drops}, f, indent=1)
        f.write("\n")


FLOOD = """table inet t {
	counter c { }
	chain i {
		type filter hook input priority 0;
		udp dport 10000-20000 counter name c drop
	}
}
"""


def flood(rate, *options_, nic=True):
    """A flood that nftables drops: written + lost = what its counter says; nic: and no packet of the interface is lost."""
    seconds = 20 if HEAVY else 1
    with Lab() as lab:
        run("nft", "-f", "-", ns=lab.b, input=FLOOD)
        agent = lab.agent(lab.b, lab.folder("out"), "--drops", "own", "--drop-reasons", "NETFILTER_DROP", "--facts", "no", *options_)
        before = cpu_s(agent.process.pid)
        run("nice", "-n", "-15", BUILD + "/tests/agent/load", "10.77.0.2", rate, seconds, 50, 100, ns=lab.a, timeout=seconds + 60)
        time.sleep(0.5)
        used = cpu_s(agent.process.pid) - before
        agent.stop()
        counted = int(re.search(r"packets (\d+)", run("nft", "list", "counter", "inet", "t", "c", ns=lab.b).stdout)[1])
        received, written, kernel, own = agent.total("kernel:drops")
        check(received == counted == written + kernel + own > 0, f"nftables counted {counted}; {agent.text}")
        at_nic = agent.total("eth0")
        check(not nic or at_nic[0] == at_nic[1], f"the interface lost packets: {agent.text}")
        check(sum(map(packets, agent.files())) == written + at_nic[1], "files")
    return written, kernel + own, f"{counted} dropped at {counted / seconds:.0f}/s = {written} written + {kernel + own} counted, {100 * used / seconds:.0f} % cpu"


def test_drops_rate():
    need_drops()
    written, lost, said = flood(100000 if HEAVY else 30000, "--drop-rate", "5000")
    check(lost > written, f"the limit did nothing: {said}")
    return said


def test_drops_flood():
    need_drops()
    return flood(100000 if HEAVY else 30000, "--drop-rate", "0", nic=False)[2]


def test_drops_default():
    need_drops()
    if not HEAVY:
        raise Skip("heavy.sh only")
    return flood(100000)[2]


def test_drops_without():
    """No rights, no type information: said once, and the rest is recorded; nothing stays behind after kill -9."""
    need_drops()
    need("setpriv", "unshare", "bpftool")
    hide = ("unshare", "-m", "sh", "-c", 'mount -t tmpfs none /sys/kernel/btf && exec "$@"', "sh")
    rights = ("setpriv", "--reuid", "65534", "--clear-groups", "--inh-caps", "+net_raw", "--ambient-caps", "+net_raw")
    with Lab() as lab:
        for name, wrap, why in (("rights", rights, "CAP_BPF and CAP_PERFMON"), ("hide", hide, "no type information")):
            agent = lab.agent(lab.a, lab.folder(name), "--drops", "yes", wrap=wrap)
            run("ping", "-qc2", "-i0.1", "10.77.0.2", ns=lab.a)
            time.sleep(0.2)
            agent.stop()
            check(agent.text.count("drops are not recorded") == 1 and why in agent.text, agent.text)
            check(agent.total("eth0")[1] >= 4, agent.text)
            facts = {k: v for _, k, v in sidecar(agent.files()[0])}
            check(why in facts["drops.unavailable"] and "source.1.name" not in facts, str(facts.get("drops.unavailable")))
        before = programs()
        agent = lab.agent(lab.a, lab.folder("killed"), "--drops", "own")
        check(len(programs()) == len(before) + 1, "no program is loaded")
        agent.process.kill()
        agent.process.wait()
        for _ in range(50):
            if programs() == before:
                break
            time.sleep(0.1)
        check(programs() == before, "a program stays behind")
    return "said once, the rest recorded; no program stays behind"


def programs():
    return [p["id"] for p in json.loads(run("bpftool", "-j", "prog", "show").stdout) if p.get("name") == "drops_on_free"]


SINK = """import socket, threading
s = socket.create_server(("10.55.0.3", 9000))
def swallow(c):
    n = 0
    while (d := c.recv(65536)):
        n += len(d)
    c.close()
print("ready", flush=True)
while True:
    threading.Thread(target=swallow, args=(s.accept()[0],), daemon=True).start()
"""
SOURCE = """import socket
for i in range(6):
    with socket.create_connection(("10.55.0.3", 9000)) as c:
        c.sendall(b"SECRETOFTHEPAYLOAD" * 3000)
        c.shutdown(1)
        c.recv(1)
"""


def test_tunnel_headers():
    """TCP inside VXLAN at the agent's defaults: what a router drops is lost, to the packet, and no payload is in the files."""
    with DropLab() as lab:
        for ns, own, peer, n in ((lab.a, "10.77.0.1", "10.78.0.3", 1), (lab.c, "10.78.0.3", "10.77.0.1", 3)):
            run("ip", "-n", ns, "link", "add", "vx", "mtu", "900", "type", "vxlan", "id", "11", "local", own, "remote", peer, "dstport", "4789")
            run("ip", "-n", ns, "addr", "add", f"10.55.0.{n}/24", "dev", "vx")
            run("ip", "-n", ns, "link", "set", "vx", "up")
        run("ping", "-qc1", "10.55.0.3", ns=lab.a)
        run("nft", "-f", "-", ns=lab.b, input="""table inet t {
            counter c { }
            chain f { type filter hook forward priority 0;
                udp dport 4789 iifname "eth0" meta length > 500 numgen inc mod 17 == 0 counter name c drop
            }
            }\n""")
        sink = lab.background("python3", "-c", SINK, ns=lab.c)
        check(sink.stdout.readline() == "ready\n", "no server")
        for ns in (lab.a, lab.c):
            run("ethtool", "-K", "vx", "gso", "off", "tso", "off", "gro", "off", ns=ns, ok=False)
        agents = {name: lab.agent(ns, lab.folder(name), "--name", name) for name, ns in (("client", lab.a), ("server", lab.c))}
        run("python3", "-c", SOURCE, ns=lab.a)
        time.sleep(0.3)
        for a in agents.values():
            a.stop()
            check(all(b"SECRETOF" not in open(f, "rb").read() for f in a.files()), "payload is in a file")
        dropped = lab.counter("c")
        lab.analyze(*(f"{n}={f}" for n, a in agents.items() for f in a.files()))
        rows = json.loads(run(os.path.join(BUILD, "analyzer/bothends"), "query", lab.dir + "/incident.db", "--format", "json",
                              "SELECT count(DISTINCT flow_id) AS flows, sum(lost) AS lost, sum(unjudged) AS unjudged FROM path"
                              " JOIN flow ON flow.id = flow_id WHERE protocol = 'tcp' AND flow.server_port = 9000").stdout)
        got = (rows["rows"] if isinstance(rows, dict) else rows)[0]
        check(got == {"flows": 6, "lost": dropped, "unjudged": 0} and dropped > 5, f"the router dropped {dropped}: {got}")
    return f"6 connections, {dropped} lost"
