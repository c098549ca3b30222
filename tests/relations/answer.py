"""What the program says of a set of captures, and how two answers differ.

An answer is the findings (kind, ends, addresses, count, total, severity, cause) and the sums of `path` for each
flow and direction. Confidences, times and row numbers are no part of it; wordings are where a relation says so."""
import collections
import json
import re
import sqlite3
import subprocess
from dataclasses import dataclass, field, replace

COLUMNS = ("sent", "delivered", "misaddressed", "lost", "capture_missed", "unjudged", "received",
           "duplicated", "injected", "sender_missed", "modified", "reordered", "retransmitted", "syn_sent", "syn_lost",
           "bytes_sent", "bytes_delivered", "bytes_lost")
LOSS = {"syn-lost", "synack-lost", "handshake-ack-lost", "asymmetric-loss", "symmetric-loss", "pmtu-blackhole"}
# What headers decide; the others rest on payloads, on MACs or on ARP.
BY_HEADERS = LOSS | {"reset", "refused", "zero-window"}
# Kinds that speak of two places without an order between them.
UNORDERED = {"symmetric-loss", "clock-step"}
# The classes of difference, the worst first: a run counts under its worst one.
CLASSES = ("false-critical", "false-warning", "more-lost", "right-finding-lost", "changed")

Finding = collections.namedtuple("Finding", "kind severity source target host src dst count total cause")
Flow = collections.namedtuple("Flow", "source target protocol sender receiver")  # sender, receiver: (address, port)
Difference = collections.namedtuple("Difference", "kind text before after")

FINDING_SQL = """SELECT f.kind, f.severity, ha.name, va.interface, hb.name, vb.interface, hh.name,
	f.src_ip, f.dst_ip, f.count, f.total, c.kind, f.summary FROM finding f LEFT JOIN finding c ON c.id = f.cause_id
LEFT JOIN vantage va ON va.id = f.from_vantage_id LEFT JOIN host ha ON ha.id = va.host_id
LEFT JOIN vantage vb ON vb.id = f.to_vantage_id LEFT JOIN host hb ON hb.id = vb.host_id
LEFT JOIN host hh ON hh.id = f.host_id ORDER BY f.id"""
PATH_SQL = f"""SELECT ha.name, va.interface, hb.name, vb.interface, f.protocol, p.direction,
	f.client_ip, f.client_port, f.server_ip, f.server_port, {', '.join('p.' + c for c in COLUMNS)}
FROM path p JOIN flow f ON f.id = p.flow_id
JOIN vantage va ON va.id = p.from_vantage_id JOIN host ha ON ha.id = va.host_id
JOIN vantage vb ON vb.id = p.to_vantage_id JOIN host hb ON hb.id = vb.host_id"""

BLEMISHED_SQL = """SELECT h.name FROM vantage v JOIN host h ON h.id = v.host_id
WHERE v.tcp_missed > 0 OR v.duplicates > 0
	OR EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = v.id)"""


class Failed(Exception):
    """The program gave no answer."""


@dataclass
class Answer:
    findings: list
    flows: dict = field(default_factory=dict)  # Flow to its sums
    texts: dict = field(default_factory=dict)  # Finding to its sentences
    blemished: set = field(default_factory=set)  # hosts whose captures lack frames or hold some twice

    def sums(self):
        """Sums by pair of places and protocol: whichever end is the client, it is who sent to whom."""
        totals = collections.defaultdict(collections.Counter)
        for flow, counts in self.flows.items():
            totals[flow[:3]].update(counts)
        return totals


@dataclass
class Naming:
    """How names of a changed input are to be read as those of the unchanged one."""
    place: object = lambda host, interface: host
    host: object = lambda name: name
    address: object = lambda text: text
    port: object = lambda number: number


