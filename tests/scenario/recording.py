"""What the points of a played world recorded, as capture files: receive offload, addresses as they look there, formats."""
import gzip
import os
import random

import frames
from frames import ACK, PSH
from world import Seen

TABLE = 1 << 20
_table = random.Random(7).randbytes(TABLE)
CONTENT = _table + _table[:1 << 17]
GRO_GAP = 1e-3
MERGED_MAX = 65000


def content(flow, side, offset, length):
    at = (flow.salt + (500009 if side == "s" else 0) + offset) % TABLE
    return CONTENT[at:at + length]


# --- one point's packets ---

def continues(last, p):
    """Whether receive offload takes two neighbours of one direction for one record."""
    if p.piece:
        return (p.piece == last.piece and last.length % p.piece == 0 and p.time - last.time < GRO_GAP
                and last.length + p.length < MERGED_MAX)
    return (last.flags == ACK and p.flags & ~PSH == ACK and p.length and last.lo + last.length == p.lo
            and last.ack == p.ack and last.options == p.options and p.time - last.time < GRO_GAP
            and not p.break_before and p.sum == last.sum == "good" and last.length + p.length < MERGED_MAX)


def merged(point, seen):
    """Receive offload: neighbours of one direction that continue each other become one record."""
    out, open_at = [], {}
    for p in seen:
        if not isinstance(p, Seen):
            out.append(p)
            continue
        key = (p.flow.name, p.side)
        at = open_at.get(key)
        last = out[at] if at is not None else None
        if last and continues(last, p):
            twist = last.twist if p.twist is None else last.length + p.twist
            out[at] = None
            out.append(last._replace(length=last.length + p.length, flags=p.flags, time=p.time, twist=twist))
            open_at[key] = len(out) - 1
            continue
        out.append(p)
        merges = p.length and (p.flags == ACK or p.piece) and not p.origin and (point.tso or not point.sends(p))
        open_at[key] = len(out) - 1 if merges else None
    return [p for p in out if p]


def twisted(body, offset):
    """A payload that differs in one byte."""
    if offset is None or offset >= len(body):
        return body
    return body[:offset] + bytes([body[offset] ^ 0x5a]) + body[offset + 1:]


def transport(world, point, p, src, dst, payload):
    """The body of the IP packet, its checksum still missing."""
    flow = p.flow
    if flow.protocol == "udp":
        return frames.udp(src[1], dst[1], payload)
    if flow.protocol in ("icmp", "icmp6"):
        return frames.echo(p.side == "c", flow.six, src[1] or dst[1] or 7, p.number, payload)
    if flow.protocol != "tcp":
        return payload
    other = "s" if p.side == "c" else "c"
    o, back = p.options, world.delta(flow, point, other)
    if o.sack and flow.views[point.name].get("sack") != "kept":
        o = o._replace(sack=tuple((low + back, high + back) for low, high in o.sack))
    ack = flow.isn[other] + p.ack + back if p.flags & ACK else 0
    return frames.tcp(src[1], dst[1], flow.isn[p.side] + p.lo + world.delta(flow, point, p.side), ack, p.flags,
                      p.window, o, payload)


def checksum_kind(point, p):
    """Records that offload made or takes apart carry the pseudo-header's sum alone, as the kernel shows them."""
    tcp_record = p.flow.protocol == "tcp" and p.length > p.flow.segment()
    if p.sum in ("good", "flip") and (tcp_record or point.partial and p.origin):
        return "partial"
    return "good" if p.sum == "flip" else p.sum


def packets(world, point, p):
    """The IP packets of what a point saw: several where it was fragmented."""
    flow = p.flow
    src, dst = world.ends(flow, point, p.side)
    payload = content(flow, p.side, p.lo, p.length)
    changed = twisted(payload, p.twist)
    protocol = frames.PROTOCOLS.get(flow.protocol) or int(flow.protocol.removeprefix("ip"))
    body = transport(world, point, p, src, dst, payload if p.sum == "flip" else changed)
    if protocol in frames.SUM_AT:
        body = frames.summed(src[0], dst[0], protocol, body, checksum_kind(point, p))
    if p.sum == "flip" and payload:
        body = body[:-len(payload)] + changed
    if p.fragment is None:
        return [frames.ip(src[0], dst[0], protocol, body, p.ttl, p.tos, p.ip_id)]
    return [frames.ip(src[0], dst[0], protocol, body[at:at + p.fragment], p.ttl, p.tos, p.ip_id,
                      (at, at + p.fragment < len(body)))
            for n, at in enumerate(range(0, len(body), p.fragment), 1) if n != p.missing]


