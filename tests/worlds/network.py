"""Namespaces wired as a world's topology says, and which way packets go between its hosts.

`ways(a, b)` are the lists of names from host a to host b, several where routes are equal; `port[a, b]` is
the interface of node a that leads to its neighbour b; `owners` says whose an address is: of several hosts
where it is translated.
"""
import itertools

from vrrp import Pair

HOST_INTERFACE = "eth0"


class Network:
    def __init__(self, place, spec, out):
        self.place, self.topology, self.out = place, spec["topology"], out
        self.six = self.topology["family"] == 6
        self.nodes = {name: place.host(name, self.six)
                      for name in self.topology["hosts"] + self.topology["middle"]}
        for node in self.nodes.values() if self.six else ():
            node.sysctl("net.ipv6.conf.default.dad_transmits", 0)
        self.port, self.ip, self.owners, self.nets = {}, {}, {}, itertools.count(1)
        self.virtual = None  # the address that clients ask where a balancer chooses the server
        BUILDERS[self.topology["kind"]](self)
        if not self.topology["offload"]:
            for (name, _), interface in self.port.items():
                self.nodes[name].offload(interface, "off")

    def address(self, net, number):
        return f"2001:db8:{net}::{number:x}" if self.six else f"10.{net}.0.{number}"

    def mask(self):
        return "/64" if self.six else "/24"

    def wire(self, a, interface_a, b, interface_b):
        self.place.wire(self.nodes[a], interface_a, self.nodes[b], interface_b)
        self.port[a, b], self.port[b, a] = interface_a, interface_b
        family = "ipv6" if self.six else "ipv4"
        for name, interface in ((a, interface_a), (b, interface_b)):
            # Nothing is dropped while a neighbour is asked for.
            self.nodes[name].sysctl(f"net.{family}.neigh.{interface}.unres_qlen_bytes", 1 << 24)

    def give(self, name, interface, address):
        """An address to an interface of a node."""
        self.nodes[name].address(interface, address + self.mask())
        if name in self.topology["hosts"]:
            self.ip[name] = address
            self.owners.setdefault(address, set()).add(name)

    def route(self, name, destination, gateway):
        self.nodes[name].run("ip", *(["-6"] if self.six else []), "route", "add", destination,
                             "via", gateway)

    def forward(self, name):
        self.nodes[name].sysctl("net.ipv6.conf.all.forwarding" if self.six
                                else "net.ipv4.ip_forward", 1)

    def ways(self, a, b):
        """Each way from host a to host b as names, both included."""
        middle, kind = self.topology["middle"], self.topology["kind"]
        if kind == "routers" and not self.crosses(a, b):
            return [[a, middle[0 if a in self.topology["clients"] else 1], b]]
        if kind == "ecmp":
            near, far = middle[:2]
            if not self.crosses(a, b):
                return [[a, near if a in self.topology["clients"] else far, b]]
            lists = [[near, between, far] for between in middle[2:]]
        else:
            lists = [middle]
        if a in self.topology["servers"]:
            lists = [one[::-1] for one in lists]
        return [[a, *one, b] for one in lists]

    def target(self, server):
        """The address that a client asks for a server."""
        return self.virtual or self.ip[server]

    def crosses(self, a, b):
        """Whether two hosts are on different sides."""
        return (a in self.topology["servers"]) != (b in self.topology["servers"])

    def interfaces(self, name):
        return sorted({interface for (node, _), interface in self.port.items() if node == name})


def build_wire(net):
    a, b = net.topology["hosts"]
    net.wire(a, HOST_INTERFACE, b, HOST_INTERFACE)
    for number, name in enumerate((a, b), 10):
        net.give(name, HOST_INTERFACE, net.address(1, number))


def build_bridge(net):
    switch = net.topology["middle"][0]
    net.nodes[switch].run("ip", "link", "add", "br0", "type", "bridge", "mcast_snooping", "0")
    net.nodes[switch].run("ip", "link", "set", "br0", "up")
    for number, name in enumerate(net.topology["hosts"], 10):
        net.wire(name, HOST_INTERFACE, switch, f"p{number}")
        net.nodes[switch].run("ip", "link", "set", f"p{number}", "master", "br0")
        if not net.topology["flood"]:
            net.nodes[switch].run("bridge", "link", "set", "dev", f"p{number}", "flood", "off")
        net.give(name, HOST_INTERFACE, net.address(1, number))


def attach(net, name, router):
    """A host in a network of its own at a router, which is its way to all others."""
    number = next(net.nets)
    net.wire(name, HOST_INTERFACE, router, f"r{number}")
    net.give(router, f"r{number}", net.address(number, 1))
    net.give(name, HOST_INTERFACE, net.address(number, 9 + number))
    net.route(name, "default", net.address(number, 1))
    return net.address(number, 0) + net.mask()


def build_router(net):
    router = net.topology["middle"][0]
    net.forward(router)
    for name in net.topology["hosts"]:
        attach(net, name, router)


