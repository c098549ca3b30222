"""drops_send.py WHAT ...: packets that the kernel of 10.77.0.2 drops, each kind by a function; run in the client's namespace."""
import socket, struct, sys, time

MAC = {1: bytes.fromhex("020000007701"), 2: bytes.fromhex("020000007702"), 55: bytes.fromhex("020000007755")}


def checksum(data):
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return 0xFFFF ^ total


def ip_packet(protocol, body, ident, source="10.77.0.1"):
    src, dst = socket.inet_aton(source), socket.inet_aton("10.77.0.2")
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), ident, 0x4000, 64, protocol, 0, src, dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body


def tcp_checksum(body, source):
    return checksum(socket.inet_aton(source) + socket.inet_aton("10.77.0.2") + struct.pack("!HH", 6, len(body)) + body)


def frame(packet, mac=2):
    return MAC[mac] + MAC[1] + b"\x08\x00" + packet


def udp(destination, port, count, size, source="", probe="0"):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if source:
        s.bind((source, 0))
    if probe == "1":
        s.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER: with DF, whatever the path's MTU is known to be
    for i in range(int(count)):
        try:
            s.sendto(struct.pack("!I", i) + bytes(int(size) - 4), (destination, int(port)))
        except ConnectionRefusedError:
            s.sendto(struct.pack("!I", i) + bytes(int(size) - 4), (destination, int(port)))


def connect(port, count, seconds):
    """Connections that need not succeed; open until the end."""
    all = [socket.socket() for _ in range(int(count))]
    for s in all:
        s.setblocking(False)
        s.connect_ex(("10.77.0.2", int(port)))
    time.sleep(float(seconds))


def other_host(count):
    """Frames for a MAC that is nobody's."""
    s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    s.bind(("eth0", 0))
    body = struct.pack("!HHHH", 1030, 1031, 8 + 4, 0) + b"else"
    for i in range(int(count)):
        s.send(frame(ip_packet(17, body, 100 + i), 55))


class Segments:
    """A connection of the kernel's whose last segment is known, so that others can be put beside it."""

    def __init__(self, port):
        self.tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.tap.bind(("eth0", 3))
        self.tap.settimeout(2)
        self.tcp = socket.create_connection(("10.77.0.2", int(port)))
        self.tcp.sendall(b"hello")
        while True:
            data, where = self.tap.recvfrom(2000)
            if where[2] == socket.PACKET_OUTGOING and data[23] == 6 and data.endswith(b"hello"):
                break
        self.segment = data[34:]
        self.options = self.segment[20:(self.segment[12] >> 4) * 4]
        self.seq = struct.unpack("!I", self.segment[4:8])[0] + 5

    def forge(self, payload, ident, older=0, bad_checksum=False):
        head = self.segment[:4] + struct.pack("!I", self.seq) + self.segment[8:16] + bytes(4)
        at = self.options.index(b"\x08\x0a") + 2
        value = struct.unpack("!I", self.options[at:at + 4])[0] - older & 0xFFFFFFFF
        options = self.options[:at] + struct.pack("!I", value) + self.options[at + 4:]
        body = head + options + payload
        right = tcp_checksum(body, "10.77.0.1")
        body = body[:16] + struct.pack("!H", right ^ 0x1234 if bad_checksum else right) + body[18:]
        self.tap.send(frame(ip_packet(6, body, ident)))


def overflow(port, backlog):
    """Handshakes from 10.77.0.9, nobody's address: all SYNs of a round are answered before the first is ended. The first round
    leaves room for one connection, the second has one more than the backlog."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.bind(("eth0", 3))
    tap.settimeout(2)

    def send(ours, seq, ack, flags):
        body = struct.pack("!HHIIBBHHH", ours, int(port), seq, ack, 0x50, flags, 64240, 0, 0)
        body = body[:16] + struct.pack("!H", tcp_checksum(body, "10.77.0.9")) + body[18:]
        tap.send(frame(ip_packet(6, body, ours + flags, "10.77.0.9")))

    for ports in (range(40001, 40001 + int(backlog)), range(40101, 40102 + int(backlog))):
        for p in ports:
            send(p, 1000, 0, 2)
        answers = {}
        while len(answers) < len(ports):
            data = tap.recv(2000)
            if data[12:14] == b"\x08\x00" and data[23] == 6 and data[47] == 0x12 and data[34:36] == struct.pack("!H", int(port)):
                answers[struct.unpack("!H", data[36:38])[0]] = struct.unpack("!I", data[38:42])[0]
        for p in ports:
            send(p, 1001, answers[p] + 1 & 0xFFFFFFFF, 16)


def paws(port, count):
    c = Segments(port)
    for i in range(int(count)):
        c.forge(b"older", 200 + i, older=1000000)
    time.sleep(0.2)


def bad_checksum(port, count):
    c = Segments(port)
    for i in range(int(count)):
        c.forge(b"wrong", 300 + i, bad_checksum=True)
    time.sleep(0.2)


def late(port, count):
    """Segments of a connection that both ends have closed."""
    c = Segments(port)
    c.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.tcp.close()
    time.sleep(0.3)
    for i in range(int(count)):
        c.forge(b"late!", 400 + i)


globals()[sys.argv[1]](*sys.argv[2:])
