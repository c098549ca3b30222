"""Relations of captures in part: a pause, a span of time, a beginning in mid-conversation; and of checksums that a capture
shows as no wire carried them."""
import datetime
import struct
from dataclasses import replace

import capture
import packets
from answer import Permit
from cases import own_mac
from of_captures import _of_part, proven
from of_frames import only_ethernet
from relation import Changed, Unfit, relation

SECOND = 10**9
PAUSE_NS = 3 * SECOND // 2  # what rotation leaves between two files is less


def _in_order(frames):
    """Of a clock that is set back, times say nothing of places in the file."""
    times = [f.time_ns for f in frames]
    if len(times) < 12 or any(b < a for a, b in zip(times, times[1:])):
        raise Unfit("too few frames, or stamps out of order")
    return times


@relation("paused", "A capture that was stopped and started again under the same name has two files with a gap between them: "
          "what is still lost was lost before, nothing within the gap is, and no finding is new.", "capture")
def paused(case, which, rng):
    first = case.inputs[which]
    times = _in_order(first.capture.frames)
    if len([i for i in case.inputs if i.host == first.host and i.capture]) > 1:
        raise Unfit("the host has several captures")
    until = next((n for n in range(2 * len(times) // 5, len(times) - 3) if times[n] - times[len(times) // 5] > PAUSE_NS), None)
    if until is None:
        raise Unfit("too short for a pause")
    frames = first.capture.frames
    parts = [replace(first, file=f"{n}-{first.file}", capture=_of_part(first.capture, part))
             for n, part in enumerate((frames[:len(times) // 5 + 1], frames[until:]))]
    inputs = [*case.inputs[:which], *parts, *case.inputs[which + 1:]]
    rng.shuffle(inputs)
    return Changed(case.with_inputs(inputs), Permit(notices=True, stays=lambda f: False, counts="at-most", columns=()))


@relation("begun-within", "A capture that began in the midst of its longest conversation tells less: what is still lost was lost "
          "before, no finding is new.", "capture")
def begun_within(case, which, rng):
    c = case.inputs[which].capture
    _in_order(c.frames)
    spans = {}
    for f in c.frames:
        tcp = packets.segment(c.interfaces[f.interface].link, f.data)
        if tcp:
            key = min(tcp.key, tcp.key[2:] + tcp.key[:2])
            spans.setdefault(key, [f.time_ns, f.time_ns])[1] = f.time_ns
    if not spans:
        raise Unfit("no TCP")
    begin, end = max(spans.values(), key=lambda span: span[1] - span[0])
    kept = [f for f in c.frames if f.time_ns >= (begin + end) // 2]
    if len(kept) < 6:
        raise Unfit("too few frames")
    return Changed(case.changed(lambda c: _of_part(c, kept), [which]),
                   Permit(notices=True, stays=lambda f: False, counts="at-most", columns=()))


def _rfc3339(ns):
    seconds, rest = divmod(ns, SECOND)
    return f"{datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


@relation("from-to", "--from and --to leave the same frames as files that were cut at these times.")
def from_to(case, which, rng):
    frames = sorted(f.time_ns for i in case.inputs if i.capture for f in _in_order(i.capture.frames) and i.capture.frames)
    if not frames or any(i.raw for i in case.inputs) or any(
            i.statistics for n in case.captures() for i in case.inputs[n].capture.interfaces):
        raise Unfit("facts and statistics have times of their own")
    begin, end = frames[len(frames) // 5], frames[4 * len(frames) // 5]
    cut = case.changed(lambda c: c.with_frames(f for f in c.frames if begin <= f.time_ns < end))
    if any(len(cut.inputs[n].capture.frames) < 6 for n in cut.captures()):
        raise Unfit("too few frames are left")
    return Changed(replace(case, options=(*case.options, "--from", _rfc3339(begin), "--to", _rfc3339(end))), base=cut)


# --- checksums ---

def _pseudo(data, ip, length):
    total = sum(struct.unpack(f"!{len(ip.src + ip.dst) // 2}H", ip.src + ip.dst)) + ip.protocol + length
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def _with_checksum(link, data, change):
    """A TCP frame whose checksum is change(data, layout); others as they are."""
    ip = packets.layout(link, data)
    at = ip and ip.protocol == packets.TCP and ip.transport is not None and ip.transport + 16
    if not at or len(data) < at + 2:
        return data
    return data[:at] + struct.pack("!H", change(data, ip)) + data[at + 2:]


def _unfinished(data, ip):
    end = ip.ip + (struct.unpack_from("!H", data, ip.ip + 2)[0] if ip.ethertype == packets.IPV4
                   else 40 + struct.unpack_from("!H", data, ip.ip + 4)[0])
    return _pseudo(data, ip, end - ip.transport)


@relation("checksums-unfinished", "A capture takes what its host sends before the NIC finishes the checksum: such a checksum is no "
          "damage.", "capture")
def checksums_unfinished(case, which, rng):
    only_ethernet(case, which)
    mac = own_mac(case.inputs[which].capture)
    if not mac:
        raise Unfit("the own MAC is not known")

    def change(c):
        return c.with_frames(f._replace(data=_with_checksum(capture.ETHERNET, f.data, _unfinished))
                             if f.data[6:12] == mac else f for f in c.frames)
    return Changed(case.changed(change, [which]), Permit(notices=True))


@relation("checksums-wrong", "Where a capture shows a wrong checksum on what its host received and acknowledged, the packet arrived: "
          "one in ten of such segments is shown so, and nothing is lost.", "capture")
def checksums_wrong(case, which, rng):
    only_ethernet(case, which)
    c, mac = case.inputs[which].capture, own_mac(case.inputs[which].capture)
    sure = [n for n in proven(case, which) if mac and c.frames[n].data[:6] == mac]
    if not sure:
        raise Unfit("nothing that it received is proven to have been taken")
    chosen = set(rng.sample(sure, max(1, len(sure) // 10)))

    def wrong(data, ip):
        return struct.unpack_from("!H", data, ip.transport + 16)[0] ^ 0x5a5a

    def change(c):
        return c.with_frames(f._replace(data=_with_checksum(capture.ETHERNET, f.data, wrong)) if n in chosen else f
                             for n, f in enumerate(c.frames))
    return Changed(case.changed(change, [which]), Permit(notices=True))
