"""A path MTU black hole: packets above 1000 bytes vanish from server to client, silently.

The router drops them and no ICMP tells the server. Handshakes, requests and small answers
pass; every larger answer hangs in retransmissions until the client gives up.
"""
import socket
import time

import routed
from traffic import HEADER, payload

VARIANTS = {"pmtu-blackhole": {}}

LIMIT = 1000
PATIENCE_S = 3.0


def give_up(net):
    """Ask for what cannot pass; the client closes after a while, with its data unread."""
    connection = net.client.socket(socket.AF_INET, socket.SOCK_STREAM)
    net.talking.flows += 1
    with connection:
        connection.settimeout(PATIENCE_S)
        connection.connect((net.address, 8000))
        connection.sendall(HEADER.pack(60, 40_000) + payload(60))
        end = time.monotonic() + PATIENCE_S
        try:
            while time.monotonic() < end:
                connection.recv(4096)
        except TimeoutError:
            return
    raise RuntimeError("large packets passed")


def run(place, out):
    net = routed.Routed(place, {"s2c": ("s0", f"meta length > {LIMIT}")})
    # The server gives up in time: its last retransmission is inside the captures.
    net.server.sysctl("net.ipv4.tcp_orphan_retries", 2)
    net.capture(out)
    net.talking.mix([[(180, 700)] * 4] * 6, linger=0)
    for _ in range(2):
        give_up(net)
    net.talking.mix([[(180, 700)] * 4] * 6)
    count, counters = net.finish()
    routed.agree(out, count)
    lost = count["s2c_lost"]
    assert lost >= 10, count
    paths = [routed.path("c2s", count),
             routed.path("s2c", count, bytes_lost=routed.payload_lost(counters, "s2c"))]
    forbidden = [kind for kind in routed.NEVER if kind not in ("pmtu-blackhole", "reset")]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows, "paths": paths,
        "findings": {
            "expected": [{"kind": "pmtu-blackhole", "from": "server", "to": "client",
                          "count": lost, "detail": {
                              "smallest_lost": {"min": 941, "max": 1514},
                              "largest_delivered": {"min": 600, "max": 1014}}}],
            "forbidden": routed.forbid(*forbidden, "symmetric-loss", "syn-lost", "synack-lost")},
        "counters": count}}
