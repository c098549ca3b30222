"""web, its database db and two more hosts on one bridge; for some seconds web goes dark.

All talk to web several times a second, and it answers. dark-receive: the bridge swallows
what goes out to web, before its tap, for eight seconds: an interface that has stopped
receiving. web goes on sending; it has forgotten db's MAC and asks for it in vain. Its facts
are those of an old ixgbevf on Xen. dark-transmit: the bridge swallows what comes in from web,
behind its tap, for six seconds: a hung transmit queue; the kernel line stands in web's
facts. dark-gone: web is cut off and its capture ends; it does not come back while the others
go on for half a minute. Its facts, and those of a host that was not captured, are of Xen 4.2 with
an ENA adapter. dark-silence: for eight seconds nobody sends to web, and nothing is wrong.
dark-stopped: web's capture is stopped for eight seconds while everybody goes on.
"""
import json
import os
import socket
import threading
import time

from bridged import Bridged, Chatter, now_ns

VARIANTS = {
    "dark-receive": {"plot": "receive"},
    "dark-transmit": {"plot": "transmit"},
    "dark-gone": {"plot": "gone"},
    "dark-silence": {"plot": "silence"},
    "dark-stopped": {"plot": "stopped"},
}

HOSTS = {"web": 5, "db": 6, "app": 7, "job": 8}
NEVER = ("mac-mismatch", "l2-asymmetric", "arp-conflict", "firewall-drop", "host-drop", "clock-step",
         "capture-loss", "injected-segment")
IXGBEVF = (("hypervisor.type", "xen"), ("hypervisor.version", "4.11.amazon"),
           ("nic.eth0.driver", "ixgbevf"), ("nic.eth0.driver_version", "2.11.3-k"))
XEN = (("hypervisor.type", "xen"), ("hypervisor.version", "4.2.amazon"), ("nic.eth0.driver", "ena"),
       ("nic.eth0.driver_version", "2.0.2K"))
R8169 = (("nic.eth0.driver", "r8169"), ("nic.eth0.driver_version", "2.3LK-NAPI"))


def write_facts(out, name, facts):
    """A sidecar as the agent writes it: (key, value), or (key, value, time)."""
    with open(os.path.join(out, name + ".facts.jsonl"), "w") as file:
        for fact in facts:
            key, value, at = (*fact, now_ns())[:3]
            file.write(json.dumps({"at_ns": at, "key": key, "value": value},
                                  separators=(",", ":")) + "\n")


def reach_for(net, stopping):
    """web connects to db again and again; without db's MAC that is "No route to host"."""
    while not stopping.is_set():
        end = net.hosts["web"].socket(socket.AF_INET, socket.SOCK_STREAM)
        end.settimeout(0.5)
        with end:
            try:
                end.connect((net.ip["db"], 5432))
            except OSError:
                pass
        stopping.wait(0.5)


def receive(net, out):
    stopping = threading.Event()
    net.swallow("web", "out")
    began = now_ns()
    net.hosts["web"].run("ip", "neigh", "flush", "to", net.ip["db"])
    thread = threading.Thread(target=reach_for, args=(net, stopping))
    thread.start()
    time.sleep(8)
    net.pass_all("web", "out")
    ended = now_ns()
    stopping.set()
    thread.join()
    write_facts(out, "web", IXGBEVF)
    return began, ended


def transmit(net, out):
    net.swallow("web", "in")
    began = now_ns()
    time.sleep(6)
    net.pass_all("web", "in")
    ended = now_ns()
    write_facts(out, "web", R8169 + ((
        "kernel.log", "level=4 message=NETDEV WATCHDOG: eth0 (r8169): transmit queue 0 timed out",
        ended - 700_000_000),))
    return began, ended


def gone(net, out):
    """The capture of a host that dies ends with it. The others must look for its MAC within that time: by
    default Linux believes an entry for 15 to 45 s, as chance has it, and only then asks again."""
    net.place.captures[0].stop()
    del net.place.captures[0]
    net.swallow("web", "in")
    net.swallow("web", "out")
    began = now_ns()
    time.sleep(36)
    write_facts(out, "web", XEN)
    write_facts(out, "spare", (("host.name", "spare"), *XEN))
    return began, now_ns()


def silence(net, out):
    began = now_ns()
    time.sleep(8)
    return began, now_ns()


def stopped(net, out):
    net.place.captures[0].stop()
    del net.place.captures[0]
    began = now_ns()
    time.sleep(8)
    net.place.capture(net.hosts["web"], "eth0", os.path.join(out, "web2.pcap"), snaplen=128)
    return began, now_ns()


def run(place, out, plot):
    net = Bridged(place, HOSTS)
    others = ["db", "app", "job"]
    if plot == "gone":
        for name in others:
            net.hosts[name].sysctl("net.ipv4.neigh.eth0.base_reachable_time_ms", 6000)
    net.capture(out)
    talks = [Chatter(net, "web", others), Chatter(net, "db", ["app"], every=0.5, port=9)]
    time.sleep(4)
    if plot == "silence":
        talks.pop(0).stop()
    began, ended = {"receive": receive, "transmit": transmit, "gone": gone, "silence": silence,
                    "stopped": stopped}[plot](net, out)
    if plot == "silence":
        talks.append(Chatter(net, "web", others))
    if plot != "gone":
        time.sleep(4)
    for talk in talks:
        talk.stop()
    place.stop_captures()
    return truth(net, plot, began, ended)


def truth(net, plot, began, ended):
    inputs = [{"name": name, "file": name + ".pcap"} for name in HOSTS]
    dark = {"kind": "host-dark", "host": "web", "count": 1,
            "window_at": [{"at_ns": (began + ended) // 2, "within_ns": 0},
                          {"at_ns": began, "within_ns": 2 * 10**9}, {"at_ns": ended, "within_ns": 2 * 10**9}]}
    forbidden, expected = list(NEVER), []
    if plot == "receive":
        expected = [{**dark, "detail": {"direction": "rx", "alive": True}, "cause": "advisory"},
                    {"kind": "arp-unanswered", "from": "web", "to": "db", "cause": "host-dark",
                     "detail": {"ip": net.ip["db"]}},
                    {"kind": "advisory", "host": "web", "detail": {"defect": "ixgbevf-ec2"}}]
    elif plot == "transmit":
        expected = [{**dark, "detail": {"direction": "tx", "alive": True}, "cause": "advisory"},
                    {"kind": "advisory", "host": "web", "count": 1, "detail": {"defect": "netdev-watchdog"}}]
    elif plot == "gone":
        inputs.append({"name": "spare", "file": "spare.facts.jsonl"})
        expected = [{**dark, "detail": {"direction": "both", "alive": False}, "cause": "advisory", "severity": "critical"},
                    {"kind": "advisory", "host": "web", "detail": {"defect": "xen42-msix"}},
                    {"kind": "advisory", "host": "spare", "detail": {"defect": "xen42-msix"}},
                    *({"kind": "arp-unanswered", "host": name, "cause": "host-dark"} for name in ("db", "app", "job"))]
    else:
        forbidden += ["host-dark", "arp-unanswered", "syn-lost"]
        if plot == "stopped":
            inputs.insert(1, {"name": "web", "file": "web2.pcap"})
            forbidden.remove("capture-loss")
        else:
            forbidden += ["asymmetric-loss", "symmetric-loss"]
    return {"": {"inputs": inputs, "findings": {
        "expected": expected, "forbidden": [{"kind": kind} for kind in forbidden]},
        "counters": {name: value[0] for name, value in net.fabric.counters().items()}}}