def run(bothends, arguments, options, database):
    command = [bothends, "analyze", "-q", "-o", database, *options, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failed("no end within a minute") from error
    if done.returncode not in (0, 1):
        raise Failed(f"status {done.returncode}: {done.stderr.strip()[:300]}")


def read(database, naming=Naming()):
    db = sqlite3.connect(database)
    try:
        rows = list(db.execute(FINDING_SQL))
        answer = Answer([_finding(row[:-1], naming) for row in rows])
        names = sorted((name for name, in db.execute("SELECT name FROM host")), key=len, reverse=True)
        for finding, row in zip(answer.findings, rows):
            answer.texts.setdefault(finding, []).append(_text(row[-1], names, naming))
        answer.blemished = {naming.host(name) for name, in db.execute(BLEMISHED_SQL)}
        for row in db.execute(PATH_SQL):
            flow, counts = _flow(row, naming)
            if flow.source != flow.target or counts["lost"] or counts["misaddressed"]:
                answer.flows.setdefault(flow, collections.Counter()).update(counts)
            answer.blemished |= ({flow.source} if counts["sender_missed"] else set()) | (
                {flow.target} if counts["capture_missed"] else set())
    except sqlite3.Error as error:
        raise Failed(f"its database: {error}") from error
    finally:
        db.close()
    return answer


def _text(sentence, names, naming):
    """A sentence with the hosts' names read back."""
    pattern = "|".join(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)" for name in names)
    return re.sub(pattern, lambda m: naming.host(m[0]), sentence) if names else sentence


def _finding(row, naming):
    kind, severity, a, a_interface, b, b_interface, host, src, dst, count, total, cause = row
    ends = [None if name is None else naming.place(name, interface)
            for name, interface in ((a, a_interface), (b, b_interface))]
    addresses = [ip and naming.address(ip) for ip in (src, dst)]
    if kind in UNORDERED:
        ends.sort(key=str)
        addresses.sort(key=str)
        host = None
    return Finding(kind, severity, *ends, host and naming.host(host), *addresses, count, total, cause)


def _flow(row, naming):
    a, a_interface, b, b_interface, protocol, direction, *ends = row[:10]
    client, server = ((naming.address(ip), naming.port(port) if protocol in ("tcp", "udp") else port)
                      for ip, port in (ends[:2], ends[2:]))
    sender, receiver = (client, server) if direction == "c2s" else (server, client)
    return (Flow(naming.place(a, a_interface), naming.place(b, b_interface), protocol, sender, receiver),
            collections.Counter(dict(zip(COLUMNS, row[10:]))))


# --- comparison ---

@dataclass
class Permit:
    """What a relation lets change. By default nothing."""
    new: frozenset = frozenset()        # kinds of findings that may appear
    notices: bool = False               # any notice may appear
    stays: object = lambda finding: True  # which findings of the unchanged answer must still be there
    counts: str = "same"                # of findings that stay: same, at-most (those of missing segments), any
    columns: tuple = COLUMNS            # sums that must be the same
    flows: object = lambda flow: True   # the flows whose sums are compared
    lost: object = lambda flow: 0       # how much more may be lost of a flow
    text: bool = True                   # whether sentences may be others


# A finding of one kind that the same facts, seen in part, may be told as.
KIN = {"path-partial": "partial", "host-dark-partial": "partial"}


def _kin(finding):
    return KIN.get(finding.kind, finding.kind)


def _weaker(before, after):
    """Whether a finding says what another said, or leaves open an end that the other knew."""
    return _kin(before) == _kin(after) and all(
        now in (was, None) for was, now in zip(before[2:4], after[2:4])) and after.source is not None


def _texts(before, after):
    """Sentences of findings that are the same otherwise."""
    for finding in before.texts.keys() & after.texts.keys():
        if finding.kind in UNORDERED:
            continue
        was, now = (sorted(answer.texts[finding]) for answer in (before, after))
        if was != now:
            yield Difference("changed", f"{show(finding)} in other words", "; ".join(was), "; ".join(now))


PLACES = (lambda f: (f.kind, f.source, f.target, f.host, f.src, f.dst),
          lambda f: (f.kind, f.source, f.target, f.host))


def _matched(before, after):
    """Pairs of findings that are the same, what only the first has, what only the second has."""
    pairs, before, after = [], list(before), list(after)
    for key in PLACES:
        for finding in list(before):
            twin = next((f for f in after if key(f) == key(finding)), None)
            if twin:
                pairs.append((finding, twin))
                before.remove(finding)
                after.remove(twin)
    return pairs, before, after


def show(finding):
    where = f" {finding.source} -> {finding.target}" if finding.source or finding.target else ""
    where += f" at {finding.host}" if finding.host else ""
    where += f" ({finding.src} > {finding.dst})" if finding.src or finding.dst else ""
    count = "" if finding.count is None else f" {finding.count}" + (f" of {finding.total}" if finding.total else "")
    return f"{finding.severity} {finding.kind}{where}{count}" + (f" because {finding.cause}" if finding.cause else "")


def compare(before, after, permit=Permit()):
    """Differences that the relation does not permit, the worst first."""
    after = _folded(before, after)
    found = list(_findings(before, after, permit)) + list(_lost(before, after, permit)) + list(
        _sums(before, after, permit)) + ([] if permit.text else list(_texts(before, after)))
    return sorted(found, key=lambda difference: CLASSES.index(difference.kind))


def _folded(before, after):
    """Where two captures of the changed input stand for one place, what is told between them is told of what
    arrives there."""
    def fold(finding):
        if finding.source is None or finding.source != finding.target:
            return finding
        same = [f for f in before.findings if (f.kind, f.target) == (finding.kind, finding.target)]
        twin = same[0] if same else finding
        return finding._replace(source=twin.source, host=twin.host)

    def known(flow, now):
        return not now["lost"] and any(counts["misaddressed"] >= now["misaddressed"]
                                       for was, counts in before.flows.items() if was[1:] == flow[1:])

    inside = {flow[1:] for flow, now in after.flows.items() if flow.source == flow.target and known(flow, now)}
    flows = {flow: counts for flow, counts in after.flows.items() if flow[1:] not in inside}
    flows.update({flow: counts for flow, counts in before.flows.items() if flow[1:] in inside})
    return replace(after, findings=[fold(f) for f in after.findings], flows=flows)


def _findings(before, after, permit):
    pairs, gone, new = _matched(before.findings, after.findings)
    for f in new:
        # Where nothing may change, the finding that it weakens is missing, and that is told.
        weaker = any(_weaker(g, f) for g in (gone if permit.counts == "same" else before.findings))
        if weaker or f.kind in permit.new or f.severity == "notice" and permit.notices:
            continue
        kind = {"critical": "false-critical", "warning": "false-warning"}.get(f.severity, "changed")
        if any(key(f) == key(g) for key in PLACES for g, _ in pairs):
            yield Difference("changed", f"told twice: {show(f)}", "-", show(f))
        else:
            yield Difference(kind, show(f), "-", show(f))
    for f in gone:
        if permit.stays(f) and f.kind not in permit.new:
            yield Difference("changed" if f.severity == "notice" else "right-finding-lost", f"without {show(f)}",
                             show(f), "-")
    for f, g in pairs:
        if f.kind not in permit.new:
            yield from _pair(f, g, permit)


def _pair(f, g, permit):
    if permit.counts == "same" and f != g:
        worse = g.severity == "critical" != f.severity
        yield Difference("false-critical" if worse else "changed", show(g), show(f), show(g))
    # A frame less can make a late copy the first arrival: only what is missing is bounded.
    if permit.counts == "at-most" and f.kind in LOSS | {"capture-loss"} and (g.count or 0) > (f.count or 0):
        yield Difference("changed", f"{show(g)}, at most {f.count} wanted", show(f), show(g))


def _lost(before, after, permit):
    """A segment that was not lost may not become lost; where the flow goes by another name, the sums still tell."""
    for flow, counts in after.flows.items():
        was, limit = before.flows.get(flow, collections.Counter()), permit.lost(flow)
        for column in ("lost", "misaddressed"):
            if permit.flows(flow) and counts[column] > was[column] + limit:
                yield Difference("more-lost", f"{_name(flow)} {column} {counts[column]}, was {was[column]}",
                                 f"{_name(flow)} {column} {was[column]}", f"{column} {counts[column]}")


def _name(flow):
    return (f"{flow.source} -> {flow.target} {flow.protocol} {flow.sender[0]}:{flow.sender[1]} > "
            f"{flow.receiver[0]}:{flow.receiver[1]}")


def _sums(before, after, permit):
    one, other = (Answer([], {f: c for f, c in answer.flows.items() if permit.flows(f)}).sums()
                  for answer in (before, after))
    for key in sorted(set(one) | set(other), key=str):
        wrong = [c for c in permit.columns if one[key][c] != other[key][c]]
        if wrong:
            label = f"{key[0]} -> {key[1]} {key[2]}"
            was, now = (" ".join(f"{c}={sums[key][c]}" for c in wrong) for sums in (one, other))
            yield Difference("changed", f"{label} {now}, was {was}", f"{label} {was}", now)


def beyond_truth(truth, answer):
    """Losses above what the lab's counters say at most, as differences."""
    limits = collections.defaultdict(int)
    for spec in truth.get("paths", ()):
        limit = spec.get("counts", {}).get("lost")
        limit = limit.get("max") if isinstance(limit, dict) else limit
        if limit is None or {"clients", "server_port"} & set(spec):
            return
        limits[spec["from"], spec["to"], spec.get("protocol", "tcp")] += limit
    sums = answer.sums()
    for key, limit in limits.items():
        if sums[key]["lost"] > limit:
            yield Difference("more-lost", f"{key[0]} -> {key[1]} lost {sums[key]['lost']}, counters say {limit}",
                             f"{key[0]} -> {key[1]} lost {limit} by the counters", f"lost {sums[key]['lost']}")
