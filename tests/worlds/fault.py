"""The one thing that is wrong in a world: packets dropped at an interface, counted and copied.

A rule drops where the interface's own tap is already passed (ingress) or not yet reached (egress). Before
that it sends a copy of the frame to a veth pair of the node's own, `gone0`, where a capture keeps it.
Queues and routers drop without a rule: there the kernel's own counter says how many, and the witnesses which.
In a host that drops behind its tap nothing is lost on the way.
"""
import re
import socket
import time

COPIES = "gone0"


class Fault:
    def __init__(self, net, spec):
        self.net, self.spec = net, spec["fault"]
        self.places = self.spec.get("at", [])
        self.began_ns = self.ended_ns = None
        for name in self.nodes():
            node = net.nodes[name]
            net.place.wire(node, COPIES, node, "gone1")
            node.sysctl("net.ipv6.conf.gone0.disable_ipv6", 1)
            node.sysctl("net.ipv6.conf.gone1.disable_ipv6", 1)
        prepare = getattr(self, "prepare_" + self.spec["kind"].replace("-", "_"), None)
        if prepare:
            prepare()
        for number, place in enumerate(self.places if self.by_rule() else ()):
            device = net.port[place["node"], place["toward"]]
            net.nodes[place["node"]].nft(
                f"table netdev fault {{\n counter lost{number} {{ }}\n chain at{number} {{\n"
                f"  type filter hook {place['hook']} device \"{device}\" priority 0;\n }}\n}}\n")

    def by_rule(self):
        """Whether it drops by rules of nftables, which count and copy."""
        return self.spec["kind"] not in ("queue", "mtu")

    def nodes(self):
        """Those that keep copies."""
        return sorted({place["node"] for place in self.places}) if self.by_rule() else []

    def device(self):
        """(node, interface) of the only place."""
        place = self.places[0]
        return self.net.nodes[place["node"]], self.net.port[place["node"], place["toward"]]

    def prepare_stale(self):
        """The host has a MAC for its peer that nobody has."""
        self.net.nodes[self.spec["host"]].run(
            "ip", "neigh", "replace", self.net.ip[self.spec["peer"]], "lladdr", STALE,
            "dev", "eth0", "nud", "permanent")

    def prepare_forgets(self):
        """The router takes nothing for a connection's that it has not seen for a second."""
        node = self.net.nodes[self.places[0]["node"]]
        node.nft("table inet forget {\n chain forward { type filter hook forward priority 0;\n"
                 f"  meta l4proto tcp ct state invalid meta mark set {MARK}\n }}\n}}\n")
        node.sysctl("net.netfilter.nf_conntrack_tcp_loose", 0)
        node.sysctl("net.netfilter.nf_conntrack_tcp_timeout_established", 1)

    def prepare_mtu(self):
        """A link between routers narrower than the hosts': of what is larger they complain by ICMP."""
        place = self.places[0]
        for a, b in ((place["node"], place["toward"]), (place["toward"], place["node"])):
            self.net.nodes[a].run("ip", "link", "set", "dev", self.net.port[a, b],
                                  "mtu", str(self.spec["mtu"]))

    def prepare_queue(self):
        node, device = self.device()
        node.run("tc", "qdisc", "add", "dev", device, "root", "tbf", "rate", f"{self.spec['mbit']}mbit",
                 "burst", "6000", "limit", "12000")

    def prepare_firewall(self):
        self.net.nodes[self.spec["host"]].nft(
            "table inet fw {\n counter dropped { }\n chain input { type filter hook input priority 0;\n"
            f"  tcp dport {self.spec['port']} counter name dropped drop\n }}\n}}\n")

    def prepare_backlog(self):
        """A listener that accepts nobody: its queue holds two, and all others are dropped in the host."""
        host = self.net.nodes[self.spec["host"]]
        family = socket.AF_INET6 if self.net.six else socket.AF_INET
        self.listener = host.socket(family, socket.SOCK_STREAM)
        self.listener.bind(("::" if self.net.six else "0.0.0.0", BUSY_PORT))
        self.listener.listen(1)

    def prepare_rp_filter(self):
        """The way back to the peer leads elsewhere: what comes from it is refused by its source address."""
        host = self.net.nodes[self.spec["host"]]
        self.net.place.wire(host, "alt0", host, "alt1")
        host.run("ip", "route", "add", self.net.ip[self.spec["peer"]] + "/32", "dev", "alt0")
        for scope in ("all", "eth0"):
            host.sysctl(f"net.ipv4.conf.{scope}.rp_filter", 1)

    def begin(self):
        self.began_ns = time.time_ns()
        if self.spec["kind"] == "stall":
            self.net.pair.stop()
        for number, place in enumerate(self.places if self.by_rule() else ()):
            for match in MATCHES[self.spec["kind"]](self.spec):
                self.net.nodes[place["node"]].nft(
                    f"add rule netdev fault at{number} {match} dup to \"{COPIES}\""
                    f" counter name lost{number} drop\n")

    def end(self):
        if self.spec["kind"] == "stall":
            self.net.pair.resume()
        for number, place in enumerate(self.places if self.by_rule() else ()):
            self.net.nodes[place["node"]].nft(f"flush chain netdev fault at{number}\n")
        self.ended_ns = time.time_ns()

    def passes(self):
        """Whether it ends with the traffic; what filters goes on to the end of the captures."""
        return self.spec["kind"] in ("random", "bursty")

    def counted(self):
        """Packets dropped at each place, by the kernel's counters."""
        if self.spec["kind"] == "queue":
            node, device = self.device()
            said = node.run("tc", "-s", "qdisc", "show", "dev", device)
            return [int(re.search(r"dropped (\d+)", said).group(1))]
        if self.spec["kind"] == "mtu":
            return [too_large(self.net.nodes[place["node"]], self.net.six) for place in self.places]
        return [self.net.nodes[place["node"]].counters()[f"lost{number}"][0]
                for number, place in enumerate(self.places)]