def build_routers(net):
    """Clients at the first router, servers at the second."""
    near, far = net.topology["middle"]
    for router in (near, far):
        net.forward(router)
    net.wire(near, "up0", far, "up0")
    for number, router in ((1, near), (2, far)):
        net.give(router, "up0", net.address(99, number))
    for name in net.topology["hosts"]:
        own, other, gateway = (near, far, 1) if name in net.topology["clients"] else (far, near, 2)
        net.route(other, attach(net, name, own), net.address(99, gateway))


def toward(net, router, names):
    """A router's interfaces that lead to these hosts, as an nftables set."""
    return "{ " + ", ".join(f'"{net.port[router, name]}"' for name in names) + " }"


def build_nat(net):
    """Servers see the router's address in place of the clients'."""
    build_router(net)
    router, family = net.topology["middle"][0], "ip6" if net.six else "ip"
    ports = " to :40000-49999 random" if net.topology["ports_change"] else ""
    inside, outside = (toward(net, router, net.topology[key]) for key in ("clients", "servers"))
    net.nodes[router].nft(
        f"table {family} nat {{\n chain postrouting {{ type nat hook postrouting priority srcnat;\n"
        f"  iifname {inside} oifname {outside} meta l4proto {{ tcp, udp }} masquerade{ports}\n"
        f"  iifname {inside} oifname {outside} masquerade\n }}\n}}\n")
    for server in net.topology["servers"]:
        number = int(net.port[router, server][1:])
        net.owners.setdefault(net.address(number, 1), set()).update(net.topology["clients"])


def build_balancer(net):
    """Clients ask one address; the router between puts a server's in its place."""
    build_router(net)
    router, family = net.topology["middle"][0], "ip6" if net.six else "ip"
    net.virtual, servers = net.address(200, 1), net.topology["servers"]
    choice = (f"jhash {family} saddr" if net.topology["hashed"] else "numgen inc") + f" mod {len(servers)}"
    table = ", ".join(f"{n}: {net.ip[name]}" for n, name in enumerate(servers))
    net.nodes[router].nft(
        f"table {family} nat {{\n chain prerouting {{ type nat hook prerouting priority dstnat;\n"
        f"  {family} daddr {net.virtual} dnat to {choice} map {{ {table} }}\n }}\n}}\n")
    net.owners[net.virtual] = set(servers)


def build_vxlan(net):
    """Two hosts in an overlay of their own; what they and the router's links carry is VXLAN."""
    build_router(net)
    a, b = net.topology["hosts"]
    outer = dict(net.ip)
    for number, (name, other) in enumerate(((a, b), (b, a)), 10):
        net.nodes[name].run("ip", "link", "add", "vx0", "type", "vxlan", "id", "7", "dstport", "4789",
                            "local", outer[name], "remote", outer[other])
        net.nodes[name].run("ip", "link", "set", "vx0", "up")
        net.give(name, "vx0", net.address(201, number))
        if not net.topology["offload"]:
            net.nodes[name].offload("vx0", "off")


def build_ecmp(net):
    """Two equal routes between a router at the clients and one at the servers; each flow takes one."""
    near, far, *between = net.topology["middle"]
    for name in (near, far, *between):
        net.forward(name)
    for number, name in enumerate(between):
        for side, router in enumerate((near, far)):
            link = 90 + 2 * number + side
            net.wire(router, f"m{number}", name, f"s{side}")
            net.give(router, f"m{number}", net.address(link, 1))
            net.give(name, f"s{side}", net.address(link, 2))
    for side, (router, other, names) in enumerate(((near, far, net.topology["clients"]),
                                                   (far, near, net.topology["servers"]))):
        net.nodes[router].sysctl("net.ipv6.fib_multipath_hash_policy" if net.six
                                 else "net.ipv4.fib_multipath_hash_policy", 1)
        for name in names:
            reached = attach(net, name, router)
            hops = [part for number in range(len(between)) for part in (
                "nexthop", "via", net.address(90 + 2 * number + 1 - side, 2), "dev", f"m{number}")]
            net.nodes[other].run("ip", *(["-6"] if net.six else []), "route", "add", reached, *hops)
            for number, middle in enumerate(between):
                net.route(middle, reached, net.address(90 + 2 * number + side, 1))


def build_vrrp(net):
    """A bridge whose servers share an address; clients ask that one."""
    build_bridge(net)
    net.virtual = net.address(1, 100)
    net.owners[net.virtual] = set(net.topology["servers"])
    net.pair = Pair(net, net.topology["servers"], net.virtual, net.out)


BUILDERS = {"wire": build_wire, "bridge": build_bridge, "router": build_router,
            "routers": build_routers, "nat": build_nat, "balancer": build_balancer,
            "vxlan": build_vxlan, "ecmp": build_ecmp, "vrrp": build_vrrp}
