"""What an answer about a world made by chance may not say. The oracle is the simulation: it knows what became of every packet."""
import collections
import os
import sqlite3

from frames import FIN, SYN

CLAIMS = ("lost", "capture_missed", "sender_missed", "injected", "unjudged", "duplicated", "misaddressed", "modified")
EVENTS = """SELECT e.kind, e.reason, e.length, h.name, v.name, i.name, w.name, cs.path, e.sent_frame, cr.path, e.received_frame
FROM segment_event e
JOIN vantage v ON v.id = e.from_vantage_id JOIN host h ON h.id = v.host_id
JOIN vantage w ON w.id = e.to_vantage_id JOIN host i ON i.id = w.host_id
LEFT JOIN capture_file cs ON cs.id = e.sent_file_id LEFT JOIN capture_file cr ON cr.id = e.received_file_id"""
Event = collections.namedtuple("Event", "kind reason length near far sent received")
LOSS = {"asymmetric-loss", "symmetric-loss", "handshake-ack-lost"}
# Structures in which not every silence can be held against the program.
LOOSE = {"parallel", "onesided", "moves", "short"}


def events_of(world, db):
    """Events, their frames as (point, transmission)."""
    for kind, reason, length, *ends, sent_path, sent, received_path, received in db.execute(EVENTS):
        near, far = place_named(world, *ends[:2]), place_named(world, *ends[2:])
        frames = []
        for path, frame in ((sent_path, sent), (received_path, received)):
            point, label = world.shown.get((os.path.basename(path), frame), (None, None)) if path else (None, None)
            frames.append((point, world.by_label[label]) if label else None)
        yield Event(kind, reason, length, near, far, *frames)


def contradictions(world, db):
    """Every answer that contradicts what happened."""
    events = list(events_of(world, db))
    wrong = [line for event in events for line in wrong_event(world, event)]
    if not world.chance.faults & LOOSE:
        wrong += [line for side in "cs" for line in wrong_silence(world, events, side)]
    wrong += wrong_sums(world, db)
    wrong += wrong_findings(world, db)
    wrong += [row[0] for row in db.execute("PRAGMA integrity_check") if row[0] != "ok"]
    return wrong


def place_named(world, host, vantage):
    """The point that an interface of a capture of all of them is (R:if2), else the host."""
    faces = [point.name for point in world.points if point.host == host and point.one("ifindex") and
             vantage == f"{host}:if{point.one('ifindex')}"]
    return faces[0] if faces else host


def place_on(world, one, place, start=0):
    """The first point that is this place or this host on a transmission's way, from a place of it on; None: it does not lead
    there."""
    points = {point.name: point for point in world.points}
    return next((name for name in one.route[start:] if place in (name, points[name].host)), None)


def nothing_tells_apart(world, one):
    """Datagrams of which neither identification nor content was kept: which of them is meant is unknown."""
    chance = world.chance
    return one.flow.protocol == "udp" and "datagrams" in chance.faults and (chance.bare or chance.ids != "count")


def wrong_event(world, e):
    """One event that says what did not happen."""
    point, one = (e.received if e.kind in ("sender_missed", "injected") else e.sent or e.received) or (None, None)
    if not one or one.flow.name == "last" or nothing_tells_apart(world, one):
        return []
    said = f"{e.kind} by {e.reason} {e.near} -> {e.far}: {one.label} {one.flags:#x} {one.low}+{one.length} " \
           f"{sorted(one.fates)} on its way {' '.join(one.route)}"
    if e.kind in ("injected", "modified", "misaddressed"):
        return [f"nothing of the kind happens here, but {said}"]
    if e.kind == "sender_missed":
        if world.points[world.index(point)].gro:
            return []  # the record may have begun with this one, and be about another
        near = place_on(world, one, e.near)
        return [f"recorded at its sender, but {said}"] if near and world.recorded(one, near) else []
    if not e.sent or e.kind not in ("lost", "capture_missed", "unjudged"):
        return []
    far = place_on(world, one, e.far, one.route.index(point) + 1)
    if not far:
        arrived = world.reaches(one, one.route[-1]) == "all"
        return [f"it went another way, but {said}"] if arrived and e.kind == "lost" or e.kind == "capture_missed" else []
    arrives = world.reaches(one, far)
    if e.kind == "unjudged" and world.chance.faults & LOOSE:
        return []
    if arrives == "all" and world.recorded(one, far) and ("dup", far) not in one.fates:
        return [f"delivered, but {said}"]
    if arrives == "all" and e.kind == "lost" and not unknowable(world, one, point, far):
        return [f"it passed there, but {said}"]
    if arrives == "none" and e.kind == "capture_missed" and not unknowable(world, one, point, far):
        return [f"it was lost, but {said}"]
    return []


