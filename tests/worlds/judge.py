"""What the program's answer must, may and must not say of a world, by rules.

`judge(truth, answer)` gives a list of Failure. The truth is of truth.py; the answer is read from the
database by `read_answer()`. Neither needs the other's program: judge_test.py makes both up.

    false-critical, false-warning: a finding of that severity that the truth does not bear out
    wrong-count    a number that cannot be: more lost than was dropped, sums that do not close
    missed         a fault large enough to be seen from where captures were taken, and not told
    crash          no answer
"""
import collections
import json
import os
import sqlite3
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "lab"))

import check  # noqa: E402
import packets  # noqa: E402

Failure = collections.namedtuple("Failure", "kind rule text")

# finding kind, host names and numbers; lost etc. by flow and by pair of hosts
PATH_SQL = """
SELECT f.id AS flow, f.protocol, ha.name AS "from", hb.name AS "to", sum(p.sent) AS sent,
       sum(p.lost) AS lost, sum(p.misaddressed) AS misaddressed, sum(p.capture_missed) AS capture_missed,
       sum(p.unjudged) AS unjudged, sum(p.duplicated) AS duplicated, sum(p.injected) AS injected,
       sum(p.sender_missed) AS sender_missed, sum(p.reordered) AS reordered
FROM path p JOIN flow f ON f.id = p.flow_id
JOIN vantage va ON va.id = p.from_vantage_id JOIN host ha ON ha.id = va.host_id
JOIN vantage vb ON vb.id = p.to_vantage_id JOIN host hb ON hb.id = vb.host_id
GROUP BY f.id, ha.name, hb.name
"""
TUPLE_SQL = """
SELECT flow_id, client_ip, client_port, server_ip, server_port FROM flow_vantage
"""


LOST_SQL = """
SELECT c.path, e.sent_frame, ha.name, hb.name FROM segment_event e JOIN capture_file c ON c.id = e.sent_file_id
JOIN vantage va ON va.id = e.from_vantage_id JOIN host ha ON ha.id = va.host_id
JOIN vantage vb ON vb.id = e.to_vantage_id JOIN host hb ON hb.id = vb.host_id
WHERE e.kind = 'lost' AND e.segments = 1
"""


def lost_ones(db):
    """Which packets are called lost: [(from, to, identity)]."""
    listed = db.execute(LOST_SQL).fetchall()
    files = {path: packets.load(path) for path in {row[0] for row in listed}}
    found = []
    for path, frame, a, b in listed:
        packet = files[path][frame - 1]
        if packet.protocol and packets.identity(packet):
            found.append((a, b, packets.identity(packet)))
    return found


def read_answer(path):
    """What the rules below ask of a database."""
    with sqlite3.connect(path) as db:
        report = check.Report("database")
        check.check_file(db, report)
        check.check_conservation(db, report)
        frames = db.execute("SELECT f.path, f.frames, (SELECT sum(frames) FROM frame_account a"
                            " WHERE a.capture_file_id = f.id) FROM capture_file f").fetchall()
        lost = lost_ones(db)
        db.row_factory = sqlite3.Row
        rows = lambda sql: [dict(row) for row in db.execute(sql)]
        answer = {"inconsistent": report.lines, "frames": frames, "findings": rows(check.FINDING_SQL),
                  "lost_ones": lost, "paths": rows(PATH_SQL), "tuples": rows(TUPLE_SQL),
                  "trust": rows("SELECT h.name, v.trust FROM vantage v JOIN host h ON h.id = v.host_id"
                                " WHERE v.first_ns IS NOT NULL")}
    db.close()
    return answer


def judge(truth, answer):
    failures = []
    for rule in RULES:
        failures += rule(truth, answer)
    return failures


# Numbers


def closes(truth, answer):
    """Sums close, and every frame is accounted for."""
    for line in answer["inconsistent"]:
        yield Failure("wrong-count", "closes", line)
    for path, frames, accounted in answer["frames"]:
        if frames != (accounted or 0):
            yield Failure("wrong-count", "closes", f"{path}: {frames} frames, {accounted} accounted for")


def lost_on_leg(truth, answer):
    """Between two hosts no more is lost than was dropped between their captures."""
    lost = collections.Counter()
    for row in answer["paths"]:
        lost[row["from"], row["to"]] += row["lost"] + row["misaddressed"]
    for (a, b), count in lost.items():
        bound = dropped_on(truth, a, b) + silent(truth, a, b)
        if count > bound:
            yield Failure("wrong-count", "lost-on-leg", f"{a} > {b}: {count} lost, {bound} were dropped")


