#!/usr/bin/env python3
"""A large upload at flat memory. usage: upload.py BOTHENDS [GIGABYTES [FOLDER]]

Sends a capture of 2 GB (records of 60,000 bytes of one UDP flow) to bothends serve as a form, and again with the
resumable protocol, and prints the peak of resident memory of the server, before and after, and of the analysis.
Fails when the server grew by more than 16 MB, the analysis beyond its limit, or a frame was not counted.
"""
import contextlib
import http.client
import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
import time

BOTHENDS = os.path.abspath(sys.argv[1])
SIZE = int(float(sys.argv[2] if len(sys.argv) > 2 else "2") * 1e9)
LIMIT_MB = 256


def frame(n):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 60000 - 14, n & 0xffff, 0, 64, 17, 0, bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2]))
    data = bytes.fromhex("020000000002020000000001" "0800") + ip + struct.pack("!HHHH", 4000 + n % 1000, 9, 60000 - 34, 0)
    return struct.pack("<IIII", 1790000000 + n // 1000, n % 1000 * 1000, 60000, 60000) + data + bytes(60000 - len(data))


def content():
    yield bytes.fromhex("d4c3b2a1020004000000000000000000ffff000001000000")
    for n in range(SIZE // 60016):
        yield frame(n)


LENGTH = 24 + SIZE // 60016 * 60016


def peak_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1000


class Watch(threading.Thread):
    """The largest peak of the processes that work in folder."""

    def __init__(self, folder):
        super().__init__(daemon=True)
        self.folder, self.peak, self.stop = folder, 0, False
        self.start()

    def run(self):
        while not self.stop:
            for pid in filter(str.isdigit, os.listdir("/proc")):
                with contextlib.suppress(OSError, StopIteration):
                    if os.readlink(f"/proc/{pid}/cwd").startswith(self.folder):
                        self.peak = max(self.peak, peak_mb(pid))
            time.sleep(0.02)


def call(port, method, path, body=None, **headers):
    c = http.client.HTTPConnection("127.0.0.1", port, timeout=900)
    c.request(method, path, body, {k.replace("_", "-"): str(v) for k, v in headers.items()})
    r = c.getresponse()
    data = r.read()
    return r.status, json.loads(data) if data else None, r.headers


def by_form(port):
    head = b'--XX\r\nContent-Disposition: form-data; name="w"; filename="big.pcap"\r\n\r\n'
    tail = b"\r\n--XX--\r\n"

    def body():
        yield head
        yield from content()
        yield tail
    return call(port, "POST", "/?wait=600", body(), Content_Type="multipart/form-data; boundary=XX", Content_Length=LENGTH + len(head) + len(tail))[:2]


def resumable(port):
    _, incident, _ = call(port, "POST", "/incidents")
    _, _, h = call(port, "POST", incident["url"] + "/files", Upload_Length=LENGTH, Tus_Resumable="1.0.0")
    status, _, _ = call(port, "PATCH", h["Location"], content(), Upload_Offset=0, Tus_Resumable="1.0.0", Content_Length=LENGTH,
                        Content_Type="application/offset+octet-stream")
    assert status == 204, status
    return call(port, "POST", incident["url"] + "/analyze?wait=600")[:2]


def main():
    wrong = 0
    with tempfile.TemporaryDirectory(dir=sys.argv[3] if len(sys.argv) > 3 else None) as t:
        server = subprocess.Popen([BOTHENDS, "serve", "--store", f"{t}/store", "--listen", "127.0.0.1:0", "--analysis-memory", f"{LIMIT_MB}M"],
                                  stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline().rsplit(":", 1)[1].strip("/\n"))
            call(port, "GET", "/incidents")
            before = peak_mb(server.pid)
            for way in (by_form, resumable):
                watch, began = Watch(f"{t}/store"), time.monotonic()
                status, r = way(port)
                watch.stop = True
                watch.join()
                _, rows, _ = call(port, "POST", r["url"] + "/query", "SELECT frames FROM capture_file") if r["state"] == "done" else (0, [], 0)
                after = peak_mb(server.pid)
                print(f"{way.__name__}: {LENGTH / 1e9:.2f} GB, {status}, {r['state']} {r.get('error', '')} in {time.monotonic() - began:.0f} s; "
                      f"server {before:.1f} MB before, {after:.1f} MB after; analysis {watch.peak:.0f} MB; {rows}", flush=True)
                wrong += after - before > 16 or watch.peak > 2 * LIMIT_MB or rows != [{"frames": SIZE // 60016}]
                call(port, "DELETE", r["url"])
            wrong += os.listdir(f"{t}/store") != []
        finally:
            server.terminate()
            server.wait(20)
    sys.exit(1 if wrong else 0)


main()
