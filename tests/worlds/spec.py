"""What a world is: a plain dictionary, made from a seed by chance, or smaller by simplify().

    topology  kind, hosts (their names), clients, servers, middle (names of what stands between),
              family, offload, flood (bridge), ports_change (nat), hashed (balancer)
    traffic   [{kind, client, server, port, ...}]
    fault     {kind, at: {node, toward, hook}, match} or {kind: none}
    captures  [{node, interface, and oddities}]
    lasts, linger: seconds of traffic, and after the fault has ended

Names are drawn anew for each world, so that their order says nothing about the order on the path.
"""
import copy
import random

NAMES = ("web", "db", "app", "job", "mail", "cache", "auth", "queue", "zeta", "alpha")
MIDDLE_NAMES = ("gate", "core", "edge", "bastion", "north", "south")
PORTS = (8000, 8001)
# A capture that leaves nothing out and changes nothing.
PLAIN = {"interface": "nic", "direction": None, "filter": None, "snaplen": 160, "pcapng": False,
         "late": 0, "early": 0, "lose": 0, "double_us": None, "clock": None}


def make(seed):
    chance = random.Random(seed)
    topology = make_topology(chance)
    spec = {"seed": seed, "topology": topology, "lasts": chance.choice((1.2, 1.6, 2.0)),
            "linger": chance.choice((0.4, 2.4, 2.4))}
    spec["traffic"] = make_traffic(chance, topology)
    spec["fault"] = make_fault(chance, topology, spec["traffic"])
    spec["captures"] = make_captures(chance, topology)
    return spec


KINDS = ("wire", "bridge", "bridge", "router", "router", "routers", "nat", "balancer", "vxlan", "ecmp",
         "vrrp")
MIDDLE = {"wire": 0, "routers": 2, "ecmp": 4}


def make_topology(chance):
    kind = chance.choice(KINDS)
    few = chance.choice((3, 4))
    count = {"wire": 2, "vxlan": 2, "balancer": few, "vrrp": few}.get(kind) or chance.choice((2, 2, 3, 4, 6))
    hosts = chance.sample(NAMES, count)
    servers = hosts[:2 if count >= 4 or kind in ("balancer", "vrrp") else 1]
    return {"kind": kind, "hosts": hosts, "servers": servers, "clients": hosts[len(servers):],
            "middle": chance.sample(MIDDLE_NAMES, MIDDLE.get(kind, 1)),
            "family": 4 if kind == "vrrp" else chance.choice((4, 4, 6)), "offload": chance.random() < 0.25,
            "flood": chance.random() < 0.8, "ports_change": chance.random() < 0.5,
            "hashed": chance.random() < 0.5}


def pairs(topology):
    """(client, server) that may talk."""
    return [(client, server) for client in topology["clients"] for server in topology["servers"]]


def make_traffic(chance, topology):
    listed = [{"kind": "ticker", "client": client, "server": server, "port": PORTS[0]}
              for client, server in pairs(topology)]
    for _ in range(chance.randint(2, 6)):
        client, server = chance.choice(pairs(topology))
        kind = chance.choice(tuple(TRAFFIC))
        listed.append({"kind": kind, "client": client, "server": server,
                       "port": chance.choice(PORTS), "at": round(chance.uniform(0, 0.4), 2),
                       **TRAFFIC[kind](chance)})
    return listed


TRAFFIC = {
    "bulk": lambda c: {"up": c.choice((200, 40_000, 300_000)), "down": c.choice((200, 40_000, 300_000))},
    "short": lambda c: {"many": c.choice((4, 12, 30)), "up": 180, "down": c.choice((60, 1200, 9000))},
    "udp-ask": lambda c: {"every_ms": c.choice((5, 20, 50)), "size": c.choice((40, 300, 1200))},
    "dns": lambda c: {"many": c.choice((5, 20, 40))},
    "udp-stream": lambda c: {"every_ms": c.choice((4, 10)), "size": c.choice((172, 1000))},
    "ping": lambda c: {"every_ms": c.choice((20, 100)), "size": c.choice((56, 900))},
    "keep-alive": lambda c: {},
    "mptcp": lambda c: {"up": c.choice((200, 60_000)), "down": c.choice((200, 60_000))},
    "closed": lambda c: {"many": c.choice((1, 5))},
    "idle": lambda c: {"many": c.choice((2, 6)), "pause": 1.3},
}


def way_between(chance, topology, client, server):
    """Names on a way from a client to a server, both included."""
    middle = topology["middle"]
    if topology["kind"] == "ecmp":
        middle = [middle[0], chance.choice(middle[2:]), middle[1]]
    return [client, *middle, server]