def lost_of_flow(truth, answer):
    """Of no flow more is lost than was dropped of it; this finds what sums hide."""
    dropped = collections.Counter()
    for entry in truth["dropped"]:
        if entry["protocol"] in ("tcp", "udp"):
            dropped[flow_key(*entry["flow"])] += entry["wire"]
    known = collections.defaultdict(set)
    for row in answer["tuples"]:
        known[row["flow_id"]].add(flow_key(row["client_ip"], row["client_port"],
                                           row["server_ip"], row["server_port"]))
    slack = silent(truth, *truth["captures"])
    lost = collections.Counter()
    for row in answer["paths"]:
        if row["protocol"] in ("tcp", "udp"):
            lost[row["flow"]] += row["lost"]
    translated = truth["spec"]["topology"]["kind"] in ("nat", "balancer")
    for flow, count in lost.items():
        if translated and len(known[flow]) == 1:
            continue  # it may have been dropped under its other name
        if any(port == packets.VXLAN for key in known[flow] for _, port in key):
            continue  # of a tunnel the inner flows are in the truth
        bound = sum(dropped[key] for key in known[flow]) + slack
        if count > bound:
            names = sorted(known[flow])[0]
            yield Failure("wrong-count", "lost-of-flow", f"flow {names}: {count} lost, {bound} were dropped")


def lost_which(truth, answer):
    """The packets called lost are those that were dropped, not others in their place."""
    if truth["spec"]["topology"]["offload"]:
        return
    wrong = collections.Counter(identity for _, _, identity in answer["lost_ones"])
    wrong.subtract(collections.Counter(entry["identity"] for entry in truth["dropped"]))
    count = sum(value for value in wrong.values() if value > 0)
    if count > silent(truth, *truth["captures"]):
        yield Failure("wrong-count", "lost-which", f"{count} packets are called lost that were not dropped")


def flow_key(ip_a, port_a, ip_b, port_b):
    """The two ends of a flow, in no order."""
    return tuple(sorted(((ip_a, port_a), (ip_b, port_b))))


def capture_missed(truth, answer):
    """A capture missed no more than it lacks."""
    lacked = collections.Counter()
    for row in answer["paths"]:
        lacked[row["to"]] += row["capture_missed"]
        lacked[row["from"]] += row["sender_missed"]
    for name, count in lacked.items():
        capture = truth["captures"].get(name)
        if not capture or not capture["whole"] or name in truth["spec"]["topology"]["middle"]:
            continue  # between hosts no witness tells what passed before and after
        bound = (lacks(capture) + capture["outside"]) * span_factor(truth)
        if count > bound:
            yield Failure("wrong-count", "capture-missed",
                          f"{name}: {count} missed by its capture, which lacks {bound}")


def span_factor(truth):
    """A frame may stand for many segments (offload), and be missed on the legs on both sides."""
    return (46 if truth["spec"]["topology"]["offload"] else 1) * max(1, len(truth["captures"]) - 1)


def lacks(capture):
    """Frames that a capture of everything lacks."""
    return capture["deleted"] + capture["kernel_dropped"]


def impossible(truth, answer):
    """These networks copy, invent and overtake nothing."""
    for column in ("injected", "duplicated", "reordered"):
        for row in answer["paths"]:
            # Who takes a shared address over answers for connections that it does not know.
            if row[column] and not (column == "injected" and handed_over(truth, row)):
                yield Failure("wrong-count", column, f"{row['from']} > {row['to']}, flow {row['flow']}:"
                              f" {row[column]} {column}")


def lost_enough(truth, answer):
    """Where both ends have everything, what was dropped is lost or unjudged."""
    told = collections.Counter()
    for row in answer["paths"]:
        told[row["from"], row["to"]] += row["lost"] + row["unjudged"] + row["misaddressed"]
    for a, b in whole_legs(truth):
        first, last = truth["captures"][a]["span_ns"]
        count = sum(entry["wire"] for entry in truth["dropped"] if entry["protocol"] == "tcp"
                    and entry["inner"] == [a, b] and entry["kind"] not in ("ack", "rst")
                    and first < entry["at_ns"] < last)
        if told[a, b] < count:
            yield Failure("missed", "lost-enough",
                          f"{a} > {b}: {told[a, b]} lost or unjudged, {count} were dropped")


# What the truth says of a pair of hosts


def dropped_on(truth, a, b, kinds=None):
    """Segments dropped between the captures of two hosts."""
    return sum(entry["wire"] for entry in truth["dropped"]
               if [a, b] in entry["legs"] and (kinds is None or entry["kind"] in kinds))


def silent(truth, *names):
    """Frames that captures of these hosts lack, and that nobody can tell from lost ones.

    A pure ACK or a datagram leaves no trace elsewhere. A capture that lacks a segment with payload as well
    shows by it that it has gaps, and is to be doubted.
    """
    listed = [truth["captures"][name] for name in names if name in truth["captures"]]
    return sum(one["deleted_silent"] for one in listed if one["deleted_silent"] == one["deleted"])


