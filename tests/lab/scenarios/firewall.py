"""A packet filter drops connections to port 8080 after logging them; port 8000 works.

The server's nftables rule sends what it drops to netfilter log group 5, which is captured
beside the interface: the SYNs reach the interface and the filter, and nobody answers.
firewall-silent is the same without log and without that capture: all that can be said is
that the packets arrived and got no answer.
"""
import os
import socket
import threading
import time

import routed
from bridged import Bridged
from traffic import Client, Server

VARIANTS = {
    "firewall-logged": {"logged": True},
    "firewall-silent": {"logged": False},
}

DROPPED = 8080
ATTEMPTS = 3


def rule(logged):
    log = 'log prefix "drop-in: " group 5 queue-threshold 1 ' if logged else ""
    return f"""
table inet filter {{
    counter dropped {{ }}
    chain input {{
        type filter hook input priority 0;
        tcp dport {DROPPED} {log}counter name dropped drop
    }}
}}
"""


def attempt(host, address):
    end = host.socket(socket.AF_INET, socket.SOCK_STREAM)
    end.settimeout(3.5)
    with end:
        try:
            end.connect((address, DROPPED))
        except TimeoutError:
            return
    raise RuntimeError("connected to a port that the filter drops")


def run(place, out, logged):
    net = Bridged(place, {"client": 10, "server": 20})
    client, server = net.hosts["client"], net.hosts["server"]
    server.nft(rule(logged))
    net.capture(out)
    if logged:
        place.capture(server, "nflog:5", os.path.join(out, "server-nflog.pcap"), snaplen=256)
        time.sleep(0.3)  # its group is bound a moment after it says that it listens
    listening = Server(server, net.ip["server"])
    refused = server.socket(socket.AF_INET, socket.SOCK_STREAM)
    refused.bind((net.ip["server"], DROPPED))
    refused.listen(4)
    talking = Client(client, net.ip["server"])
    threads = []
    for _ in range(ATTEMPTS):
        threads.append(threading.Thread(target=attempt, args=(client, net.ip["server"])))
        threads[-1].start()
        talking.mix([[(180, 1200)] * 4] * 4, stagger=0.05)
        time.sleep(0.5)
    for thread in threads:
        thread.join()
    listening.stop()
    refused.close()
    time.sleep(2.5)
    place.stop_captures(settle=1.2)
    return truth(net, server.counters()["dropped"][0], logged)


def truth(net, dropped, logged):
    assert dropped >= 2 * ATTEMPTS, dropped
    inputs = [{"name": "client", "file": "client.pcap"}, {"name": "server", "file": "server.pcap"}]
    found = {"kind": "firewall-drop" if logged else "host-drop", "host": "server", "count": dropped,
             "severity": "critical"}
    if logged:
        inputs.append({"name": "server", "file": "server-nflog.pcap"})
        found["detail"] = {"hook": "input", "prefix": "drop-in: ", "flows": ATTEMPTS}
    forbidden = [*routed.LOSSES, *(kind for kind in routed.NEVER if kind != found["kind"]), "mac-mismatch", "host-dark",
                 "arp-unanswered", "advisory", "refused"]
    return {"": {"inputs": inputs,
                 "findings": {"expected": [found], "forbidden": [{"kind": kind} for kind in forbidden]},
                 "counters": {"dropped": dropped}}}
