"""Captures at client, router and server; packets die between router and server.

The router's tap is on its port toward the client, and the drop is in its forwarding: what
the client sent is in the router's capture and not in the server's, and what the server
sent is missing at the router already. Both losses belong to the leg router - server.
"""
import os

import lab
import routed

VARIANTS = {"loss-router-server": {}}

LEGS = (("client", "router"), ("router", "server"))


def run(place, out):
    net = routed.Routed(place, {"s2c": ("s0", routed.chance(50)), "c2s": ("c0", routed.chance(4))})
    net.capture(out)
    place.capture(net.router, "c0", os.path.join(out, "router.pcap"), snaplen=128)
    net.talking.mix(calm=net.calm)
    count, _ = net.finish()
    routed.agree(out, count)
    if count["s2c_lost"] < 40 or not 0 < count["c2s_lost"] < 11:
        raise lab.Void(f"chance made the two directions too much alike: {count}")
    paths = []
    for near, far in LEGS:
        lossy = far == "server"
        for way, ends in (("c2s", (near, far)), ("s2c", (far, near))):
            # Loss lies on the far leg both ways, so the near leg carries what survived it.
            entering = count[f"{way}_sent"]
            leaving = count[f"{way}_received"]
            if not lossy:
                entering = leaving = entering if way == "c2s" else leaving
            paths.append({"from": ends[0], "to": ends[1], "direction": way, "counts": {
                **routed.CLEAN, "sent": entering, "received": leaving, "delivered": leaving,
                "lost": entering - leaving}})
    return {"": {
        "inputs": routed.inputs(out, ("client", "router", "server")),
        "flows": net.talking.flows, "paths": paths, "paths_complete": True,
        "findings": {"expected": [{
            "kind": "asymmetric-loss", "from": "server", "to": "router",
            "count": count["s2c_lost"], "total": count["s2c_sent"]}], "forbidden": routed.forbid(
            *(kind for kind in routed.NEVER if kind != "reset"))
            + [{"kind": kind, "between": ["client", "router"]} for kind in routed.LOSSES]},
        "counters": count}}