def make_fault(chance, topology, traffic):
    """One fault at one place, or none; where nothing stands between, only a host can drop."""
    if chance.random() < 0.3:
        return {"kind": "none"}
    kind = chance.choice([kind for kind in FAULTS if possible(kind, topology)])
    fault = {"kind": kind, **FAULTS[kind](chance, traffic)}
    if kind == "backlog":
        traffic.append({"kind": "busy", "client": topology["clients"][0], "server": topology["servers"][0],
                        "port": PORTS[0], "at": 0.1, "many": 6})
        return {**fault, "host": topology["servers"][0]}
    if kind == "stall":
        return fault
    if kind == "adverts":
        # The backup, which is the second, does not hear the master.
        fault["at"] = [{"node": topology["middle"][0], "toward": topology["servers"][1], "hook": "egress"}]
        return fault
    if kind in AT_HOST:
        return {**fault, "host": chance.choice(topology["servers"]), "peer": topology["clients"][0]}
    fault["at"] = [make_place(chance, topology)]
    if kind == "stale":
        # The port of the host with the wrong entry takes the frames in, and has nowhere to send them.
        fault.update(host=topology["servers"][0], peer=topology["clients"][0])
        fault["at"] = [{"node": topology["middle"][0], "toward": fault["host"], "hook": "ingress"}]
    elif kind == "backend":
        fault["at"] = [{"node": topology["middle"][0], "toward": chance.choice(topology["servers"]),
                        "hook": "egress"}]
    elif kind == "forgets":
        fault["at"] = [{"node": topology["middle"][0], "toward": topology["servers"][0], "hook": "egress"}]
    elif kind == "mtu":
        near, far = topology["middle"]
        fault["at"] = [{"node": a, "toward": b, "hook": "egress"} for a, b in ((near, far), (far, near))]
    elif kind in ("random", "bursty") and chance.random() < 0.25:
        fault["at"].append(reverse(fault["at"][0]))
    return fault


AT_HOST = ("firewall", "rp-filter")


def possible(kind, topology):
    """Whether a topology can have such a fault."""
    where = topology["kind"]
    if where == "wire":
        return kind in ("firewall", "backlog")
    if where == "vrrp" or kind in ("adverts", "stall"):
        return where == "vrrp" and kind in ("adverts", "stall", "random")
    if kind in ("port", "flow", "firewall"):  # a router sees nothing of ports inside VXLAN
        return where != "vxlan"
    return {"backlog": where in ("bridge", "router", "nat"), "stale": where == "bridge",
            "backend": where == "balancer",
            "forgets": where == "router", "mtu": where == "routers" and not topology["offload"],
            "rp-filter": where in ("router", "routers") and topology["family"] == 4,
            "queue": where in ("router", "routers", "nat") and not topology["offload"]}.get(kind, True)


def make_place(chance, topology):
    """An interface of a node between the hosts, where packets come in or go out."""
    client, server = chance.choice(pairs(topology))
    way = way_between(chance, topology, client, server)
    if chance.random() < 0.5:
        way.reverse()
    index = chance.randrange(1, len(way) - 1)
    if chance.random() < 0.5:
        return {"node": way[index], "toward": way[index - 1], "hook": "ingress"}
    return {"node": way[index], "toward": way[index + 1], "hook": "egress"}


def reverse(place):
    """The other direction of the same interface."""
    return {**place, "hook": {"ingress": "egress", "egress": "ingress"}[place["hook"]]}


FAULTS = {
    "random": lambda c, t: {"permille": c.choice((10, 30, 80))},
    "bursty": lambda c, t: {"cycle": c.choice((150, 400)), "burst": c.choice((4, 15))},
    "port": lambda c, t: {"port": c.choice(t)["port"]},
    "flow": lambda c, t: {"modulus": c.choice((2, 4))},
    "size": lambda c, t: {"above": c.choice((600, 1300))},
    "dead": lambda c, t: {"from": 0.4, "lasts": c.choice((0.3, 0.8))},
    "stale": lambda c, t: {},
    "backend": lambda c, t: {},
    "forgets": lambda c, t: {},
    "mtu": lambda c, t: {"mtu": c.choice((1300, 1420))},
    "queue": lambda c, t: {"mbit": c.choice((3, 8))},
    "firewall": lambda c, t: {"port": c.choice(t)["port"]},
    "rp-filter": lambda c, t: {},
    "backlog": lambda c, t: {},
    "adverts": lambda c, t: {"from": 0.3, "lasts": 1.3},
    "stall": lambda c, t: {"from": 0.3, "lasts": 1.3},
}


