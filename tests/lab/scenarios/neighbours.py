"""Who answers ARP: the owner who does not, and a router that answers for others.

arp-ignored: the owner gets the requests for its address and answers none (arp_ignore 8); it is asked in vain.
proxy-arp: one host believes others to be on its own link (a wide mask); the router between them answers
for them, and everything works: no verdict.
"""
import os
import socket
import time

from bridged import Bridged, Chatter
from traffic import Client, Server

VARIANTS = {
    "arp-ignored": {"plot": "ignored"},
    "proxy-arp": {"plot": "proxy"},
}

NEVER = ("mac-mismatch", "l2-asymmetric", "arp-conflict", "host-dark", "firewall-drop", "host-drop",
         "capture-loss", "clock-step")


def forbid(*kinds):
    return [{"kind": kind} for kind in (*NEVER, *kinds)]


def ignored(place, out):
    net = Bridged(place, {"asker": 1, "owner": 2, "other": 3, "third": 4})
    net.hosts["owner"].sysctl("net.ipv4.conf.all.arp_ignore", 8)
    net.capture(out, "asker", "owner")
    talk = [Chatter(net, name, ["asker", "owner"], port=port) for name, port in (("other", 7), ("third", 9))]
    time.sleep(1)
    for _ in range(2):
        end = net.hosts["asker"].socket(socket.AF_INET, socket.SOCK_STREAM)
        end.settimeout(5)
        with end:
            try:
                end.connect((net.ip["owner"], 80))
                raise RuntimeError("connected without an answer to ARP")
            except OSError:
                pass
    time.sleep(1.5)
    for one in talk:
        one.stop()
    place.stop_captures()
    return {"": {
        "inputs": [{"name": name, "file": name + ".pcap"} for name in ("asker", "owner")],
        "findings": {"expected": [{"kind": "arp-unanswered", "from": "asker", "to": "owner",
                                   "detail": {"ip": net.ip["owner"], "answered": 0}}],
                     "forbidden": forbid()}}}


def proxy(place, out):
    net = Bridged(place, {"near": 1, "router": 254})
    far = place.host("far")
    router, a = net.hosts["router"], net.hosts["near"]
    place.wire(far, "eth0", router, "eth1")
    a.run("ip", "addr", "replace", net.ip["near"] + "/16", "dev", "eth0")
    a.run("ip", "addr", "del", net.ip["near"] + "/24", "dev", "eth0")
    router.address("eth1", "10.4.7.254/24")
    router.sysctl("net.ipv4.ip_forward", 1)
    router.sysctl("net.ipv4.conf.eth0.proxy_arp", 1)
    router.sysctl("net.ipv4.neigh.eth0.proxy_delay", 0)
    addresses = [f"10.4.7.{n}" for n in (10, 11, 12)]
    far.address("eth0", *(address + "/24" for address in addresses))
    far.route("default", "10.4.7.254")
    place.capture(a, "eth0", os.path.join(out, "near.pcap"), snaplen=128)
    place.capture(far, "eth0", os.path.join(out, "far.pcap"), snaplen=128)
    for address in addresses:
        listening = Server(far, address)
        talking = Client(a, address)
        talking.mix([[(180, 1200)] * 4] * 4, stagger=0.05)
        listening.stop()
    place.quiet(a, far)
    place.stop_captures()
    return {"": {
        "inputs": [{"name": name, "file": name + ".pcap"} for name in ("near", "far")],
        "findings": {"expected": [], "forbidden": forbid("arp-unanswered", "syn-lost", "synack-lost")}}}


def run(place, out, plot):
    return {"ignored": ignored, "proxy": proxy}[plot](place, out)
