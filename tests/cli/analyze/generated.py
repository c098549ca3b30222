"""Captures of any length, the same each time."""
import struct

CLIENT, SERVER = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
MAC = {CLIENT: bytes([2, 0, 0, 0, 0, 1]), SERVER: bytes([2, 0, 0, 0, 0, 2])}
START_NS = 1_790_000_000 * 10**9
STEP_NS = 10_000
SYN, PUSH, ACK = 2, 8, 16


def frame(src, dst, sport, dport, seq, ack, flags, payload=b""):
    """Ethernet, IPv4, TCP; checksums are left to the NIC, as in many captures."""
    tcp = struct.pack("!HHIIBBHHH", sport, dport, seq & 0xffffffff, ack & 0xffffffff, 5 << 4, flags, 65535, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), seq & 0xffff, 0x4000, 64, 6, 0, src, dst)
    return MAC[dst] + MAC[src] + b"\x08\x00" + ip + tcp + payload


def pcap(frames, start_ns=START_NS):
    """A nanosecond pcap of frames 10 us apart."""
    parts = [struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1)]
    for i, data in enumerate(frames):
        at = start_ns + i * STEP_NS
        parts.append(struct.pack("<IIII", *divmod(at, 10**9), len(data), len(data)) + data)
    return b"".join(parts)


def conversation(packets, port=40000):
    """One connection: a handshake, then data and its acknowledgments."""
    frames = [frame(CLIENT, SERVER, port, 80, 1000, 0, SYN),
              frame(SERVER, CLIENT, 80, port, 5000, 1001, SYN | ACK),
              frame(CLIENT, SERVER, port, 80, 1001, 5001, ACK)]
    for i in range((packets - 3) // 2):
        frames.append(frame(CLIENT, SERVER, port, 80, 1001 + 10 * i, 5001, PUSH | ACK, b"0123456789"))
        frames.append(frame(SERVER, CLIENT, 80, port, 5001, 1011 + 10 * i, ACK))
    return pcap(frames)