def make_captures(chance, topology):
    """Of most hosts, sometimes of what stands between; each with few oddities."""
    hosts = list(topology["hosts"])
    chance.shuffle(hosts)
    if len(hosts) > 2 and chance.random() < 0.3:
        hosts.pop()
    middle = [name for name in topology["middle"]
              if topology["kind"] not in ("wire", "bridge") and chance.random() < 0.25]
    return [make_capture(chance, topology, name) for name in hosts + middle]


def make_capture(chance, topology, name):
    capture = {"node": name, **PLAIN}
    odd = lambda share: chance.random() < share
    capture["interface"] = "any" if odd(0.1) else "nic"
    if name in topology["middle"]:
        capture["interface"] = "any" if odd(0.5) else "nic"
    if odd(0.06):
        capture["direction"] = chance.choice(("in", "out"))
    elif odd(0.12):
        capture["pcapng"] = True
    if odd(0.15):
        capture["filter"] = chance.choice(("tcp", "port 8000", "peer", "not arp"))
    if odd(0.3):
        capture["snaplen"] = chance.choice((68, 96, 128, 65535))
    if odd(0.1):
        capture["late"] = chance.choice((0.3, 0.8))
    if odd(0.1):
        capture["early"] = chance.choice((0.3, 0.8))
    if odd(0.1):
        capture["lose"] = chance.choice((0.01, 0.03, 0.1))
    elif odd(0.05):
        capture["double_us"] = chance.choice((0, 20))
    if odd(0.25):
        capture["clock"] = make_clock(chance)
    return capture


def make_clock(chance):
    clock = {"offset_ms": chance.choice((0, 3, -700, 3_600_000)),
             "skew_ppm": chance.choice((0, 0, 50, -200)), "step_ms": 0}
    if chance.random() < 0.3:
        clock["step_ms"] = chance.choice((-2000, -300, 300, 2000))
        clock["step_at"] = chance.choice((0.3, 0.7))
    return clock


def describe(spec):
    """A world in a line."""
    topology, fault = spec["topology"], spec["fault"]
    text = f"{topology['kind']} of {len(topology['hosts'])}, IPv{topology['family']}"
    text += ", offload" if topology["offload"] else ""
    text += ", " + "+".join(sorted({item["kind"] for item in spec["traffic"]} - {"ticker"}))
    text += f", fault {fault['kind']}"
    for place in fault.get("at", ()):
        text += f" {place['hook']} of {place['node']} at {place['toward']}"
    for capture in spec["captures"]:
        odd = [f"{key}={value}" for key, value in capture.items()
               if key != "node" and value != PLAIN[key]]
        text += f", {capture['node']}({' '.join(odd)})" if odd else ""
    return text


def simplify(spec):
    """Smaller worlds, one thing less each: the captures' oddities first, then traffic, then topology."""
    for index, capture in enumerate(spec["captures"]):
        for key, plain in PLAIN.items():
            if capture[key] != plain:
                smaller = copy.deepcopy(spec)
                smaller["captures"][index][key] = plain
                yield f"{capture['node']}: {key}", smaller
    for index, capture in enumerate(spec["captures"]):
        if len(spec["captures"]) > 1:
            smaller = copy.deepcopy(spec)
            del smaller["captures"][index]
            yield f"capture of {capture['node']}", smaller
    for index, item in enumerate(spec["traffic"]):
        if len(spec["traffic"]) > 1:
            smaller = copy.deepcopy(spec)
            del smaller["traffic"][index]
            yield f"traffic {index} ({item['kind']})", smaller
    yield from simplify_fault(spec)
    yield from simplify_topology(spec)


def simplify_fault(spec):
    if spec["fault"]["kind"] == "none":
        return
    yield "fault", {**copy.deepcopy(spec), "fault": {"kind": "none"}}
    if len(spec["fault"].get("at", ())) > 1:
        smaller = copy.deepcopy(spec)
        del smaller["fault"]["at"][1:]
        yield "fault in the other direction", smaller


def simplify_topology(spec):
    topology = spec["topology"]
    used = {name for item in spec["traffic"] for name in (item["client"], item["server"])}
    used |= {capture["node"] for capture in spec["captures"]}
    used |= {name for place in spec["fault"].get("at", ()) for name in (place["node"], place["toward"])}
    used |= {spec["fault"].get("host"), spec["fault"].get("peer")}
    for name in topology["hosts"]:
        if name not in used and len(topology["hosts"]) > 2:
            smaller = copy.deepcopy(spec)
            for key in ("hosts", "clients", "servers"):
                smaller["topology"][key] = [one for one in topology[key] if one != name]
            if smaller["topology"]["clients"] and smaller["topology"]["servers"]:
                yield f"host {name}", smaller
    for key, plain in (("offload", False), ("family", 4), ("flood", True)):
        if topology[key] != plain:
            smaller = copy.deepcopy(spec)
            smaller["topology"][key] = plain
            yield key, smaller
