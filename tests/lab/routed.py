"""Client and server with one router between them, which counts and drops.

    client eth0 10.1.0.10 -- c0 router s0 -- eth0 10.2.0.20 server      (2001:db8:1::, :2::)

Unless told otherwise offloads are off everywhere: what a tap sees is what is on the wire.
Counters are of TCP packets: {c2s,s2c}_sent as they enter the router, _received as they
leave it, _lost where a rule of the scenario dropped them.
"""
import os
import socket

import lab
import pcapfile
import segments
from traffic import Client, Server

CLIENT4, SERVER4 = "10.1.0.10", "10.2.0.20"
CLIENT6, SERVER6 = "2001:db8:1::10", "2001:db8:2::20"
SIDES = (("client", "c0", 1, 10), ("server", "s0", 2, 20))

CLEAN = {"capture_missed": 0, "misaddressed": 0, "unjudged": 0, "duplicated": 0,
         "injected": 0, "sender_missed": 0, "reordered": 0}
# Verdicts that nothing in a scenario of plain loss or of none may bring about.
NEVER = ["mac-mismatch", "arp-unanswered", "arp-conflict", "host-dark", "injected-segment",
         "modified-in-path", "capture-loss", "clock-step", "reset", "refused", "zero-window",
         "pmtu-blackhole", "reordering", "duplication", "vrrp-flap", "eni-not-host"]
LOSSES = ["syn-lost", "synack-lost", "handshake-ack-lost", "asymmetric-loss", "symmetric-loss"]


def forbid(*kinds):
    return [{"kind": kind} for kind in kinds]


def counting(client_port="c0", server_port="s0"):
    """Count what enters and leaves by each port, whatever happens between."""
    return f"""
table netdev truth {{
    counter c2s_sent {{ }}
    counter c2s_received {{ }}
    counter s2c_sent {{ }}
    counter s2c_received {{ }}
    chain c_in {{ type filter hook ingress device "{client_port}" priority 0;
        meta l4proto tcp counter name c2s_sent
    }}
    chain c_out {{ type filter hook egress device "{client_port}" priority 0;
        meta l4proto tcp counter name s2c_received
    }}
    chain s_in {{ type filter hook ingress device "{server_port}" priority 0;
        meta l4proto tcp counter name s2c_sent
    }}
    chain s_out {{ type filter hook egress device "{server_port}" priority 0;
        meta l4proto tcp counter name c2s_received
    }}
}}
"""


def dropping(rules):
    """Drop forwarded TCP: rules is {direction: (input port, nft match)}.

    The loss is also counted by TCP header length: that and the bytes give the payload.
    """
    text = "table inet loss {\n"
    for direction, (port, match) in rules.items():
        for words in range(5, 16):
            text += f"    counter {direction}_lost_{words} {{ }}\n"
        text += f"    counter {direction}_lost {{ }}\n    chain {direction}_drop {{\n"
        for words in range(5, 16):
            text += f"        tcp doff {words} counter name {direction}_lost_{words}\n"
        text += f"        counter name {direction}_lost drop\n    }}\n"
    text += "    chain forward {\n        type filter hook forward priority 0;\n"
    for direction, (port, match) in rules.items():
        text += (f'        iifname "{port}" meta l4proto tcp {match}'
                 f" goto {direction}_drop\n")
    return text + "    }\n}\n"


def calming(*routers):
    """A function that makes the routers drop nothing more; counters stay."""
    def calm():
        for router in routers:
            router.nft("flush chain inet loss forward\n")
    return calm


def chance(per_mille):
    return f"numgen random mod 1000 < {per_mille}"


def payload_lost(counters, direction, ip_header=20):
    """Payload bytes of what dropping() dropped."""
    total = 0
    for words in range(5, 16):
        packets, size = counters.get(f"{direction}_lost_{words}", (0, 0))
        total += size - packets * (ip_header + 4 * words)
    return total


