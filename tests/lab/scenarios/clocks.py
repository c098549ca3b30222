"""The client's clock is 37.25 s ahead, gains 80 ppm, and is stepped by 2 s half way.

Recorded with one true clock at both ends; the client's timestamps are then rewritten by
the offset function that truth.json states. Counts do not change, the true offset stays
inside the stated interval at all times, and the step is found within 1 s of its place.
"""
import os

import pcapfile
import routed

VARIANTS = {"clock-drift-step": {}}

OFFSET_NS = 37_250_000_000
SKEW_PPM = 80
STEP_NS = 2_000_000_000
SPAN_S = 8.0


def pieces(start, middle):
    drifted = (middle - start) * SKEW_PPM // 10**6
    return [{"from_ns": start, "offset_ns": OFFSET_NS, "skew_ppm": SKEW_PPM},
            {"from_ns": middle, "offset_ns": OFFSET_NS + drifted + STEP_NS,
             "skew_ppm": SKEW_PPM}]


def shown(clock, true_ns):
    piece = clock[0] if true_ns < clock[1]["from_ns"] else clock[1]
    return (true_ns + piece["offset_ns"]
            + (true_ns - piece["from_ns"]) * piece["skew_ppm"] // 10**6)


def run(place, out):
    net = routed.Routed(place, {"s2c": ("s0", routed.chance(20))})
    net.capture(out)
    conversations = [[(200, 60_000)] * 2, [(30_000, 200)], [(180, 1200)] * 4] * 9
    net.talking.mix(conversations, stagger=SPAN_S / len(conversations), calm=net.calm)
    count, _ = net.finish()
    routed.agree(out, count)
    file = os.path.join(out, "client.pcap")
    frames = list(pcapfile.read(file))
    start, end = frames[0].time_ns, frames[-1].time_ns
    middle = (start + end) // 2
    clock = pieces(start, middle)
    pcapfile.write(file, [frame._replace(time_ns=shown(clock, frame.time_ns))
                          for frame in frames], snaplen=128)
    before = shown(clock, middle - 1)
    forbidden = [kind for kind in routed.NEVER if kind != "clock-step"]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows,
        "paths": [routed.path(way, count) for way in ("c2s", "s2c")],
        "clocks": {"client": clock}, "from_ns": start, "to_ns": end,
        "clock_width_ns": 20_000_000,
        "findings": {
            "expected": [routed.loss_finding(count),
                         {"kind": "clock-step", "count": 1, "step_at": {
                             "at_ns": middle, "shown_ns": [before, before + STEP_NS], "within_ns": 10**9}}],
            "forbidden": routed.forbid(*forbidden, "symmetric-loss", "syn-lost")},
        "counters": count}}
