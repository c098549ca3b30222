#!/usr/bin/env python3
"""Hold bothends against the kernel's truth: check.py [--bothends PROGRAM] DIR ...

Each DIR holds captures and one truth*.json for each way to look at them (README.md says
what is in one). Prints a line `DIR/truth.json: what: expected X, got Y` for each mismatch
and ends with status 1 if there was one.
"""
import argparse
import glob
import json
import os
import sqlite3
import subprocess
import sys
import tempfile

FATES = ("delivered", "misaddressed", "lost", "capture_missed", "unjudged")
ARRIVALS = ("delivered", "misaddressed", "duplicated", "injected", "sender_missed")
TOTALS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "schema", "totals.sql")
CLOCK_SLACK_NS = 1000  # rounding of a skew given in ppm, over minutes


class Report:
    """Collects mismatches of one truth file."""

    def __init__(self, label):
        self.label = label
        self.lines = []

    def differs(self, what, expected, got):
        self.lines.append(f"{self.label}: {what}: expected {expected}, got {got}")

    def equal(self, what, expected, got):
        if isinstance(expected, dict):
            low, high = expected.get("min", 0), expected.get("max", float("inf"))
            if got is None or not low <= got <= high:
                self.differs(what, f"{low} to {high}", got)
        elif expected != got:
            self.differs(what, expected, got)


def one(db, sql, *values):
    return db.execute(sql, values).fetchone()[0]


def check_frames(db, truth, report):
    """Frames in = frames accounted for, and as many as the file has."""
    for entry in truth["inputs"]:
        if "frames" not in entry:
            continue
        rows = db.execute(
            "SELECT f.frames, (SELECT sum(a.frames) FROM frame_account a"
            " WHERE a.capture_file_id = f.id) FROM capture_file f"
            " WHERE f.path = ?1 OR f.path LIKE '%/' || ?1", (entry["file"],)).fetchall()
        if len(rows) != 1:
            report.differs(f"rows of capture_file for {entry['file']}", 1, len(rows))
            continue
        report.equal(f"frames of {entry['file']}", entry["frames"], rows[0][0])
        report.equal(f"frames accounted of {entry['file']}", entry["frames"], rows[0][1])


def check_file(db, report):
    """Tables and indexes that the program wrote itself are what SQLite would have written."""
    for (line,) in db.execute("PRAGMA integrity_check"):
        if line != "ok":
            report.differs("integrity_check", "ok", line)


def check_conservation(db, report):
    """sent = delivered + misaddressed + lost + capture_missed + unjudged, for every path."""
    for prefix in ("", "bytes_"):
        fates = " + ".join(prefix + fate for fate in FATES)
        for row in db.execute(
                f"SELECT flow_id, direction, {prefix}sent, {fates} FROM path"
                f" WHERE {prefix}sent IS NOT {fates}"):
            report.differs(f"conservation of {prefix}sent, flow {row[0]} {row[1]}", row[2], row[3])
        arrivals = " + ".join(prefix + arrival for arrival in ARRIVALS)
        for row in db.execute(
                f"SELECT flow_id, direction, {prefix}received, {arrivals} FROM path"
                f" WHERE {prefix}received IS NOT {arrivals}"):
            report.differs(f"conservation of {prefix}received, flow {row[0]} {row[1]}",
                           row[2], row[3])
    negative = " OR ".join(f"{name} < 0" for name in
                           ("sent",) + FATES + ARRIVALS + ("reordered", "retransmitted"))
    report.equal("paths with a negative count", 0,
                 one(db, f"SELECT count(*) FROM path WHERE {negative}"))


def check_directions(db, report):
    """A packet goes the way that its own addresses say, whatever it proves."""
    for path, frame, direction in db.execute(
            "SELECT c.path, p.frame, p.direction FROM packet p JOIN capture_file c ON c.id = p.capture_file_id"
            " JOIN flow_vantage v ON v.flow_id = p.flow_id AND v.vantage_id = p.vantage_id"
            " WHERE p.src_ip != iif(p.direction = 'c2s', v.client_ip, v.server_ip)"
            "  OR p.src_port != iif(p.direction = 'c2s', v.client_port, v.server_port)"):
        report.differs(f"direction of frame {frame} of {path}", "that of its addresses", direction)


