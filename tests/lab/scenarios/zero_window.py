"""A reader that sleeps: the server's window closes for two seconds, and nothing is lost.

The server's application does not read; its receive buffer fills, it advertises a window
of zero, the client probes. Other conversations go on beside it.
"""
import socket
import threading
import time

import routed
from traffic import payload

VARIANTS = {"zero-window": {}}

PORT = 8001
STALL_S = 2.0
SIZE = 200_000


def sleepy(listener):
    connection, _ = listener.accept()
    with connection:
        time.sleep(STALL_S)
        while connection.recv(8192):
            pass


def run(place, out):
    net = routed.Routed(place)
    listener = net.server.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
    listener.bind((net.address, PORT))
    listener.listen(1)
    net.capture(out)
    reader = threading.Thread(target=sleepy, args=(listener,), daemon=True)
    reader.start()
    writer = net.client.socket(socket.AF_INET, socket.SOCK_STREAM)
    writer.settimeout(20)
    with listener, writer:
        writer.connect((net.address, PORT))
        pushing = threading.Thread(target=writer.sendall, args=(payload(SIZE),),
                                   daemon=True)
        pushing.start()
        net.talking.mix([[(180, 1200)] * 4, [(200, 60_000)]] * 4, stagger=0.2)
        pushing.join()
        writer.shutdown(socket.SHUT_WR)
        reader.join()
    count, _ = net.finish()
    forbidden = [kind for kind in routed.NEVER if kind != "zero-window"]
    return {"": {
        "inputs": routed.inputs(out), "flows": net.talking.flows + 1,
        "paths": [routed.path(way, count) for way in ("c2s", "s2c")],
        "findings": {"expected": [{"kind": "zero-window"}],
                     "forbidden": routed.forbid(*forbidden, *routed.LOSSES)},
        "counters": count}}
