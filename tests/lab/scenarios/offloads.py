"""Loss behind segmentation: both ends see merged records, the wire drops single segments.

    client eth0 -- c0 r1 m0 -- m1 r2 s0 -- eth0 server

TSO, GSO and GRO are on at both ends, so their captures hold records of many segments.
Between the two routers all offloads are off: there packets are as on a wire, counted as
they enter and dropped one by one, and what is left is merged again on its way out.
"""
import os

import lab
import pcapfile
import routed
from traffic import Client, Server

VARIANTS = {"loss-2pct-s2c-offloads": {"s2c": 20}, "loss-3pct-both-offloads": {"s2c": 30, "c2s": 30}}

CLIENT, SERVER = "10.1.0.10", "10.2.0.20"
LINKS = (("client", "eth0", "10.1.0.10", "r1", "c0", "10.1.0.1"),
         ("r1", "m0", "10.9.0.1", "r2", "m1", "10.9.0.2"),
         ("r2", "s0", "10.2.0.1", "server", "eth0", "10.2.0.20"))
ROUTES = (("client", "default", "10.1.0.1"), ("r1", "10.2.0.0/24", "10.9.0.2"),
          ("r2", "10.1.0.0/24", "10.9.0.1"), ("server", "default", "10.2.0.1"))


def entering(direction, port):
    """Count wire packets that come in, also by header length."""
    named = [f"{direction}_sent"] + [f"{direction}_sent_{words}" for words in range(5, 16)]
    rules = [f"meta l4proto tcp counter name {named[0]}"]
    rules += [f"tcp doff {words} counter name {direction}_sent_{words}" for words in range(5, 16)]
    return ("table netdev truth {\n" + "".join(f"    counter {name} {{ }}\n" for name in named)
            + "    chain arriving {\n"
            + f'        type filter hook ingress device "{port}" priority 0;\n'
            + "".join(f"        {rule}\n" for rule in rules) + "    }\n}\n")


def payload_sent(counters, direction):
    return sum(counters[f"{direction}_sent_{words}"][1]
               - counters[f"{direction}_sent_{words}"][0] * (20 + 4 * words)
               for words in range(5, 16))


def build(place):
    hosts = {name: place.host(name) for name in ("client", "r1", "r2", "server")}
    for a, port_a, ip_a, b, port_b, ip_b in LINKS:
        place.wire(hosts[a], port_a, hosts[b], port_b)
        for name, port, ip in ((a, port_a, ip_a), (b, port_b, ip_b)):
            hosts[name].address(port, ip + "/24")
            hosts[name].offload(port, "off" if port[0] == "m" else "on")
    for name, destination, gateway in ROUTES:
        hosts[name].route(destination, gateway)
    for name in ("r1", "r2"):
        hosts[name].sysctl("net.ipv4.ip_forward", 1)
    return hosts


def merged(path):
    """Records longer than a packet may be on the wire."""
    return sum(frame.wire > 1514 for frame in pcapfile.read(path))


def run(place, out, s2c=0, c2s=0):
    hosts = build(place)
    hosts["r1"].nft(entering("s2c", "m0")
                    + routed.dropping({"s2c": ("m0", routed.chance(s2c))}))
    hosts["r2"].nft(entering("c2s", "m1")
                    + (routed.dropping({"c2s": ("m1", routed.chance(c2s))}) if c2s else ""))
    file = {name: os.path.join(out, name + ".pcap") for name in ("client", "server")}
    listening = Server(hosts["server"], SERVER)
    talking = Client(hosts["client"], SERVER)
    for name, path in file.items():
        place.capture(hosts[name], "eth0", path, snaplen=128)
    talking.mix([[(200, 400_000)]] * 3 + [[(300_000, 200)]] * 2 + [[(180, 1200)] * 4] * 14,
                calm=routed.calming(*(hosts[name] for name in (("r1", "r2") if c2s else ("r1",)))))
    listening.stop()
    place.quiet(hosts["client"], hosts["server"])
    place.stop_captures()
    counters = {**hosts["r1"].counters(), **hosts["r2"].counters()}
    count = {name: value[0] for name, value in counters.items() if not name[-1].isdigit()}
    count.setdefault("c2s_lost", 0)
    if min(merged(path) for path in file.values()) < 20 or count["s2c_lost"] < 12:
        raise lab.Void(f"too little was merged or lost: {count}")
    paths = []
    for way in ("c2s", "s2c"):
        count[way + "_received"] = count[way + "_sent"] - count[way + "_lost"]
        paths.append(routed.path(way, count, bytes_sent=payload_sent(counters, way),
                                 bytes_lost=routed.payload_lost(counters, way)))
    expected = [] if c2s else [routed.loss_finding(count)]
    forbidden = [kind for kind in routed.NEVER if not (c2s and kind == "reset")]
    return {"": {
        "inputs": routed.inputs(out), "flows": talking.flows, "paths": paths,
        "findings": {"expected": expected, "forbidden": routed.forbid(*forbidden)},
        "counters": count}}