def whole_legs(truth):
    """Pairs of hosts whose captures have all, with drops between them and no other capture."""
    complete = {name for name, capture in truth["captures"].items()
                if capture["whole"] and not lacks(capture) and not capture["doubled"]}
    legs = {tuple(entry["inner"]) for entry in truth["dropped"] if entry["inner"]}
    return sorted((a, b) for a, b in legs if a in complete and b in complete and a != b)


# Findings

LOSSES = ("mac-mismatch", "asymmetric-loss", "symmetric-loss", "syn-lost", "synack-lost",
          "handshake-ack-lost", "pmtu-blackhole", "path-partial", "host-dark")


def supported(truth, finding):
    """Whether the truth bears a finding out, whatever its severity."""
    rule = SUPPORT.get(finding["kind"])
    return bool(rule and rule(truth, finding))


def by_loss(*kinds):
    """Something (of these kinds of packets) was dropped from here to there."""
    return lambda truth, f: dropped_on(truth, f["from"], f["to"], kinds or None) > 0


def symmetric(truth, finding):
    a, b = finding["from"], finding["to"]
    return all(dropped_on(truth, *leg) + silent(truth, *leg) > 0 for leg in ((a, b), (b, a)))


def patterned(truth, finding):
    """Something was dropped from here to there, and not by chance."""
    return truth["spec"]["fault"]["kind"] != "random" and by_loss()(truth, finding)


def partly(*kinds):
    """All of one sort was dropped to or from this host; or on one of several equal ways."""
    def rule(truth, finding):
        name, spec = finding["host"] or finding["to"], truth["spec"]
        return ((spec["fault"]["kind"] in kinds or spec["topology"]["kind"] == "ecmp")
                and any(name in leg for entry in truth["dropped"] for leg in entry["legs"]))
    return rule


def in_host(truth, finding):
    """The host itself drops behind its tap."""
    fault = truth["spec"]["fault"]
    return (fault["kind"] in ("firewall", "rp-filter", "backlog")
            and fault["host"] in (finding["host"], finding["to"]))


def wrong_neighbour(truth, finding):
    fault = truth["spec"]["fault"]
    return handed_over(truth, finding) or (
        fault["kind"] == "stale" and fault["host"] in (finding["host"], finding["from"]))


def handed_over(truth, finding):
    """The shared address went to the other host, and perhaps back."""
    return truth["spec"]["fault"]["kind"] in ("adverts", "stall")


def too_large(truth, finding):
    return (truth["spec"]["fault"]["kind"] in ("size", "mtu")
            and dropped_on(truth, finding["from"], finding["to"]) > 0)


def of_capture(truth, finding):
    capture = truth["captures"].get(finding["host"] or finding["to"])
    return bool(capture) and lacks(capture) > 0


def of_clock(truth, finding):
    """With two captures it may be told of either."""
    captures = truth["captures"]
    stepped = [name for name, capture in captures.items() if capture["stepped"]]
    return bool(stepped) and (finding["host"] in stepped or len(captures) == 2
                              or finding["from"] in stepped or finding["to"] in stepped)


def by_fact(name):
    """A host did this, by its own witness; told of what only passes it on, any host."""
    def rule(truth, finding):
        named = {finding["host"], finding["from"], finding["to"]} - {None}
        if not named <= set(truth["facts"]):
            named = set(truth["facts"])
        for ip in (finding["src_ip"], finding["dst_ip"]):  # seen at the other end, it is told of that one
            named.update(truth["owners"].get(ip, ()))
        return any(truth["facts"][host].get(name) for host in named)
    return rule


def neighbour(truth, finding):
    return any(entry["kind"] in ("arp", "nd") for entry in truth["dropped"])


SUPPORT = {
    "asymmetric-loss": by_loss(), "symmetric-loss": symmetric,
    "syn-lost": by_loss("syn"), "synack-lost": by_loss("synack"), "handshake-ack-lost": by_loss("ack"),
    "pmtu-blackhole": too_large, "loss-pattern": patterned,
    "path-partial": partly("flow", "port", "size", "dead", "backend", "forgets"),
    "host-dark": partly("dead", "size", "flow", "port", "backend", "stale"),
    "host-drop": in_host, "firewall-drop": in_host, "mac-mismatch": wrong_neighbour,
    "capture-loss": of_capture, "clock-step": of_clock,
    "reset": by_fact("resets"), "refused": by_fact("refused"), "zero-window": by_fact("zero_window"),
    "arp-unanswered": neighbour, "arp-conflict": handed_over, "vrrp-flap": handed_over,
    "vrrp-dual-master": handed_over, "injected-segment": handed_over,
    "vrrp-gap-path": lambda truth, f: truth["spec"]["fault"]["kind"] == "adverts",
    "vrrp-gap-source": lambda truth, f: truth["spec"]["fault"]["kind"] == "stall",
}