def too_large(node, six):
    """Packets that a router could not send on for their size."""
    with node.inside(), open("/proc/thread-self/net/snmp6" if six else "/proc/thread-self/net/snmp") as file:
        text = file.read()
    if six:
        return int(re.search(r"Ip6InTooBigErrors\s+(\d+)", text).group(1))
    names, values = (line.split() for line in text.splitlines() if line.startswith("Ip:"))
    return int(values[names.index("FragFails")])


BUSY_PORT = 8003
MARK, STALE = 7, "02:00:00:00:de:ad"
SERVERS = "{ 8000, 8001 }"
MATCHES = {
    # Not ARP and ND: who waits for a neighbour drops by himself, and nobody counts that.
    "random": lambda f: [f"meta l4proto {{ tcp, udp, icmp }} numgen random mod 1000 < {f['permille']}"],
    "bursty": lambda f: [f"meta l4proto {{ tcp, udp, icmp }} numgen inc mod {f['cycle']} < {f['burst']}"],
    "port": lambda f: [f"tcp dport {f['port']}", f"tcp sport {f['port']}"],
    "flow": lambda f: [f"tcp dport {SERVERS} tcp sport & {f['modulus'] - 1} == 1",
                       f"tcp sport {SERVERS} tcp dport & {f['modulus'] - 1} == 1"],
    "size": lambda f: [f"meta l4proto {{ tcp, udp }} meta length > {f['above']}"],
    "dead": lambda f: [""],
    "adverts": lambda f: ["ip protocol 112"],
    "stale": lambda f: [f"ether daddr {STALE}"],
    "backend": lambda f: ["meta l4proto { tcp, udp, icmp }", "icmpv6 type { echo-request, echo-reply }"],
    "forgets": lambda f: [f"meta mark {MARK}"],
}