def check_totals(db, report):
    """The sums that the join kept while it went are what SQL adds up from its rows."""
    tables = ("path_total", "loss_total", "handshake_ack")
    # The join notes an ACK when it finds it lost; whether that could be judged shows at the end.
    settled = " WHERE event_id IN (SELECT id FROM segment_event WHERE kind IN ('lost', 'misaddressed'))"

    def rows():
        return {table: sorted(db.execute(f"SELECT * FROM {table}" + settled * (table == "handshake_ack")), key=repr)
                for table in tables}

    kept = rows()
    with open(TOTALS, encoding="utf-8") as file:
        db.executescript("DELETE FROM path_total;" + file.read())
    added_up = rows()
    for table in tables:
        if kept[table] != added_up[table]:
            differing = [row for row in added_up[table] if row not in kept[table]] + [
                row for row in kept[table] if row not in added_up[table]]
            report.differs(table, f"{len(added_up[table])} rows", f"{len(kept[table])}, such as {differing[0]}")


def path_rows(spec):
    """FROM and WHERE of the path rows that a truth entry speaks of, and their values."""
    sql = (" FROM path p JOIN flow f ON f.id = p.flow_id"
           " JOIN vantage va ON va.id = p.from_vantage_id JOIN host ha ON ha.id = va.host_id"
           " JOIN vantage vb ON vb.id = p.to_vantage_id JOIN host hb ON hb.id = vb.host_id"
           " WHERE ha.name = ? AND hb.name = ? AND p.direction = ? AND f.protocol = ?")
    values = [spec["from"], spec["to"], spec["direction"], spec.get("protocol", "tcp")]
    if "clients" in spec:
        sql += " AND f.client_ip IN (%s)" % ",".join("?" * len(spec["clients"]))
        values += spec["clients"]
    if "server_port" in spec:
        sql += " AND f.server_port = ?"
        values.append(spec["server_port"])
    return sql, values


def check_paths(db, truth, report):
    for spec in truth.get("paths", []):
        where, values = path_rows(spec)
        label = "path {from} -> {to} {direction}".format(**spec)
        if "server_port" in spec:
            label += f" port {spec['server_port']}"
        count, = db.execute("SELECT count(*)" + where, values).fetchone()
        if count == 0:
            report.differs(label, "rows", "none")
            continue
        for name, expected in spec.get("counts", {}).items():
            column = " + ".join("p." + part for part in ARRIVALS) if name == "received" else (
                " + ".join("p." + part for part in name.split("+")))
            got, = db.execute(f"SELECT sum({column})" + where, values).fetchone()
            report.equal(f"{label} {name}", expected, got)
    for name, expected in truth.get("everywhere", {}).items():
        got = one(db, f"SELECT coalesce(sum({name}), 0) FROM path")
        report.equal(f"all paths {name}", expected, got)
    if truth.get("paths_complete"):
        known = {(spec["from"], spec["to"], spec["direction"]) for spec in truth["paths"]}
        for row in db.execute(
                "SELECT DISTINCT ha.name, hb.name, p.direction FROM path p"
                " JOIN flow f ON f.id = p.flow_id"
                " JOIN vantage va ON va.id = p.from_vantage_id JOIN host ha ON ha.id = va.host_id"
                " JOIN vantage vb ON vb.id = p.to_vantage_id JOIN host hb ON hb.id = vb.host_id"
                " WHERE f.protocol = 'tcp' AND p.sent > 0"):
            if row not in known:
                report.differs("path between vantages that are not adjacent", "none",
                               "%s -> %s %s" % row)


def check_flows(db, truth, report):
    if "flows" in truth:
        report.equal("tcp flows", truth["flows"],
                     one(db, "SELECT count(*) FROM flow WHERE protocol = 'tcp'"))
    for name, expected in truth.get("flows_seen_at", {}).items():
        report.equal(f"tcp flows seen at {name}", expected, one(
            db, "SELECT count(DISTINCT fv.flow_id) FROM flow_vantage fv"
            " JOIN flow f ON f.id = fv.flow_id JOIN vantage v ON v.id = fv.vantage_id"
            " JOIN host h ON h.id = v.host_id WHERE f.protocol = 'tcp' AND h.name = ?", name))


    for entry in truth.get("translated", []):
        report.equal(f"flows with port {entry['client']} at client, {entry['server']} at server",
                     1, one(db, TRANSLATED_SQL, entry["client"], entry["server"]))
    for entry in truth.get("rewritten", []):
        check_rewritten(db, entry, report)


