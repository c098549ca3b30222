"""Two load balancers with keepalived (VRRP version 2, one advert a second) share 10.4.0.100.

lb1 has priority 150, lb2 100: lb2 takes over after 3 s and 156/256 s of silence. Five runs:
vrrp-clean leaves them alone. vrrp-planned stops keepalived on lb1 (it resigns with priority
0) and starts it again. vrrp-stall stops the process of lb1 for five seconds (SIGSTOP): the
adverts are late at the source. vrrp-lost drops the adverts on the bridge for five seconds:
they are sent and never arrive; beside the captures lie the facts of the machine that both
guests run on, whose qemu has no vhost_net. vrrp-both does one after the other, twice, so
that the address goes back and forth. web talks to both routers all the time.
"""
import json
import os
import signal
import subprocess
import time

import lab
from bridged import Bridged, Chatter, now_ns

VARIANTS = {
    "vrrp-clean": {"plot": []},
    "vrrp-planned": {"plot": ["planned"]},
    "vrrp-stall": {"plot": ["stall"]},
    "vrrp-lost": {"plot": ["lost"]},
    "vrrp-both": {"plot": ["stall", "lost", "stall"]},
    "vrrp-alone": {"plot": ["lost"], "only": "vrrp"},
}

VIP = "10.4.0.100"
CONFIG = """
global_defs {{
    router_id {name}
    vrrp_startup_delay 0.1
}}
vrrp_instance shared {{
    state BACKUP
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{ {vip}/24 }}
}}
"""
NEVER = ("mac-mismatch", "l2-asymmetric", "arp-unanswered", "arp-conflict", "host-dark", "vrrp-misconfig",
         "vrrp-no-garp", "firewall-drop", "host-drop", "clock-step")


class Router:
    """keepalived on one host; its VRRP process is a child of the one started."""

    def __init__(self, net, name, priority, folder):
        self.host = net.hosts[name]
        self.files = os.path.join(folder, "." + name)
        with open(self.files + ".conf", "w") as file:
            file.write(CONFIG.format(name=name, priority=priority, vip=VIP))
        self.start()

    def start(self):
        self.process = self.host.popen(
            "keepalived", "--dont-fork", "--vrrp", "--use-file", self.files + ".conf",
            "--pid", self.files + ".pid", "--vrrp_pid", self.files + ".vrrp",
            "--log-console", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)

    def signal(self, number):
        with open(self.files + ".vrrp") as file:
            os.kill(int(file.read()), number)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=10)

    def master(self):
        return VIP in self.host.run("ip", "-4", "addr", "show", "dev", "eth0")

    def clean(self):
        for end in (".conf", ".pid", ".vrrp"):
            if os.path.exists(self.files + end):
                os.remove(self.files + end)


def until(condition, limit_s, what):
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise lab.Void(f"{what} did not happen in {limit_s} s")
        time.sleep(0.05)


def stall(net, lb1, lb2):
    began = now_ns()
    lb1.signal(signal.SIGSTOP)
    try:
        until(lb2.master, 6, "lb2 taking over")
        time.sleep(max(0, 5 - (now_ns() - began) / 1e9))
    finally:
        lb1.signal(signal.SIGCONT)
    until(lambda: not lb2.master(), 6, "lb2 giving way")
    return {"kind": "stall", "from_ns": began, "to_ns": began + 5 * 10**9}


def lost(net, lb1, lb2):
    began = now_ns()
    net.swallow("lb2", "out", "ip protocol 112")
    until(lb2.master, 6, "lb2 taking over")
    time.sleep(max(0, 4.5 - (now_ns() - began) / 1e9))
    net.pass_all("lb2", "out")
    until(lambda: not lb2.master(), 6, "lb2 giving way")
    return {"kind": "lost", "from_ns": began, "to_ns": began + 4_500_000_000}


def planned(net, lb1, lb2):
    began = now_ns()
    lb1.stop()
    until(lb2.master, 3, "lb2 taking over")
    time.sleep(3)
    lb1.start()
    until(lambda: lb1.master() and not lb2.master(), 8, "lb1 taking over again")
    return {"kind": "planned", "from_ns": began}


def facts_of_compute(out):
    """What an agent on the machine beneath both guests writes down."""
    at = now_ns()
    with open(os.path.join(out, "compute.facts.jsonl"), "w") as file:
        for key, value in (("host.name", "compute"), ("host.kernel", "4.19.0-27-amd64"),
                           ("vhost_net.loaded", "1"), ("vhost_net.enabled_in_config", "0"),
                           ("vhost_net.threads", "0"), ("qemu.processes", "2")):
            file.write(json.dumps({"at_ns": at, "key": key, "value": value},
                                  separators=(",", ":")) + "\n")


