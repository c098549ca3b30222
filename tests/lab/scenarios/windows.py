"""Captures that start and stop at different times, nothing lost: no loss is claimed.

Bulk transfers and requests are going on when each capture starts and when it stops: the
client's covers the first 60 % of the time, the server's the last 60 %. What only one of
them covers is unjudged, or proven by an acknowledgement to have arrived; never lost. Both
captures ran all the time and were cut afterwards, so the true pairs are known.
"""
import os

import pcapfile
import routed

VARIANTS = {"staggered-captures": {}}


def cut(path, first, last):
    frames = [f for f in pcapfile.read(path) if first <= f.time_ns <= last]
    pcapfile.write(path, frames, snaplen=128)


def run(place, out):
    net = routed.Routed(place)
    net.capture(out)
    net.talking.pause = 0.04
    conversations = [[(200, 9000)] * 40] * 3 + [[(9000, 200)] * 40] * 2 + [[(150, 900)] * 3] * 20
    net.talking.mix(conversations, stagger=0.07)
    count, _ = net.finish()
    pairing = routed.agree(out, count)
    times = [one.time_ns for half in pairing.values() for one in half.sent]
    start, span = min(times), max(times) - min(times)
    windows = {"client": (0, start + span * 6 // 10), "server": (start + span * 4 // 10, 1 << 63)}
    for name, (first, last) in windows.items():
        cut(os.path.join(out, name + ".pcap"), first, last)
    return {"": {"inputs": routed.inputs(out), "paths": paths(pairing, windows),
                 "everywhere": {"lost": 0, "injected": 0, "duplicated": 0, "misaddressed": 0},
                 "findings": {"expected": [], "forbidden": routed.forbid(
                     *routed.LOSSES, *(k for k in routed.NEVER if k != "capture-loss"))},
                 "counters": count}}


def paths(pairing, windows):
    """Delivered is what both files hold; the rest of what is sent is not lost."""
    listed = []
    for direction, ends in (("c2s", ("client", "server")), ("s2c", ("server", "client"))):
        at_sender, at_receiver = windows[ends[0]], windows[ends[1]]
        sent = both = received = 0
        known = {a.key[:4] for a, _ in pairing[direction].pairs
                 if at_sender[0] <= a.time_ns <= at_sender[1]}
        strange = 0  # arrivals of flows that the sender's file does not know in this direction
        for a, b in pairing[direction].pairs:
            left = at_sender[0] <= a.time_ns <= at_sender[1]
            right = at_receiver[0] <= b.time_ns <= at_receiver[1]
            sent, received, both = sent + left, received + right, both + (left and right)
            strange += right and a.key[:4] not in known
        listed.append({"from": ends[0], "to": ends[1], "direction": direction, "counts": {
            "sent": sent, "delivered": both, "lost": 0, "capture_missed+unjudged": sent - both,
            "sender_missed": {"min": received - both - strange, "max": received - both}, "duplicated": 0, "injected": 0,
            "misaddressed": 0}})
    return listed