def check_rewritten(db, entry, report):
    """The constant that a middlebox added to the sequence numbers of one flow."""
    seen = dict(((name, (up, down)) for name, up, down in db.execute(
        "SELECT h.name, v.seq_delta_c2s, v.seq_delta_s2c FROM flow_vantage v"
        " JOIN vantage p ON p.id = v.vantage_id JOIN host h ON h.id = p.host_id"
        " WHERE v.client_port = ?", (entry["port"],))))
    if set(seen) != {"client", "server"} or None in seen["client"] + seen["server"]:
        report.differs(f"sequence deltas of port {entry['port']}", "at both ends", seen)
        return
    for which, direction in enumerate(("c2s", "s2c")):
        between = (seen["server"][which] - seen["client"][which]) % 2**32
        if between not in (entry[direction], -entry[direction] % 2**32):
            report.differs(f"{direction} sequence delta of port {entry['port']}",
                           f"{entry[direction]} (either sign)", between)


TRANSLATED_SQL = """
SELECT count(DISTINCT a.flow_id) FROM flow_vantage a JOIN flow_vantage b USING (flow_id)
JOIN vantage va ON va.id = a.vantage_id JOIN host ha ON ha.id = va.host_id
JOIN vantage vb ON vb.id = b.vantage_id JOIN host hb ON hb.id = vb.host_id
WHERE ha.name = 'client' AND hb.name = 'server' AND a.client_port = ? AND b.client_port = ?
"""


def check_events(db, truth, report):
    """Transmissions by their frame at the sender (or at the receiver): not a count, these ones."""
    for spec in truth.get("events", []):
        column = "received" if spec.get("at") == "receiver" else "sent"
        host = "to" if column == "received" else "from"
        marks = ",".join("?" * len(spec["kinds"]))
        rows = db.execute(
            f"SELECT e.{column}_frame FROM segment_event e"
            f" JOIN vantage v ON v.id = e.{host}_vantage_id JOIN host h ON h.id = v.host_id"
            f" WHERE h.name = ? AND e.direction = ? AND e.kind IN ({marks})",
            [spec[host], spec["direction"], *spec["kinds"]]).fetchall()
        got, wanted = {row[0] for row in rows}, set(spec["frames"])
        label = "frames {} -> {} {} {}".format(
            spec["from"], spec["to"], spec["direction"], " or ".join(spec["kinds"]))
        missing = sorted(wanted - got) if spec["check"] in ("equal", "contains") else []
        excess = sorted(got - wanted) if spec["check"] in ("equal", "within") else []
        excess = sorted(got & wanted) if spec["check"] == "none" else excess
        if missing:
            report.differs(label, f"{len(wanted)} frames", f"without {missing[:8]}")
        if excess:
            report.differs(label, f"only those of {len(wanted)}", f"also {excess[:8]}")


FINDING_SQL = """
SELECT f.kind, ha.name AS "from", hb.name AS "to", hh.name AS host, f.severity, f.confidence,
       f.src_ip, f.dst_ip, f.count, f.total, f.detail, f.summary, c.kind AS cause,
       (SELECT count(*) FROM evidence e WHERE e.finding_id = f.id) AS evidence
FROM finding f LEFT JOIN finding c ON c.id = f.cause_id
LEFT JOIN vantage va ON va.id = f.from_vantage_id LEFT JOIN host ha ON ha.id = va.host_id
LEFT JOIN vantage vb ON vb.id = f.to_vantage_id LEFT JOIN host hb ON hb.id = vb.host_id
LEFT JOIN host hh ON hh.id = f.host_id
"""


def matches(finding, spec):
    """Whether a finding is one that the entry speaks of."""
    for key in ("kind", "from", "to", "host"):
        if key in spec and finding[key] != spec[key]:
            return False
    if "between" in spec and {finding["from"], finding["to"]} != set(spec["between"]):
        return False
    return "ip" not in spec or spec["ip"] in (finding["src_ip"], finding["dst_ip"])


def check_findings(db, truth, report):
    db.row_factory = sqlite3.Row
    found = db.execute(FINDING_SQL).fetchall()
    db.row_factory = None
    wanted = truth.get("findings", {})
    for spec in wanted.get("expected", []):
        label = "finding " + " ".join(
            f"{key}={spec[key]}" for key in ("kind", "from", "to", "between", "host") if key in spec)
        chosen = [row for row in found if matches(row, spec)]
        if len(chosen) != 1:
            others = ", ".join(f"{r['kind']} {r['from']}->{r['to']}" for r in found) or "none at all"
            report.differs(label, "one", f"{len(chosen)} (findings: {others})")
            continue
        check_finding(chosen[0], spec, label, report)
    for spec in wanted.get("forbidden", []):
        for row in found:
            if matches(row, spec):
                report.differs(f"finding {row['kind']}", "none", row["summary"])


