"""A router between client and server drops everything for one port; two other services go on.

Both ends are captured as README.md says: by the address of the peer, ARP and ICMP. None of the
SYNs for the blocked port leaves a trace at the server, and the counter says how many there were.
"""
import os
import threading
import time

import routed
from traffic import Client, Server

VARIANTS = {"port-blocked": {}}

BLOCKED, SSH = 8443, 2222
RULES = f"""
table ip block {{
    counter blocked {{ }}
    chain forward {{ type filter hook forward priority 0;
        tcp dport {BLOCKED} counter name blocked drop
    }}
}}
"""


def try_in_vain(host, port, limit_s):
    end = host.socket()
    end.settimeout(limit_s)
    with end:
        try:
            end.connect((routed.SERVER4, port))
        except OSError:
            pass


def run(place, out):
    net = routed.Routed(place)
    net.router.nft(RULES)
    for name, host, peer in (("client", net.client, routed.SERVER4), ("server", net.server, routed.CLIENT4)):
        place.capture(host, "eth0", os.path.join(out, name + ".pcap"), snaplen=128,
                      only=f"host {peer} or arp or icmp or icmp6")
    ssh = Server(net.server, routed.SERVER4, SSH)
    other = Client(net.client, routed.SERVER4, SSH)
    tries = [threading.Thread(target=try_in_vain, args=(net.client, BLOCKED, 3.5)) for _ in range(5)]

    def in_vain():
        for one in tries:
            one.start()
            other.converse([(50, 50)])
        for one in tries:
            one.join()
    net.talking.converse([(20, 60)])  # shows that both captures run
    trying = threading.Thread(target=in_vain)
    trying.start()
    net.talking.mix(conversations=[[(180, 1200)] * 4] * 14, stagger=0.3)
    trying.join()
    time.sleep(0.3)
    net.talking.converse([(20, 60)])
    ssh.stop()
    count, _ = net.finish()
    blocked = count["blocked"]
    return {"": {
        "inputs": [{"name": name, "file": name + ".pcap"} for name in ("client", "server")],
        "flows": net.talking.flows + other.flows + len(tries),
        "paths": [{"from": "client", "to": "server", "direction": "c2s", "server_port": BLOCKED,
                   "counts": {"sent": blocked, "lost": blocked}},
                  routed.path("s2c", count)],
        "findings": {
            "expected": [{"kind": "syn-lost", "from": "client", "to": "server", "count": blocked, "total": blocked,
                          "severity": "critical", "detail": {"port": BLOCKED, "broken": len(tries)}}],
            "forbidden": routed.forbid("synack-lost", "asymmetric-loss", "symmetric-loss", *routed.NEVER)},
        "counters": count}}
