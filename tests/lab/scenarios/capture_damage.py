"""A capture that missed frames: the network is not blamed for them.

After the run 3 % of the frames are deleted from the server's file (seeded, every class of
segment among them), in both directions. What the server's TCP acknowledged did arrive;
what the server sent and its file lacks still reached the client. The variant with loss
has 1 % dropped by the router as well, and the two are told apart.

Pure ACKs that the damaged file lacks cannot be proven to have arrived: they are
capture_missed or unjudged, and never lost. With real loss on top a pure ACK that did get
lost on its way to the damaged capture may be unjudged too, and so may a copy of what had
arrived before, to which no TCP reacts; other data, SYN and FIN may not.
"""
import os
import random

import lab
import pcapfile
import routed
import segments
from traffic import MIX

VARIANTS = {
    "capture-damage": {},
    "capture-damage-loss": {"loss": 10},
}

SHARE = 0.03
SEED = 20170213
PROVABLE = ("data", "syn", "fin")
EDGE_NS = 100_000_000  # this near to an end of the capture a segment may be unjudged


def choose(seen, generator):
    """3 % of the server's frames, with some of each class and direction."""
    chosen = {one.frame for one in seen if generator.random() < SHARE}
    for inbound in (True, False):
        for kind, least in (("syn", 2), ("fin", 2), ("data", 6), ("ack", 6)):
            group = [one.frame for one in seen
                     if one.kind == kind and (one.tcp.dport == 8000) == inbound]
            lacking = least - len(chosen.intersection(group))
            chosen.update(generator.sample(sorted(set(group) - chosen), max(lacking, 0)))
    return chosen


def delete(path, chosen):
    frames = [frame for number, frame in enumerate(pcapfile.read(path), 1)
              if number not in chosen]
    pcapfile.write(path, frames, snaplen=128)


def ambiguous(half, chosen):
    """Whether a range was lost in one copy and deleted in another: nobody can tell them apart."""
    span = lambda one: (one.tcp.sport, one.tcp.seq, one.tcp.length)
    lost = {span(one) for one in half.missing if one.kind in PROVABLE}
    return any(span(a) in lost for a, b in half.pairs if b.frame in chosen and a.kind in PROVABLE)


def superfluous(one, half):
    """Whether an earlier copy of a lost one had arrived."""
    span = lambda one: (one.tcp.sport, one.tcp.seq, one.tcp.length, one.kind)
    return any(span(a) == span(one) and a.frame < one.frame for a, _ in half.pairs)


def run(place, out, loss=0):
    match = routed.chance(loss)
    rules = {"s2c": ("s0", match), "c2s": ("c0", match)} if loss else {}
    net = routed.Routed(place, rules)
    net.capture(out)
    net.talking.mix(MIX + [[(150, 700)]] * 20, calm=net.calm)
    count, _ = net.finish()
    pairing = routed.agree(out, count)
    server_file = os.path.join(out, "server.pcap")
    twins = {way: segments.twins(half) for way, half in pairing.items()}
    # Of two equal packets (a SYN-ACK sent twice within a tick) nobody can say which one a file lacks.
    equal = twins["s2c"] | {b.frame for a, b in pairing["c2s"].pairs if a.frame in twins["c2s"]}
    chosen = choose([one for one in segments.load(server_file) if one.frame not in equal],
                    random.Random(SEED))
    if any(one.frame in twins[way] for way, half in pairing.items() for one in half.missing):
        raise lab.Void("which of two equal packets was lost cannot be known")
    if ambiguous(pairing["c2s"], chosen):
        raise lab.Void("of two copies one was lost and the other deleted")
    delete(server_file, chosen)
    return {"": {"inputs": routed.inputs(out), "flows": net.talking.flows,
                 **judge(pairing, chosen, loss), "counters": count}}


def judge(pairing, chosen, loss):
    """What is to be said of each class, from the complete captures and the list of deletions."""
    up, down = pairing["c2s"], pairing["s2c"]
    deleted = [a for a, b in up.pairs if b.frame in chosen]
    inner = [f(one.time_ns for one in up.received) + sign * EDGE_NS
             for f, sign in ((min, 1), (max, -1))]
    proven = [a.frame for a, b in up.pairs if b.frame in chosen and a.kind in PROVABLE
              and inner[0] < b.time_ns < inner[1]]
    lost_up = [a for a in up.missing if a.kind in PROVABLE and not superfluous(a, up)]
    unsent = [(a, b) for a, b in down.pairs if a.frame in chosen]
    lost_down = [a for a in down.missing if a.frame not in chosen]
    frames_down = len(down.sent) - sum(a.frame in chosen for a in down.sent)
    pure = sum(a.kind not in PROVABLE for a in deleted)
    clean = {"misaddressed": 0, "duplicated": 0, "injected": 0, "reordered": 0}
    renumber = renumbering(chosen)
    lost_min, lost_max = len(lost_up), len(up.missing)
    paths = [
        {"from": "client", "to": "server", "direction": "c2s", "counts": {
            **clean, "sent": len(up.sent), "received": len(up.received) - len(deleted),
            "delivered": len(up.pairs) - len(deleted), "sender_missed": 0,
            "lost": {"min": lost_min, "max": lost_max},
            "capture_missed": {"min": len(proven), "max": len(deleted)},
            "lost+capture_missed+unjudged": len(deleted) + len(up.missing)}},
        {"from": "server", "to": "client", "direction": "s2c", "counts": {
            **clean, "sent": frames_down, "received": len(down.received),
            "delivered": frames_down - len(lost_down), "lost": len(lost_down),
            "capture_missed": 0, "unjudged": 0, "sender_missed": len(unsent)}},
    ]
    ends = {"from": "client", "to": "server", "direction": "c2s"}
    back = {"from": "server", "to": "client", "direction": "s2c"}
    events = [
        {**ends, "kinds": ["capture_missed"], "check": "contains", "frames": proven},
        {**ends, "kinds": ["capture_missed", "unjudged", "lost"], "check": "equal",
         "frames": sorted(a.frame for a in deleted + up.missing)},
        {**ends, "kinds": ["lost"], "check": "none",
         "frames": sorted(a.frame for a in deleted)},
        {**ends, "kinds": ["lost"], "check": "contains",
         "frames": sorted(a.frame for a in lost_up)},
        {**ends, "kinds": ["lost"], "check": "within",
         "frames": sorted(a.frame for a in up.missing)},
        {**back, "kinds": ["lost"], "check": "equal",
         "frames": sorted(renumber(a.frame) for a in lost_down)},
        {**back, "kinds": ["sender_missed"], "at": "receiver", "check": "equal",
         "frames": sorted(b.frame for _, b in unsent)},
    ]
    forbidden = [kind for kind in routed.NEVER if kind not in ("capture-loss", "reset")]
    forbidden += [] if loss else routed.LOSSES
    return {
        "paths": paths,
        "events": events,
        "findings": {"expected": [{"kind": "capture-loss"}],
                     "forbidden": routed.forbid(*forbidden)},
        "deleted": {"to_server": len(deleted), "of_these_pure_acks": pure,
                    "from_server": sum(a.frame in chosen for a in down.sent)},
    }


def renumbering(chosen):
    """Frame numbers of the damaged file from those of the complete one."""
    gone = sorted(chosen)
    return lambda frame: frame - sum(1 for one in gone if one < frame)