def check_finding(row, spec, label, report):
    for key in ("count", "total", "severity", "cause"):
        if key in spec:
            report.equal(f"{label} {key}", spec[key], row[key])
    detail = json.loads(row["detail"] or "{}")
    for key, expected in spec.get("detail", {}).items():
        report.equal(f"{label} detail {key}", expected, detail.get(key))
    for moment in spec.get("window_at", []):
        windows = detail.get("windows") or []
        if not any(w["from_ns"] - moment["within_ns"] <= moment["at_ns"]
                   <= (w.get("to_ns") or w["from_ns"]) + moment["within_ns"] for w in windows):
            report.differs(f"{label} window near {moment['at_ns']}", "one", windows)
    if "step_at" in spec:
        check_step(detail.get("windows") or [], spec["step_at"], label, report)
    if row["evidence"] == 0 and spec.get("evidence", True):
        report.differs(f"{label} evidence", "rows", 0)
    if not 0 < row["confidence"] <= 1:
        report.differs(f"{label} confidence", "in (0, 1]", row["confidence"])


def check_step(windows, step, label, report):
    """A step within its tolerance; windows may be on the clock before it or after it."""
    for window in windows:
        for shown in (step["at_ns"], *step.get("shown_ns", [])):
            if (window["from_ns"] - step["within_ns"] <= shown
                    <= (window.get("to_ns") or window["from_ns"]) + step["within_ns"]):
                return
    report.differs(f"{label} place", f"within {step['within_ns']} ns of {step['at_ns']}", windows)


def reading(pieces, true_ns):
    """What a clock shows at a true time: the last piece that has begun."""
    piece = [p for p in pieces if p["from_ns"] <= true_ns][-1] if pieces else None
    if piece is None:
        return true_ns
    return true_ns + piece["offset_ns"] + (true_ns - piece["from_ns"]) * piece["skew_ppm"] / 1e6


def true_times(pieces, shown_ns):
    """The true times at which a clock shows shown_ns: none inside a step, else one."""
    if not pieces:
        return [shown_ns]
    found = []
    for piece, after in zip(pieces, pieces[1:] + [None]):
        rate = 1 + piece["skew_ppm"] / 1e6
        time = piece["from_ns"] + (shown_ns - piece["from_ns"] - piece["offset_ns"]) / rate
        if time >= piece["from_ns"] and (after is None or time < after["from_ns"]):
            found.append(time)
    return found


def check_clocks(db, truth, report):
    """The true offset lies inside the stated interval at all times of the run."""
    if "clocks" not in truth:
        return
    clocks, start, end = truth["clocks"], truth["from_ns"], truth["to_ns"]
    judged = 0
    for row in db.execute(
            "SELECT hv.name, hr.name, c.from_ns, c.to_ns, c.offset_low_ns, c.offset_high_ns,"
            " coalesce(c.skew_ppm, 0) FROM clock c"
            " JOIN vantage v ON v.id = c.vantage_id JOIN host hv ON hv.id = v.host_id"
            " JOIN vantage r ON r.id = c.reference_vantage_id JOIN host hr ON hr.id = r.host_id"
            " WHERE c.vantage_id <> c.reference_vantage_id"):
        name, reference, first, last, low, high, skew = row
        own = clocks.get(name, [])
        for step in range(401):
            true_ns = start + (end - start) * step // 400
            shown = reading(own, true_ns)
            if not first <= shown <= (last if last is not None else shown):
                continue
            offset = shown - reading(clocks.get(reference, []), true_ns)
            moved = (shown - first) * skew / 1e6
            judged += 1
            below = low is not None and offset < low + moved - CLOCK_SLACK_NS
            above = high is not None and offset > high + moved + CLOCK_SLACK_NS
            if below or above:
                bounds = [None if bound is None else round(bound + moved) for bound in (low, high)]
                report.differs(f"clock {name} against {reference} at {int(shown)}",
                               f"{offset:.0f} ns inside", bounds)
                break
    if judged < 300 * len([c for c in clocks.values() if c] or [1]):
        report.differs("clock samples inside a stated piece", "at least 300 of 401", judged)
    limit = truth.get("clock_width_ns")
    if limit:
        report.equal("clock pieces without both bounds", 0, one(
            db, "SELECT count(*) FROM clock WHERE vantage_id <> reference_vantage_id"
            " AND (offset_low_ns IS NULL OR offset_high_ns IS NULL)"))
        widest = one(db, "SELECT max(offset_high_ns - offset_low_ns) FROM clock")
        report.equal("widest clock interval in ns", {"max": limit}, widest)
        # The scenarios' real delays are far below the limit: what is beyond is a step taken for delay.
        report.equal("least delay in ns", {"min": -limit}, one(db, "SELECT min(owd_min_ns) FROM path"))
        report.equal("most delay in ns", {"max": limit}, one(db, "SELECT max(owd_max_ns) FROM path"))


