"""Masquerading NAT that rewrites address and port, and 2 % loss behind it.

The router hides the client behind its own address and a random port of its own choice.
Each flow at the client must be joined with its own flow at the server; conntrack's table
says which is which.
"""
import os
import re

import lab
import routed
import segments

VARIANTS = {"nat-masquerade": {}}

NAT = """
table ip nat {
    chain postrouting {
        type nat hook postrouting priority srcnat;
        oifname "s0" meta l4proto tcp masquerade to :40000-49999 random
    }
}
"""
ENTRY = re.compile(r"src=10\.1\.0\.10 .*?sport=(\d+) .*?src=10\.2\.0\.20 .*?dport=(\d+)")


def translations(router):
    """(port at the client, port at the server) of every connection, as conntrack has them."""
    with router.inside(), open("/proc/thread-self/net/nf_conntrack") as table:
        found = ENTRY.findall(table.read())
    return sorted((int(own), int(seen)) for own, seen in found)


def frames_agree(out, count):
    """Numbers of frames against counters; the rewriting forbids more."""
    sides = {name: segments.load(os.path.join(out, name + ".pcap"))
             for name in ("client", "server")}
    for name, way, toward in (("client", "c2s_sent", True), ("server", "c2s_received", True),
                              ("server", "s2c_sent", False), ("client", "s2c_received", False)):
        frames = sum((one.tcp.dport == 8000) == toward for one in sides[name])
        if frames != count[way]:
            raise lab.Void(f"captures and counters differ: {way} {frames}, {count[way]}")


def run(place, out):
    net = routed.Routed(place, {"s2c": ("s0", routed.chance(20))})
    net.router.nft(NAT)
    net.capture(out)
    net.talking.mix(calm=net.calm)
    table = translations(net.router)
    count, _ = net.finish()
    frames_agree(out, count)
    assert len(table) == net.talking.flows, table
    translated = [{"client": own, "server": seen} for own, seen in table]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows,
        "flows_seen_at": {"client": net.talking.flows, "server": net.talking.flows},
        "translated": translated,
        "paths": [routed.path(way, count) for way in ("c2s", "s2c")],
        "findings": {"expected": [routed.loss_finding(count)],
                     "forbidden": routed.forbid(*routed.NEVER, "symmetric-loss", "syn-lost")},
        "counters": count}}
