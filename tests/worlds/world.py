#!/usr/bin/env python3
"""Make one world: world.py SPEC.json OUT

Builds it, lets it talk, breaks what is to break, and leaves in OUT the captures for the program, the
witnesses and truth.json. Status 3: the world is void, and why is on standard error.
"""
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

import lab  # noqa: E402
import network  # noqa: E402
import taps  # noqa: E402
import truth  # noqa: E402
from fault import COPIES, Fault  # noqa: E402
from talk import Talk  # noqa: E402

SETTLE_S = 0.3
VOID = 3


def witness_places(net, spec, fault):
    """All hosts, captured or not: what they sent and got is what the truth is checked by."""
    places = [(name, net.interfaces(name)[0]) for name in spec["topology"]["hosts"]]
    return places + [(name, COPIES) for name in fault.nodes()]


def timeline(spec, talk, fault, listed):
    """[(seconds after the traffic begins, what happens)]"""
    lasts, end = spec["lasts"], spec["lasts"] + spec["linger"]
    events = [(lasts, talk.stop)]
    for tap in listed:
        if tap.capture["late"]:
            events.append((tap.capture["late"], tap.start))
        if tap.capture["early"]:
            events.append((end - tap.capture["early"], tap.stop))
    if "from" in spec["fault"]:
        events.append((spec["fault"]["from"], fault.begin))
        events.append((spec["fault"]["from"] + spec["fault"]["lasts"], fault.end))
    elif fault.passes():
        events.append((lasts, fault.end))
    return sorted(events + [(end, lambda: None)], key=lambda event: event[0])


def play(net, spec, fault, listed):
    talk = Talk(net, spec)
    if "from" not in spec["fault"]:
        fault.begin()
    for tap in listed:
        if not tap.capture["late"]:
            tap.start()
    began = time.monotonic()
    talk.start()
    for at, act in timeline(spec, talk, fault, listed):
        time.sleep(max(0, began + at - time.monotonic()))
        act()
    time.sleep(SETTLE_S)
    for tap in listed:
        tap.stop()
    talk.stop()
    return talk


def run(spec, out):
    with lab.Lab() as place:
        net = network.Network(place, spec, out)
        fault = Fault(net, spec)
        listed = [taps.Tap(net, spec, capture, out) for capture in spec["captures"]]
        witnesses = taps.Witnesses(net, out, witness_places(net, spec, fault))
        talk = play(net, spec, fault, listed)
        fault.end()
        witnesses.stop()
        edits = {tap.capture["node"]: taps.edit(tap.path, tap.capture, spec["seed"]) for tap in listed}
        found = truth.derive(net, spec, fault, listed, witnesses, edits)
        talk.close()
    with open(os.path.join(out, "truth.json"), "w") as file:
        json.dump(found, file, indent=1)


def main():
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    lab.contain()
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    threading.excepthook = lambda args: print(f"{args.thread.name}: {args.exc_value!r}", file=sys.stderr)
    try:
        run(spec, os.path.abspath(sys.argv[2]))
    except lab.Void as why:
        print(why, file=sys.stderr)
        return VOID
    return 0


if __name__ == "__main__":
    sys.stdout.flush()
    status = main()
    sys.stderr.flush()
    os._exit(status)  # its threads may be in a call that only ends with the sockets' other ends