def run(place, out, plot, only=None):
    net = Bridged(place, {"lb1": 2, "lb2": 3, "web": 50}, mac="fa:16:3e:04:00:{:02x}")
    net.capture(out, "lb1", "lb2", only=only)
    talk = [Chatter(net, name, ["web", other], every=1.0, port=port)
            for name, other, port in (("lb1", "lb2", 7000), ("lb2", "lb1", 7001))]
    lb2 = Router(net, "lb2", 100, out)
    lb1 = Router(net, "lb1", 150, out)
    try:
        until(lambda: lb1.master() and not lb2.master(), 12, "lb1 becoming master")
        time.sleep(4)
        acts = []
        for act in plot:
            acts.append({"stall": stall, "lost": lost, "planned": planned}[act](net, lb1, lb2))
            time.sleep(4)
        time.sleep(2 if plot else 4)
    finally:
        for router in (lb1, lb2):
            if router.process.poll() is None:
                router.signal(signal.SIGCONT)
                router.process.kill()
        for one in talk:
            one.stop()
        place.stop_captures()
        lb1.clean()
        lb2.clean()
    return truth_alone(net, acts) if only else truth(net, out, plot, acts)


def truth_alone(net, acts):
    """No address is anybody's: the gap is on the way to lb2, and as many adverts are missing as were dropped."""
    counters = {name: value[0] for name, value in net.fabric.counters().items()}
    return {"": {
        "inputs": [{"name": name, "file": name + ".pcap"} for name in ("lb1", "lb2")],
        "findings": {
            "expected": [{"kind": "vrrp-gap-path", "count": 1,
                          "detail": {"vrid": 51, "router": net.ip["lb1"], "takeovers": 1, "lost": counters["lb2_out"]},
                          "window_at": [{"at_ns": (a["from_ns"] + a["to_ns"]) // 2, "within_ns": 0} for a in acts]}],
            "forbidden": [{"kind": kind} for kind in (*NEVER, "vrrp-gap-source", "vrrp-flap", "capture-loss")]},
        "counters": counters}}


def truth(net, out, plot, acts):
    inputs = [{"name": name, "file": name + ".pcap"} for name in ("lb1", "lb2")]
    expected, forbidden = [], list(NEVER)
    for kind, host, act in (("vrrp-gap-source", "lb1", "stall"), ("vrrp-gap-path", "lb2", "lost")):
        times = [a for a in acts if a["kind"] == act]
        if not times:
            forbidden.append(kind)
            continue
        expected.append({
            "kind": kind, "host": host, "from": "lb1", "to": "lb2", "count": len(times),
            "detail": {"vrid": 51, "router": net.ip["lb1"], "takeovers": len(times)},
            "window_at": [{"at_ns": (a["from_ns"] + a["to_ns"]) // 2, "within_ns": 0} for a in times]})
    if len(acts) > 1:
        expected.append({"kind": "vrrp-flap", "count": 2 * len(acts), "severity": "critical",
                         "detail": {"vrid": 51}})
    else:
        forbidden.append("vrrp-flap")
    # The last announcement may be the other's, for as long as keepalived waits with its second round.
    if "lost" in plot:
        forbidden.remove("vrrp-no-garp")
    # A master that goes on while the other takes over: two, until the adverts arrive again.
    if "lost" not in plot:
        forbidden.append("vrrp-dual-master")
    result = {"": {"inputs": inputs, "findings": {
        "expected": expected, "forbidden": [{"kind": kind} for kind in forbidden]},
        "counters": {name: value[0] for name, value in net.fabric.counters().items()}}}
    if plot == ["lost"]:
        facts_of_compute(out)
        explained = [{**e, "cause": "advisory"} for e in expected]
        explained.append({"kind": "advisory", "host": "compute", "detail": {"defect": "vhost-net-off"}})
        result["compute"] = {
            "inputs": inputs + [{"name": "compute", "file": "compute.facts.jsonl"}],
            "findings": {"expected": explained, "forbidden": [{"kind": kind} for kind in forbidden]}}
    if plot in (["stall"], ["lost"]):
        # The backup alone: the numbers of the adverts tell which it was.
        alone = {k: v for k, v in expected[0].items() if k not in ("from", "host")}
        result["lb2-only"] = {"inputs": inputs[1:], "findings": {
            "expected": [alone], "forbidden": [{"kind": kind} for kind in forbidden]}}
    return result
