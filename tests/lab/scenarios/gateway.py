"""web stops receiving for eight seconds; captured are web and the gateway of its link, nothing else.

db, app and job stand behind the gateway, which is on one link with web: two captures of one
link. The switch swallows what goes out to web, before its tap, and counts it; web asks for the
gateway's MAC in vain. A second view adds the flow log of web's interface, made of what the
gateway sent to it: accepted, and not in web's capture. A window of a flow log may lie a minute
behind its packets, so for this view web's capture has an announcement minutes before and after.
"""
import os
import socket
import struct
import threading
import time

import pcapfile
from bridged import Bridged, Chatter, now_ns

VARIANTS = {"deaf-behind-gateway": {}}

WEB, GATEWAY = "10.4.0.5", "10.4.0.1"
PEERS = ("db", "app", "job")
DEAF_S, AROUND_S = 8, 3
ENI = "eni-0aaa1111bbbb2222c"
WINDOW_S = 5
NEVER = ("mac-mismatch", "l2-asymmetric", "arp-conflict", "firewall-drop", "host-drop", "clock-step",
         "capture-loss", "injected-segment")
HEADER = ("version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action "
          "log-status flow-direction tcp-flags")


def build(place):
    net = Bridged(place, {"web": 5, "gw": 1})
    gateway = net.hosts["gw"]
    gateway.sysctl("net.ipv4.ip_forward", 1)
    net.hosts["web"].route("default", GATEWAY)
    for number, name in enumerate(PEERS, 1):
        host = net.hosts[name] = place.host(name)
        net.ip[name] = f"10.5.{number}.10"
        place.wire(host, "eth0", gateway, name)
        host.address("eth0", net.ip[name] + "/24")
        gateway.address(name, f"10.5.{number}.1/24")
        host.route("default", f"10.5.{number}.1")
    net.fabric.nft("".join(f"add counter netdev wire {name}_lost\n" for name in PEERS))
    return net


def deafen(net):
    """From here on what goes out to web is swallowed, the UDP of each peer counted by itself."""
    net.fabric.nft("".join(f"add rule netdev wire web_out ip saddr {net.ip[name]} meta l4proto udp"
                           f" counter name {name}_lost drop\n" for name in PEERS)
                   + "add rule netdev wire web_out counter name web_out drop\n")
    return now_ns()


def heal(net):
    net.pass_all("web", "out")
    return now_ns()


def flow_log(source, out):
    """What the cloud would have logged of the frames that the gateway's capture shows to and from web."""
    table = {}
    for frame in pcapfile.read(source):
        if frame.data[12:14] != b"\x08\x00" or frame.data[23] != 17:
            continue
        start = frame.time_ns // 10**9 // WINDOW_S * WINDOW_S
        key = (start, socket.inet_ntoa(frame.data[26:30]), socket.inet_ntoa(frame.data[30:34]),
               int.from_bytes(frame.data[34:36], "big"), int.from_bytes(frame.data[36:38], "big"))
        row = table.setdefault(key, [0, 0])
        row[0] += 1
        row[1] += frame.wire - 14
    with open(out, "w", encoding="ascii") as file:
        file.write(HEADER + "\n")
        for (start, src, dst, sport, dport), (packets, size) in sorted(table.items()):
            way = "ingress" if dst == WEB else "egress"
            file.write(f"5 111122223333 {ENI} {src} {dst} {sport} {dport} 17 {packets} {size} {start} "
                       f"{start + WINDOW_S - 1} ACCEPT OK {way} 0\n")


def lengthen(source, out, mac):
    """The capture with an announcement of web's address two and a half minutes before it and after it."""
    frames = list(pcapfile.read(source))
    own, address = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(WEB)
    data = (b"\xff" * 6 + own + struct.pack("!HHHBBH", 0x0806, 1, 0x0800, 6, 4, 1) + own + address + bytes(6) + address)
    said = [pcapfile.Frame(at, 60, data.ljust(60, b"\0"))
            for at in (frames[0].time_ns - 150 * 10**9, frames[-1].time_ns + 150 * 10**9)]
    pcapfile.write(out, [said[0], *frames, said[1]])


def ask_for_gateway(net, stopping):
    """web sends to its peers of its own accord, and has to look for the gateway's MAC."""
    while not stopping.is_set():
        end = net.hosts["web"].socket(socket.AF_INET, socket.SOCK_STREAM)
        end.settimeout(0.5)
        with end:
            try:
                end.connect((net.ip["db"], 5432))
            except OSError:
                pass
        stopping.wait(0.5)


def run(place, out):
    net = build(place)
    net.capture(out, "web", "gw", only=f"host {WEB} or arp")
    talk = Chatter(net, "web", PEERS)
    stopping = threading.Event()
    time.sleep(AROUND_S)
    began = deafen(net)
    net.hosts["web"].run("ip", "neigh", "flush", "to", GATEWAY)
    asking = threading.Thread(target=ask_for_gateway, args=(net, stopping))
    asking.start()
    time.sleep(DEAF_S)
    ended = heal(net)
    stopping.set()
    asking.join()
    time.sleep(AROUND_S)
    talk.stop()
    place.stop_captures()
    flow_log(os.path.join(out, "gw.pcap"), os.path.join(out, "flow.log"))
    lengthen(os.path.join(out, "web.pcap"), os.path.join(out, "web-long.pcap"), net.mac["web"])
    return truth(net, began, ended)


def truth(net, began, ended):
    counters = {name: value[0] for name, value in net.fabric.counters().items()}
    lost = {name: counters[name + "_lost"] for name in PEERS}
    captures = [{"name": name, "file": name + ".pcap"} for name in ("gw", "web")]
    dark = {"kind": "host-dark", "host": "web", "count": 1, "detail": {"direction": "rx", "alive": True},
            "window_at": [{"at_ns": (began + ended) // 2, "within_ns": 0},
                          {"at_ns": began, "within_ns": 10**9}, {"at_ns": ended, "within_ns": 10**9}]}
    view = {
        "inputs": captures,
        "paths": [{"from": "gw", "to": "web", "direction": "c2s", "protocol": "udp", "counts": {"lost": sum(lost.values())}}],
        "findings": {"expected": [dark], "forbidden": [{"kind": kind} for kind in NEVER]},
        "counters": counters}
    missing = [{"kind": "eni-not-host", "host": "web", "ip": net.ip[name], "count": lost[name], "cause": "host-dark"}
               for name in PEERS]
    logged = {**view, "inputs": [captures[0], {"name": "web", "file": "web-long.pcap"}, {"name": "web", "file": "flow.log"}],
              "options": ["--host", f"web={ENI}"],
              "findings": {"expected": [dark, *missing], "forbidden": view["findings"]["forbidden"]}}
    return {"": view, "flowlog": logged}
