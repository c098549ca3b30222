#!/usr/bin/env python3
"""The judge of worlds believes no lie: a made-up truth, made-up answers, and the rule that names each lie."""
import copy
import sys

sys.dont_write_bytecode = True
import judge

SPEC = {"topology": {"kind": "router", "hosts": ["web", "db"], "servers": ["web", "db"], "middle": [],
                     "offload": False, "family": 4},
        "fault": {"kind": "random"}, "linger": 2.4}
CAPTURE = {"deleted": 0, "deleted_silent": 0, "doubled": 0, "kernel_dropped": 0, "outside": 0,
           "whole": True, "stepped": False, "span_ns": [0, 2]}
FLOW = ["10.1.0.10", 40000, "10.2.0.11", 8000]
FINDING = {"kind": "asymmetric-loss", "from": "db", "to": "web", "host": None, "severity": "critical",
           "confidence": 1, "src_ip": None, "dst_ip": None, "count": 20, "total": 400, "detail": "{}",
           "summary": "db loses", "cause": None, "evidence": 5}
PATH = {"flow": 1, "protocol": "tcp", "sent": 400, "lost": 0, "misaddressed": 0, "capture_missed": 0,
        "unjudged": 0, "duplicated": 0, "injected": 0, "sender_missed": 0, "reordered": 0}


def dropped(count, kind="data"):
    """Packets from db to web that never arrived."""
    return [{"at_ns": 1, "protocol": "tcp", "kind": kind, "flow": FLOW[2:] + FLOW[:2], "wire": 1,
             "length": 100, "legs": [["db", "web"]], "inner": ["db", "web"],
             "identity": f"tcp {number}"} for number in range(count)]


def truth():
    return {"spec": copy.deepcopy(SPEC), "dropped": dropped(20), "sent": {"db>web": 400, "web>db": 300},
            "captures": {"web": dict(CAPTURE), "db": dict(CAPTURE)}, "facts": {"web": {}, "db": {}},
            "owners": {FLOW[0]: ["web"], FLOW[2]: ["db"]}}


def answer():
    return {"lost_ones": [("db", "web", f"tcp {number}") for number in range(20)], "inconsistent": [], "frames": [("web.pcap", 700, 700)], "findings": [dict(FINDING)],
            "paths": [{**PATH, "from": "db", "to": "web", "lost": 20},
                      {**PATH, "from": "web", "to": "db"}],
            "tuples": [{"flow_id": 1, "client_ip": FLOW[0], "client_port": FLOW[1],
                        "server_ip": FLOW[2], "server_port": FLOW[3]}],
            "trust": [{"name": "web", "trust": "sound"}, {"name": "db", "trust": "sound"}]}


def finding(**changes):
    return {**FINDING, **changes}