def findings(truth, answer):
    """No critical or warning that is not so."""
    for finding in answer["findings"]:
        if finding["severity"] != "notice" and not supported(truth, finding):
            yield Failure("false-" + finding["severity"], finding["kind"], finding["summary"])


COUNTED = {"asymmetric-loss": None, "symmetric-loss": None, "syn-lost": ("syn",),
           "synack-lost": ("synack",), "handshake-ack-lost": ("ack",)}


def finding_counts(truth, answer):
    """No finding counts more than there was."""
    for finding in answer["findings"]:
        kind = finding["kind"]
        if kind in COUNTED and finding["count"] is not None and finding["from"]:
            bound = dropped_on(truth, finding["from"], finding["to"], COUNTED[kind])
            bound += silent(truth, finding["from"], finding["to"])
            if kind == "symmetric-loss":
                bound += dropped_on(truth, finding["to"], finding["from"])
            if finding["count"] > bound:
                yield Failure("wrong-count", kind + " count", f"{finding['summary']}: {bound} were dropped")


def soundness(truth, answer):
    """A capture that has everything is not called unfit."""
    for row in answer["trust"]:
        capture = truth["captures"].get(row["name"])
        if row["trust"] == "unfit" and capture and capture["whole"] and not lacks(capture):
            yield Failure("false-warning", "unfit", f"{row['name']}: its capture is called unfit")


# What has to be told

LEAST, LEAST_RATE = 12, 0.02
# Queues and routers that complain drop as they should: it may be told, and need not.
FAULTLESS = ("queue", "mtu")


def told(truth, answer):
    """A loss that both ends show whole is told, of the right pair of hosts and direction."""
    faultless = truth["spec"]["fault"]["kind"] in FAULTLESS
    for a, b in whole_legs(truth) if not faultless else ():
        count = sum(entry["wire"] for entry in truth["dropped"] if entry["inner"] == [a, b]
                    and entry["kind"] in ("data", "syn", "synack", "fin", "udp"))
        if count < LEAST or count < LEAST_RATE * truth["sent"].get(f"{a}>{b}", count):
            continue
        if truth["spec"]["linger"] < 2.2:  # what is lost within delay_max_s of the end may be on its way
            continue
        if not any(tells(finding, a, b) for finding in answer["findings"]):
            yield Failure("missed", "told", f"{a} > {b}: {count} were dropped, and nothing is said")


def tells(finding, a, b):
    if finding["kind"] not in LOSSES:
        return False
    if finding["kind"] in ("host-dark", "mac-mismatch"):
        return finding["host"] in (a, b)
    ends = [finding["from"], finding["to"]]
    return ends == [a, b] or (finding["kind"] in ("symmetric-loss", "path-partial") and ends == [b, a])


VRRP_TOLD = {"adverts": "vrrp-gap-path", "stall": "vrrp-gap-source"}


def vrrp_told(truth, answer):
    """Where both hosts that share an address are captured whole, why it went over is told."""
    spec = truth["spec"]
    wanted = VRRP_TOLD.get(spec["fault"]["kind"])
    if not wanted:
        return
    both = [truth["captures"].get(name) for name in spec["topology"]["servers"]]
    if all(one and one["whole"] and not lacks(one) and not one["doubled"] for one in both):
        if not any(finding["kind"] == wanted for finding in answer["findings"]):
            yield Failure("missed", wanted, "nothing is said of why the shared address went over")


RULES = (closes, lost_on_leg, lost_of_flow, lost_which, capture_missed, impossible, lost_enough, findings,
         finding_counts, soundness, told, vrrp_told)



def ask(program, folder, truth, output):
    """Run the program on a world; (answer, None) or (None, Failure)."""
    done = check.analyze(program, folder, truth, output)
    if done.returncode != 0:
        said = (done.stderr.strip() or "nothing on standard error").splitlines()[-1]
        return None, Failure("crash", "exit status", f"{done.returncode}: {said}")
    return read_answer(output), None


def judge_folder(program, folder):
    """Failures of the world kept in a folder."""
    with open(os.path.join(folder, "truth.json")) as file:
        truth = json.load(file)
    output = os.path.join(folder, "incident.db")
    if os.path.exists(output):
        os.remove(output)
    answer, failure = ask(program, folder, truth, output)
    return [failure] if failure else judge(truth, answer)
