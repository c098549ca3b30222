"""drops_serve.py: the sockets at 10.77.0.2 that the tests of drops need, by port; tells when they are there, and ends with its input."""
import socket, sys, threading


def swallow(c):
    try:
        while c.recv(2000):
            pass
    except ConnectionResetError:
        pass


def answer(s):
    while True:
        threading.Thread(target=swallow, args=(s.accept()[0],), daemon=True).start()


def listen(port, backlog, accepts):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("10.77.0.2", port))
    s.listen(backlog)
    if accepts:
        threading.Thread(target=answer, args=(s,), daemon=True).start()
    return s


def datagrams(port, read):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.77.0.2", port))
    if read:
        threading.Thread(target=swallow, args=(s,), daemon=True).start()
    else:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    return s


kept = [listen(1003, 4, False), listen(1004, 5, True), datagrams(1015, True), datagrams(1016, False)]
print("ready", flush=True)
for line in sys.stdin:
    if line == "raw\n":  # a socket that gets a copy of every datagram, and never reads
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        print("ready", flush=True)
    elif line == "no raw\n":
        raw.close()
        print("ready", flush=True)
    elif line == "drops\n":  # of the datagram socket that nobody reads, as the kernel counts them
        rows = [r.split() for r in open("/proc/net/udp")]
        print([r[-1] for r in rows if r[1].endswith(f":{1016:04X}")][0], flush=True)