# name: (what changes truth and answer, rules that must name it)
LIES = {
    "a sum that does not close": (lambda t, a: a["inconsistent"].append("sum"), {"closes"}),
    "a frame without account": (lambda t, a: a.update(frames=[("web.pcap", 700, 699)]), {"closes"}),
    "more lost than was dropped": (
        lambda t, a: a["paths"][0].update(lost=21), {"lost-on-leg", "lost-of-flow"}),
    "lost in the other direction": (
        lambda t, a: a["paths"][1].update(lost=1), {"lost-on-leg", "lost-of-flow"}),
    "lost of another flow": (
        lambda t, a: (t["dropped"][0].update(flow=["10.2.0.11", 1, "10.1.0.10", 2])), {"lost-of-flow"}),
    "others lost than were dropped": (
        lambda t, a: a["lost_ones"].append(("db", "web", "tcp 3")), {"lost-which"}),
    "a capture that has all missed some": (
        lambda t, a: a["paths"][1].update(capture_missed=1), {"capture-missed"}),
    "a sender's capture that has all missed some": (
        lambda t, a: a["paths"][1].update(sender_missed=1), {"capture-missed"}),
    "a segment from nowhere": (lambda t, a: a["paths"][1].update(injected=1), {"injected"}),
    "a copy that nobody made": (lambda t, a: a["paths"][1].update(duplicated=1), {"duplicated"}),
    "order that nothing disturbed": (lambda t, a: a["paths"][1].update(reordered=1), {"reordered"}),
    "a loss passed over": (
        lambda t, a: (a["paths"][0].update(lost=19), a["findings"][0].update(count=19)), {"lost-enough"}),
    "a loss not told": (lambda t, a: a["findings"].clear(), {"told"}),
    "a loss told of the wrong direction": (
        lambda t, a: a["findings"][0].update({"from": "web", "to": "db"}),
        {"asymmetric-loss", "asymmetric-loss count", "told"}),
    "loss of one direction called symmetric": (
        lambda t, a: a["findings"][0].update(kind="symmetric-loss"), {"symmetric-loss"}),
    "a finding that counts too much": (
        lambda t, a: a["findings"][0].update(count=21), {"asymmetric-loss count"}),
    "SYNs lost where none were": (
        lambda t, a: a["findings"].append(finding(kind="syn-lost", count=1)), {"syn-lost", "syn-lost count"}),
    "a path MTU where chance dropped": (
        lambda t, a: a["findings"].append(finding(kind="pmtu-blackhole")), {"pmtu-blackhole"}),
    "a dark host where chance dropped": (
        lambda t, a: a["findings"].append(finding(kind="host-dark", host="web")), {"host-dark"}),
    "a reset that nobody sent": (
        lambda t, a: a["findings"].append(finding(kind="reset", severity="warning")), {"reset"}),
    "a refusal that nobody gave": (
        lambda t, a: a["findings"].append(finding(kind="refused", severity="warning")), {"refused"}),
    "a window that was open": (
        lambda t, a: a["findings"].append(finding(kind="zero-window")), {"zero-window"}),
    "a clock that did not step": (
        lambda t, a: a["findings"].append(finding(kind="clock-step", host="db")), {"clock-step"}),
    "a capture blamed that has all": (
        lambda t, a: a["findings"].append(finding(kind="capture-loss", host="db")), {"capture-loss"}),
    "a neighbour that did answer": (
        lambda t, a: a["findings"].append(finding(kind="arp-unanswered", host="db")), {"arp-unanswered"}),
    "a packet filter blamed that is on the way": (
        lambda t, a: a["findings"].append(finding(kind="firewall-drop", host="web")), {"firewall-drop"}),
    "a host blamed for another's drops": (
        lambda t, a: (t["spec"].update(fault={"kind": "rp-filter", "host": "db"}),
                      a["findings"].append(finding(kind="host-drop", host="web", to=None))), {"host-drop"}),
    "a wrong MAC that was right": (
        lambda t, a: a["findings"].append(finding(kind="mac-mismatch", host="db")), {"mac-mismatch"}),
    "a wrong MAC at the other end": (
        lambda t, a: (t["spec"].update(fault={"kind": "stale", "host": "db"}), a["findings"].append(
            finding(**{"kind": "mac-mismatch", "host": "web", "from": "web"}))), {"mac-mismatch"}),
    "part of the flows where chance dropped": (
        lambda t, a: a["findings"].append(finding(kind="path-partial")), {"path-partial"}),
    "what chance dropped has something in common": (
        lambda t, a: a["findings"].append(finding(kind="loss-pattern")), {"loss-pattern"}),
    "a handshake's ACK lost where none was": (
        lambda t, a: a["findings"].append(finding(kind="handshake-ack-lost")),
        {"handshake-ack-lost", "handshake-ack-lost count"}),
    "SYN-ACKs lost where none were": (
        lambda t, a: a["findings"].append(finding(kind="synack-lost", count=1)),
        {"synack-lost", "synack-lost count"}),
    "advertisements lost that the master did not send": (
        lambda t, a: (t["spec"].update(fault={"kind": "stall"}),
                      a["findings"].append(finding(kind="vrrp-gap-path"))),
        {"vrrp-gap-path", "vrrp-gap-source"}),
    "a master blamed for what the way lost": (
        lambda t, a: (t["spec"].update(fault={"kind": "adverts"}),
                      a["findings"].append(finding(kind="vrrp-gap-source"))),
        {"vrrp-gap-path", "vrrp-gap-source"}),
    "a shared address that stayed where it was": (
        lambda t, a: a["findings"].extend(finding(kind=kind) for kind in (
            "vrrp-flap", "vrrp-dual-master", "arp-conflict")),
        {"vrrp-flap", "vrrp-dual-master", "arp-conflict"}),
    "a kind that no world has": (
        lambda t, a: a["findings"].append(finding(kind="injected-segment")), {"injected-segment"}),
    "a sound capture called unfit": (lambda t, a: a["trust"][0].update(trust="unfit"), {"unfit"}),
    "loss where there was no fault": (
        lambda t, a: t.update(dropped=[]),
        {"lost-which", "lost-on-leg", "lost-of-flow", "asymmetric-loss", "asymmetric-loss count"}),
    "a damaged capture's gap called loss": (
        lambda t, a: (t.update(dropped=[]), t["captures"]["web"].update(deleted=20)),
        {"lost-which", "lost-on-leg", "lost-of-flow", "asymmetric-loss", "asymmetric-loss count"}),
}
# What may be said: none of these is a failure.
MAY = {
    "the truth": lambda t, a: None,
    "unjudged instead of lost": lambda t, a: a["paths"][0].update(lost=15, unjudged=5),
    "a step where a clock stepped": lambda t, a: (
        t["captures"]["db"].update(stepped=True),
        a["findings"].append(finding(kind="clock-step", host="db"))),
    "a gap where a capture has one": lambda t, a: (
        t["captures"]["db"].update(deleted=3), a["findings"].append(finding(kind="capture-loss", host="db")),
        a["paths"][1].update(capture_missed=3)),
    "a reset that was sent": lambda t, a: (
        t["facts"]["db"].update(resets=1), a["findings"].append(finding(kind="reset", host="db"))),
    "a notice without proof": lambda t, a: a["findings"].append(
        finding(kind="reordering", severity="notice")),
    "missed after a capture had ended": lambda t, a: (
        t["captures"]["db"].update(outside=2), a["paths"][1].update(capture_missed=2)),
    "a pure ACK lost that only a capture lacks": lambda t, a: (
        t["captures"]["db"].update(deleted=1, deleted_silent=1), a["paths"][1].update(lost=1)),
    "silence on a loss near the end": lambda t, a: (
        t["spec"].update(linger=0.4), a["findings"].clear()),
    "silence where one end is not captured whole": lambda t, a: (
        t["captures"]["db"].update(whole=False), a["findings"].clear()),
}


def rules_of(change):
    made_truth, made_answer = truth(), answer()
    change(made_truth, made_answer)
    return {failure.rule for failure in judge.judge(made_truth, made_answer)}


def main():
    wrong = []
    for name, (change, expected) in LIES.items():
        got = rules_of(change)
        if got != expected:
            wrong.append(f"{name}: named by {sorted(got) or 'no rule'}, expected {sorted(expected)}")
    for name, change in MAY.items():
        if got := rules_of(change):
            wrong.append(f"{name}: is no lie, but {sorted(got)} say so")
    named = {rule for _, expected in LIES.values() for rule in expected}
    unnamed = set(judge.SUPPORT) - named
    if unnamed:
        wrong.append(f"no lie tries {sorted(unnamed)}")
    print("\n".join(wrong) or f"ok: {len(LIES)} lies found, {len(MAY)} truths believed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
