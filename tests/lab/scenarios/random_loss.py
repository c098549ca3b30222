"""Random loss on the way, offloads off: `lost` equals the router's counter exactly.

A router drops a share of the TCP packets it forwards (nft numgen), in one direction or in
both. Whatever is dropped counts: data, SYN, FIN and pure ACKs alike.
"""
import lab
import routed

VARIANTS = {
    "loss-2pct-s2c": {"s2c": 20},
    "loss-5pct-both": {"s2c": 50, "c2s": 50},
    "loss-2pct-s2c-ipv6": {"s2c": 20, "ipv6": True},
    "no-loss": {},
}


def run(place, out, s2c=0, c2s=0, ipv6=False):
    rules = {}
    if s2c:
        rules["s2c"] = ("s0", routed.chance(s2c))
    if c2s:
        rules["c2s"] = ("c0", routed.chance(c2s))
    net = routed.Routed(place, rules, ipv6=ipv6)
    net.capture(out)
    net.talking.mix(calm=net.calm)
    count, counters = net.finish()
    routed.agree(out, count)
    header = 40 if ipv6 else 20
    paths = [routed.path(way, count, bytes_lost=routed.payload_lost(counters, way, header))
             for way in ("c2s", "s2c")]
    forbidden = routed.forbid(*routed.NEVER)
    if c2s:
        rates = [count[way + "_lost"] / count[way + "_sent"] for way in ("c2s", "s2c")]
        if abs(rates[0] - rates[1]) > 0.015:  # so that the intervals of both still meet
            raise lab.Void(f"chance made the two directions unlike: {rates}")
        expected = [{"kind": "symmetric-loss", "between": ["client", "server"]}]
        forbidden += routed.forbid("asymmetric-loss")
        # Under loss both ways TCP itself may end with a reset: that is no false verdict.
        forbidden = [entry for entry in forbidden if entry["kind"] != "reset"]
    elif s2c:
        expected = [routed.loss_finding(count)]
        forbidden += routed.forbid("symmetric-loss", "syn-lost", "handshake-ack-lost")
    else:
        expected = []
        forbidden += routed.forbid(*routed.LOSSES)
    return {"": {"inputs": routed.inputs(out), "flows": net.talking.flows, "paths": paths,
                 "findings": {"expected": expected, "forbidden": forbidden},
                 "counters": count}}