def macs(point, p):
    if p.side == point.own_side():
        return p.src_mac or point.mac, p.dst_mac or point.gateway
    return p.src_mac or point.gateway, p.dst_mac or point.mac


def framed(point, packet, src_mac, dst_mac, outgoing, ethertype=None, ident=0, outer_bad=False):
    frame = frames.link(point.link, packet, src_mac, dst_mac, outgoing, point.vlan, point.ifindex, ethertype)
    if point.vxlan is None:
        return frame
    ends = [f"192.0.2.{point.index + 1}", f"192.0.2.{point.index + 101}"]
    outer = frames.vxlan(*(ends if outgoing else ends[::-1]), point.vxlan, frame, ident, outer_bad)
    return frames.link(point.link, outer, *((point.mac, point.gateway) if outgoing else (point.gateway, point.mac)), outgoing)


def records(world, point, number):
    """(record, label) of all that a point recorded, as interface `number` of its file."""
    seen = sorted(point.seen, key=lambda p: (p.time, p.order))
    if point.gro or point.tso:
        seen = merged(point, seen)
    for n, p in enumerate(seen):
        shown = point.clock.shown_ns(p.time)
        if not isinstance(p, Seen):
            frame = framed(point, p.packet, p.src_mac, p.dst_mac, p.outgoing, p.ethertype)
            yield p.time, frames.Record(shown, frame, len(frame), 0, number), None
            continue
        for packet in packets(world, point, p):
            frame = framed(point, packet, *macs(point, p), bool(point.sends(p)), None, n, p.outer_bad)
            yield p.time, frames.Record(shown, frame, len(frame), p.lost, number), p.label


# --- files ---

def pieces(point, timed):
    """The files of one capture: (what is added to the name, its records), cut where it paused or began another file."""
    cuts = [time for time in point.rotate if time > 0] + [point.pause[0]] * (point.pause[0] < float("inf"))
    ends = sorted(cuts) + [float("inf")]
    suffix = ".2" if not point.rotate else None
    start = float("-inf")
    for n, end in enumerate(ends):
        yield (suffix or str(n)) if n else "", [entry for entry in timed if start <= entry[0] < end]
        start = end


def interface(point, named):
    running = None
    if point.window[0] > float("-inf") and point.window[1] < float("inf"):
        running = tuple(point.clock.shown_ns(time) for time in point.window)
    addresses = point.list("ip") if point.records else ()
    return frames.Interface(point.one("interface", point.name if named else "eth0"), point.link, point.snaplen, addresses,
                            point.mac if point.records else None, point.one("filter"),
                            int(point.one("drops")) if point.one("drops") else None, running)


def write_file(path, points, found):
    first = points[0]
    if len({point.link for point in points}) > 1 or any(r.lost for r in found) or any(
            point.one("format") == "pcapng" or point.records or point.one("drops") or point.one("filter")
            for point in points):
        frames.write_pcapng(path, found, [interface(point, len(points) > 1) for point in points])
    else:
        frames.write_pcap(path, found, first.link, first.snaplen, first.unit_ns)
    if first.one("zeros"):
        with open(path, "ab") as file:
            file.write(bytes(int(first.one("zeros"))))


def copy_of(path, kind):
    """The same capture a second time: compressed, or as it is under another name."""
    copied = path + (".gz" if kind == "gzip" else ".copy")
    with open(path, "rb") as source, (gzip.open if kind == "gzip" else open)(copied, "wb") as target:
        target.write(source.read())
    return copied


def write_capture(world, points, folder):
    """One capture of one or several interfaces of a host; its files in order."""
    first, timed = points[0], []
    for number, point in enumerate(points):
        timed += records(world, point, number)
    timed.sort(key=lambda entry: entry[0])
    paths = []
    for suffix, part in pieces(first, timed):
        path = os.path.join(folder, first.file + suffix)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        for n, (_, record, label) in enumerate(part, 1):
            point = points[record.interface]
            for name in {point.name, point.host} if label else ():
                world.labels.setdefault((name, label), n)
            if label:
                world.shown[first.file + suffix, n] = (point.name, label)
        write_file(path, points, [record for _, record, _ in part])
        paths.append(path)
    if first.one("copy"):
        paths.append(copy_of(paths[0], first.one("copy")))
    return paths


def write_all(world, folder):
    """Writes every capture; returns the arguments that give them to the program."""
    captures, inputs = {}, []
    for point in world.points:
        if not point.absent:
            captures.setdefault(point.file, []).append(point)
    for points in captures.values():
        name = "" if points[0].unnamed else points[0].host + "="
        inputs += [name + path for path in write_capture(world, points, folder)]
    return inputs