def unknowable(world, one, near, far):
    """What no evidence tells: a copy sent again that neither capture has, or that the network doubled and the
    receiving one missed; acknowledgments alone that a capture missed which lacks nothing else."""
    seen = world.recorded
    if one.flow.protocol == "udp":
        return True  # nothing acknowledges it: what a capture missed looks like what was lost
    if world.reaches(one, far) != "all":
        return any(other is not one and other.flow is one.flow and other.side == one.side and
                   other.low < one.low + one.span and other.low + other.span > one.low and
                   world.reaches(other, far) != "none" and not seen(other, far) and
                   (not seen(other, near) or any(name == "dup" for name, _ in other.fates))
                   for other in world.sent if one.span)
    if one.gone:
        return True  # it was lost further on: where, is not known
    if any(name == "dup" for name, _ in one.fates) and not seen(one, far):
        return True  # an acknowledgment proves one of the two copies, not both
    # Nobody here acknowledges a FIN that is sent again.
    if one.flags & FIN and sum(bool(other.flags & FIN) and other.flow is one.flow and other.side == one.side
                               for other in world.sent) > 1:
        return True
    # What passes at the very beginning or end is too near to it to prove anything.
    # Datagrams that a capture missed prove nothing either.
    return not one.span and not any(other.span and other.flow.protocol == "tcp" and
                                    not other.flags & (SYN | FIN) and other.flow.name != "last" and
                                    other.side == one.side and world.reaches(other, far) == "all" and
                                    not seen(other, far) and seen(other, near) for other in world.sent)


def wrong_silence(world, events, side):
    """Transmissions of which something had to be said, and was not."""
    said = collections.defaultdict(set)
    for e in events:
        for at, frame in (("sent", e.sent), ("received", e.received)):
            if frame:
                said[e.near, e.far, at, frame[1].label].add(e.kind)
    wrong = []
    for one in world.sent:
        if one.side != side or one.flow.name == "last" or nothing_tells_apart(world, one):
            continue
        for near, far in zip(one.route, one.route[1:]):
            if world.reaches(one, near) != "none":
                wrong += wrong_silence_of(world, said, one, near, far)
    return wrong


def wrong_silence_of(world, said, one, near, far):
    arrives = world.reaches(one, far)
    sent = (near, one.label) in world.labels
    received = (far, one.label) in world.labels  # not where it was merged into another
    about, about_far = said[near, far, "sent", one.label], said[near, far, "received", one.label]
    what = f"{one.label} {one.flags:#x} {one.low}+{one.length} {sorted(one.fates)} {near} -> {far}: " \
           f"said {sorted(about | about_far)}"
    unknown = bool(about) and unknowable(world, one, near, far)
    lost_here = arrives != world.reaches(one, near)
    got = world.recorded(one, far)
    if sent and got and lost_here:
        return [] if unknown or about & {"lost", "unjudged"} else ["lost in part, but " + what]
    if sent and arrives == "none" and not about:
        return ["lost, but " + what]
    if sent and not got and not lost_here and not about:
        return ["missed, but " + what]
    if not sent and received and one.pieces == 1 and not about_far & {"sender_missed", "duplicated"}:
        return ["not recorded at its sender, but " + what]
    return []


def wrong_sums(world, db):
    """Losses and misses of flows whose datagrams nothing tells apart: no more than there were."""
    wrong = []
    for name, flow in world.flows.items():
        mine = [one for one in world.sent if one.flow is flow]
        if not mine or not nothing_tells_apart(world, mine[0]):
            continue
        ports = {world.ends(flow, point, "c")[0][1] for point in world.points}
        lost, missed = db.execute(
            "SELECT coalesce(sum(p.lost), 0), coalesce(sum(p.capture_missed), 0) FROM path p JOIN flow f ON f.id = p.flow_id"
            f" WHERE f.protocol = 17 AND f.client_port IN ({','.join('?' * len(ports))})", sorted(ports)).fetchone()
        gone = sum(bool(one.gone) for one in mine)
        unseen = sum(not world.recorded(one, point) for one in mine for point in one.route if world.reaches(one, point) != "none")
        # A datagram that a capture missed and one that was lost look alike where nothing acknowledges.
        if lost + missed > gone + unseen:
            wrong.append(f"{name}: {gone} lost and {unseen} missed, but lost {lost}, capture_missed {missed}")
    return wrong


def wrong_findings(world, db):
    """Findings that nothing in this world gives reason for."""
    chance, reasons = world.chance, set()
    looks_lost = lambda one: one.flow.protocol == "udp" and any(name == "miss" for name, _ in one.fates)
    reasons |= LOSS if any(one.gone or looks_lost(one) for one in world.sent) else set()
    fates = {name for one in world.sent for name, _ in one.fates}
    reasons |= {"capture-loss"} if "miss" in fates else set()
    reasons |= {"duplication", "reordering"} if "dup" in fates else set()
    reasons |= {"reordering"} if "delay" in fates else set()
    reasons |= {"clock-step"} if "steps" in chance.faults else set()
    return [f"no reason for {kind} ({severity}): {summary}" for kind, severity, summary in db.execute(
        "SELECT kind, severity, summary FROM finding WHERE severity IN ('critical', 'warning')") if kind not in reasons]


def payload_judged(db):
    """Events of payload: (unjudged, lost)."""
    return db.execute("SELECT coalesce(sum(kind = 'unjudged'), 0), coalesce(sum(kind = 'lost'), 0)"
                      " FROM segment_event WHERE length > 0").fetchone()


def opened(path):
    return sqlite3.connect(path)
