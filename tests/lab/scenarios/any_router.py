"""A router captured with `-i any` and GRO while bulk goes both ways: once nothing is lost, once 1 % inside it.

Each packet is there In and Out, and GRO merges up to a few dozen on their way in that leave
one by one, while the other direction's come between. In any-router-clean nothing may be found.
In any-router-loses the forward hook drops one merged record in a hundred: what the two ends
and both of the router's interfaces have tells to the byte that it was lost inside the router.
"""
import os

import lab
import pcapfile
import routed

VARIANTS = {"any-router-clean": {"per_mille": 0}, "any-router-loses": {"per_mille": 10}}

BULK = [[(300_000, 300_000)] * 2] * 4
MERGED = 1600  # longer than any frame on the wire


def merges(path):
    return sum(1 for frame in pcapfile.read(path) if frame.wire > MERGED)


def run(place, out, per_mille):
    rules = {"c2s": ("c0", routed.chance(per_mille)), "s2c": ("s0", routed.chance(per_mille))}
    net = routed.Routed(place, rules if per_mille else None)
    for port in ("c0", "s0"):
        net.router.offload(port, "on", "gro")
    net.capture(out)
    place.capture(net.router, "any", os.path.join(out, "router.pcap"), snaplen=128, promiscuous=True)
    net.talking.mix(conversations=BULK, calm=net.calm)
    count, counters = net.finish()
    if merges(os.path.join(out, "router.pcap")) < 50:
        raise lab.Void("GRO merged next to nothing")
    clean = {"capture_missed": 0, "misaddressed": 0, "unjudged": 0, "duplicated": 0, "injected": 0,
             "sender_missed": 0, "reordered": 0}
    truth = {"inputs": [{"name": name, "file": name + ".pcap"} for name in ("client", "router", "server")],
             "flows": net.talking.flows, "everywhere": {**clean, "lost": 0}, "counters": count,
             "findings": {"expected": [], "forbidden": routed.forbid(*routed.NEVER, *routed.LOSSES)}}
    if not per_mille:
        return {"": truth}
    lost = {way: routed.payload_lost(counters, way) for way in ("c2s", "s2c")}
    if not all(lost.values()) or sum(count[way + "_lost"] for way in lost) < 12:
        raise lab.Void(f"chance dropped too little: {lost}")
    truth["everywhere"] = {**clean, "bytes_lost": sum(lost.values())}
    truth["paths"] = [
        {"from": "router", "to": "router", "direction": way, "counts": {
            "bytes_lost": lost[way], "lost": {"min": count[way + "_lost"]}}} for way in lost] + [
        {"from": near, "to": far, "direction": way, "counts": {"lost": 0}}
        for near, far, way in (("client", "router", "c2s"), ("router", "server", "c2s"),
                               ("server", "router", "s2c"), ("router", "client", "s2c"))]
    truth["findings"]["forbidden"] = routed.forbid(*routed.NEVER) + [
        {"kind": kind, "between": ["router", end]} for kind in routed.LOSSES for end in ("client", "server")]
    return {"": truth}