def check_drops(db, truth, report):
    """What each kernel dropped, by reason and port: every record, and one finding with that number; no other drop is told."""
    if "drops" not in truth:
        return
    told = {}
    for host, detail, count, summary in db.execute(
            "SELECT h.name, f.detail, f.count, f.summary FROM finding f JOIN host h ON h.id = f.host_id"
            " WHERE f.kind IN ('host-drop', 'firewall-drop')"):
        detail = json.loads(detail)
        told[host, detail["reason"], detail.get("port")] = count
    for spec in truth["drops"]:
        label = f"{spec['host']} {spec['reason']} {spec['port']}"
        report.equal(f"records of {label}", spec["packets"], one(
            db, "SELECT sum(segments) FROM kernel_drop k JOIN vantage v ON v.id = k.vantage_id JOIN host h ON h.id = v.host_id"
            " WHERE h.name = ? AND k.reason LIKE ? || '%' AND k.dst_port = ?", spec["host"], spec["reason"], spec["port"]))
        found = [key for key in told if key[0] == spec["host"] and key[1].startswith(spec["reason"]) and key[2] == spec["port"]]
        report.equal(f"finding of {label}", spec["packets"], told.pop(found[0]) if found else None)
        if spec["received"]:
            report.equal(f"records of {label} that are joined to a frame at the interface", spec["packets"], one(
                db, "SELECT count(DISTINCT k.seen_file_id || ' ' || k.seen_frame) FROM kernel_drop k JOIN vantage v ON v.id = k.vantage_id"
                " JOIN host h ON h.id = v.host_id WHERE h.name = ? AND k.reason LIKE ? || '%' AND k.dst_port = ? AND k.way = 'in'",
                spec["host"], spec["reason"], spec["port"]))
    report.equal("other drops that are told", [], sorted(map(str, told)))


CHECKS = (check_frames, check_flows, check_paths, check_events, check_findings, check_drops, check_clocks)


def analyze(program, directory, truth, output):
    command = [program, "analyze", "-q", "-o", output, *truth.get("options", [])]
    command += [f"{entry['name']}={os.path.join(directory, entry['file'])}"
                for entry in truth["inputs"]]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def check_truth(program, path):
    """Mismatches of one truth file, as lines."""
    directory = os.path.dirname(path)
    report = Report(os.path.join(os.path.basename(os.path.abspath(directory)),
                                 os.path.basename(path)))
    with open(path) as file:
        truth = json.load(file)
    with tempfile.TemporaryDirectory() as scratch:
        output = os.path.join(scratch, "incident.db")
        done = analyze(program, directory, truth, output)
        if done.returncode != 0:
            said = done.stderr.strip() or "nothing on stderr"
            report.differs("exit status", 0, f"{done.returncode}: {said}")
            return report.lines
        with sqlite3.connect(output) as db:
            check_file(db, report)
            check_conservation(db, report)
            check_directions(db, report)
            check_totals(db, report)
            for check in CHECKS:
                try:
                    check(db, truth, report)
                except sqlite3.Error as error:
                    report.differs(check.__name__, "an answer", error)
        db.close()
    return report.lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bothends", default=os.environ.get("BOTHENDS", "bothends"))
    parser.add_argument("directories", nargs="+", metavar="DIR")
    args = parser.parse_args()
    failed = False
    for directory in args.directories:
        truths = sorted(glob.glob(os.path.join(directory, "truth*.json")))
        if not truths:
            print(f"{directory}: expected truth*.json, got none")
            failed = True
        for path in truths:
            lines = check_truth(args.bothends, path)
            failed |= bool(lines)
            for line in lines:
                print(line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
