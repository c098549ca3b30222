"""A wire in user space: what comes in at one port goes out of the other, by a policy.

A policy is asked for each frame: policy.pass_on(direction, frame) returns a list of
(delay in seconds, frame) to send onward. Frames of equal delay keep their order. Hosts
at the ends need their checksum offload off, for nobody fills checksums in on the way.
"""
import heapq
import itertools
import select
import socket
import struct
import threading
import time

import lab

SOL_PACKET, PACKET_STATISTICS, PACKET_IGNORE_OUTGOING = 263, 6, 23
ETH_P_ALL = 3
BUFFER = 1 << 26


class Verbatim:
    """Passes everything on as it is."""

    def pass_on(self, direction, frame):
        return [(0.0, frame)]


class Forwarder:
    """Runs on a thread between ports of one host: {direction: (from port, to port)}."""

    def __init__(self, host, client_port, server_port, policy):
        self.policy = policy
        self.ports = {"c2s": self._open(host, client_port), "s2c": self._open(host, server_port)}
        self.onward = {"c2s": self.ports["s2c"], "s2c": self.ports["c2s"]}
        self.pending = []
        self.order = itertools.count()
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._loop, daemon=True)
        self.thread.start()

    def _open(self, host, port):
        raw = host.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        raw.setsockopt(socket.SOL_SOCKET, 33, BUFFER)  # SO_RCVBUFFORCE
        raw.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        raw.bind((port, ETH_P_ALL))
        raw.setblocking(False)
        return raw

    def _loop(self):
        direction_of = {raw: direction for direction, raw in self.ports.items()}
        while not self.stopping.is_set() or self.pending:
            wait = 0.05
            if self.pending:
                wait = max(0.0, min(wait, self.pending[0][0] - time.monotonic()))
            for raw in select.select(list(direction_of), [], [], wait)[0]:
                self._receive(raw, direction_of[raw])
            self._release()

    def _receive(self, raw, direction):
        now = time.monotonic()
        for _ in range(64):
            try:
                frame = raw.recv(65536)
            except BlockingIOError:
                return
            for delay, out in self.policy.pass_on(direction, frame):
                if delay:
                    heapq.heappush(self.pending,
                                   (now + delay, next(self.order), direction, out))
                else:
                    self.onward[direction].send(out)

    def _release(self):
        now = time.monotonic()
        while self.pending and self.pending[0][0] <= now:
            _, _, direction, frame = heapq.heappop(self.pending)
            frame = frame() if callable(frame) else frame
            if frame:
                self.onward[direction].send(frame)

    def stop(self):
        """End the wire; Void if the machine itself dropped anything."""
        self.stopping.set()
        self.thread.join()
        for raw in self.ports.values():
            raw.setblocking(True)
            _, drops = struct.unpack("II", raw.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))
            raw.close()
            if drops:
                raise lab.Void(f"the forwarder missed {drops} frames")