class Routed:
    """The topology, its traffic and its truth."""

    def __init__(self, place, rules=None, ipv6=False, checksums=True):
        self.place = place
        self.ipv6 = ipv6
        self.router = place.host("router", ipv6)
        self.router.sysctl("net.ipv4.ip_forward", 1)
        if ipv6:
            self.router.sysctl("net.ipv6.conf.all.forwarding", 1)
        self.ends = {}
        for name, port, net, own in SIDES:
            host = self.ends[name] = place.host(name, ipv6)
            place.wire(host, "eth0", self.router, port)
            if ipv6:
                self.router.address(port, f"2001:db8:{net}::1/64")
                host.address("eth0", f"2001:db8:{net}::{own}/64")
                host.run("ip", "-6", "route", "add", "default", "via", f"2001:db8:{net}::1")
            else:
                self.router.address(port, f"10.{net}.0.1/24")
                host.address("eth0", f"10.{net}.0.{own}/24")
                host.route("default", f"10.{net}.0.1")
            for end, interface in ((host, "eth0"), (self.router, port)):
                end.offload(interface, "off")
                if not checksums:
                    end.offload(interface, "off", "tx")
        self.client, self.server = self.ends["client"], self.ends["server"]
        self.router.nft(counting() + (dropping(rules) if rules else ""))
        self.calm = calming(self.router) if rules else None
        family = socket.AF_INET6 if ipv6 else socket.AF_INET
        self.address = SERVER6 if ipv6 else SERVER4
        self.listening = Server(self.server, self.address, family=family)
        self.talking = Client(self.client, self.address, family=family)

    def capture(self, out, snaplen=128, **options):
        """Both ends, as OUT/client.pcap and OUT/server.pcap."""
        for name, host in self.ends.items():
            self.place.capture(host, "eth0", os.path.join(out, name + ".pcap"), snaplen=snaplen,
                               **options)

    def finish(self):
        """End the server, wait for the last segment, stop the captures, read the counters."""
        self.listening.stop()
        self.place.quiet(self.client, self.server)
        self.place.stop_captures()
        counters = self.router.counters()
        count = {name: value[0] for name, value in counters.items()
                 if not name[-1].isdigit()}
        return count, counters


def agree(out, count):
    """Captures against counters, packet for packet: else the run is not worth keeping."""
    pairing = segments.pair_files(os.path.join(out, "client.pcap"),
                                  os.path.join(out, "server.pcap"))
    for direction, half in pairing.items():
        seen = {"sent": len(half.sent), "received": len(half.received), "lost": len(half.missing)}
        for name, value in seen.items():
            if value != count.get(f"{direction}_{name}", 0):
                raise lab.Void(f"captures and counters differ: {direction}_{name} "
                               f"{value}, counted {count.get(f'{direction}_{name}', 0)}")
        if half.extra:
            raise lab.Void(f"{direction}: {len(half.extra)} arrivals that were never sent")
        if segments.overtaken(half):
            raise lab.Void(f"{direction}: reordered by the machine itself")
    return pairing


def path(direction, count, **more):
    """Truth of one direction between the two ends, as counted on the way."""
    ends = ("client", "server") if direction == "c2s" else ("server", "client")
    lost = count.get(f"{direction}_lost", 0)
    sent, received = count[f"{direction}_sent"], count[f"{direction}_received"]
    return {"from": ends[0], "to": ends[1], "direction": direction,
            "counts": {"sent": sent, "received": received, "delivered": sent - lost,
                       "lost": lost, **CLEAN, **more}}


def loss_finding(count, least=12):
    """One-way loss from server to client; too little of it proves nothing."""
    if count["s2c_lost"] < least or count.get("c2s_lost", 0):
        raise lab.Void(f"only {count['s2c_lost']} lost")
    return {"kind": "asymmetric-loss", "from": "server", "to": "client",
            "count": count["s2c_lost"], "total": count["s2c_sent"]}


def inputs(out, names=("client", "server"), compress=True):
    """The captures as inputs, compressed for keeping."""
    listed = []
    for name in names:
        file = os.path.join(out, name + ".pcap")
        listed.append({"name": name,
                       "file": os.path.basename(pcapfile.compress(file) if compress else file)})
    return listed
