#!/usr/bin/env python3
"""Traffic for live.sh.

Usage: traffic.py serve | traffic.py talk ADDRESS
"""
import socket
import sys
import threading

PORT = 27017
CLOSED_PORT = 9
BYTES = 24000  # some windows of segments


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def answer(connection):
    with connection:
        received = 0
        while received < BYTES:
            data = connection.recv(65536)
            if not data:
                return
            received += len(data)
        connection.sendall(b"y" * BYTES)


def accept(listener):
    while True:
        threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()


def echo(listener):
    while True:
        data, peer = listener.recvfrom(65536)
        listener.sendto(data, peer)


def serve():
    tcp = socket.create_server(("::", PORT), family=socket.AF_INET6, dualstack_ipv6=True)
    udp = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    udp.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    udp.bind(("::", PORT))
    threading.Thread(target=accept, args=(tcp,), daemon=True).start()
    echo(udp)


def talk_udp(address, port, size):
    with socket.socket(family(address), socket.SOCK_DGRAM) as s:
        s.settimeout(0.3)
        try:
            s.connect((address, port))
            s.send(b"u" * size)
            s.recv(65536)
        except OSError as e:
            print(address, port, e)


def talk_tcp(address):
    with socket.create_connection((address, PORT), 10) as s:
        s.sendall(b"x" * BYTES)
        while s.recv(65536):
            pass


def refused(address):
    try:
        socket.create_connection((address, CLOSED_PORT), 2).close()
    except OSError as e:
        print(address, e)


def talk(address):
    talk_udp(address, PORT, 100)
    talk_udp(address, PORT, 5000)
    talk_udp(address, CLOSED_PORT, 30)
    refused(address)
    talk_tcp(address)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve()
    else:
        talk(sys.argv[2])
