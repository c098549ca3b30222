"""Which frame of one complete capture is which frame of the other.

Truth for scenarios that later take frames away: both captures are complete, addresses and
sequence numbers are not rewritten, so header fields with the IP ID name a packet. That is
far more than an analyzer may assume, and all that is needed here.
"""
import collections

import pcapfile

Half = collections.namedtuple("Half", "sent received pairs missing extra")
Seen = collections.namedtuple("Seen", "frame time_ns tcp kind key")


def load(path):
    """TCP frames of a capture: [Seen], numbered from 1 as the file does."""
    seen = []
    for number, frame in enumerate(pcapfile.read(path), 1):
        tcp = pcapfile.tcp(frame)
        if tcp:
            key = (tcp.src, tcp.sport, tcp.dst, tcp.dport, tcp.ip_id, tcp.seq, tcp.ack,
                   tcp.flags, tcp.length, tcp.options)
            seen.append(Seen(number, frame.time_ns, tcp, pcapfile.kind(tcp), key))
    return seen


def pair(sent, received):
    """Pair by key, in order among equals."""
    waiting = collections.defaultdict(collections.deque)
    for one in received:
        waiting[one.key].append(one)
    pairs, missing = [], []
    for one in sent:
        if waiting[one.key]:
            pairs.append((one, waiting[one.key].popleft()))
        else:
            missing.append(one)
    extra = [one for rest in waiting.values() for one in rest]
    return Half(sent, received, pairs, missing, extra)


def pair_files(client_path, server_path, port=8000):
    """{c2s: Half, s2c: Half} of the conversations with that server port."""
    client, server = load(client_path), load(server_path)
    up = [[one for one in side if one.tcp.dport == port] for side in (client, server)]
    down = [[one for one in side if one.tcp.sport == port] for side in (server, client)]
    return {"c2s": pair(*up), "s2c": pair(*down)}


def twins(half):
    """Sent frames whose key another sent frame shares: which of them arrived is unknowable."""
    count = collections.Counter(one.key for one in half.sent)
    return {one.frame for one in half.sent if count[one.key] > 1}


def overtaken(half):
    """Packets that arrive after a later one of their connection (RFC 4737, section 3.3)."""
    latest, late, unclear = {}, 0, twins(half)
    for sent, _ in sorted(half.pairs, key=lambda pair: pair[1].frame):
        if sent.frame in unclear:  # the pairing may have taken the wrong one of two
            continue
        flow = sent.key[:4]
        late += sent.frame < latest.get(flow, 0)
        latest[flow] = max(sent.frame, latest.get(flow, 0))
    return late
