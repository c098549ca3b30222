"""Hold a database against what a scenario expects. Every mismatch says line, expected, got."""
import collections
import json
import sqlite3

from script import Wrong, seconds

FATES = ("delivered", "misaddressed", "lost", "capture_missed", "unjudged")
ARRIVALS = ("delivered", "misaddressed", "duplicated", "injected", "sender_missed")
COUNTS = ("lost", "misaddressed", "capture_missed", "unjudged", "duplicated", "injected", "sender_missed",
          "reordered", "modified", "retransmitted")
CLOCK_SLACK_NS = 2000  # rounding of skews and of script times

Mismatch = collections.namedtuple("Mismatch", "line what expected got")

# A packet goes the way that its own addresses say, whatever it proves.
BACKWARDS = """
SELECT c.path, p.frame, p.direction FROM packet p
JOIN capture_file c ON c.id = p.capture_file_id
WHERE p.src_ip IS NOT NULL AND EXISTS (SELECT 1 FROM flow_vantage v WHERE v.flow_id = p.flow_id AND v.vantage_id = p.vantage_id)
	AND NOT EXISTS (SELECT 1 FROM flow_vantage v WHERE v.flow_id = p.flow_id AND v.vantage_id = p.vantage_id
		AND p.src_ip = iif(p.direction = 'c2s', v.client_ip, v.server_ip)
		AND coalesce(p.src_port = iif(p.direction = 'c2s', v.client_port, v.server_port), 1))"""

FINDINGS = """
SELECT f.*, ha.name AS "from", hb.name AS "to", hh.name AS host, c.kind AS cause,
	va.name AS from_place, vb.name AS to_place,
	(SELECT count(*) FROM evidence e WHERE e.finding_id = f.id) AS evidence,
	(SELECT count(*) FROM evidence e JOIN capture_file c ON c.id = e.capture_file_id
		WHERE e.finding_id = f.id AND e.frame BETWEEN 1 AND c.frames) AS frames
FROM finding f LEFT JOIN finding c ON c.id = f.cause_id
LEFT JOIN vantage va ON va.id = f.from_vantage_id LEFT JOIN host ha ON ha.id = va.host_id
LEFT JOIN vantage vb ON vb.id = f.to_vantage_id LEFT JOIN host hb ON hb.id = vb.host_id
LEFT JOIN host hh ON hh.id = f.host_id ORDER BY f.id"""
BETWEEN = """ JOIN flow f ON f.id = x.flow_id
JOIN vantage va ON va.id = x.from_vantage_id JOIN host ha ON ha.id = va.host_id
JOIN vantage vb ON vb.id = x.to_vantage_id JOIN host hb ON hb.id = vb.host_id
WHERE ?1 IN (ha.name, va.name) AND ?2 IN (hb.name, vb.name) AND x.direction = ?3"""
PLACES = {"from": "from_place", "to": "to_place"}


def sql_text(text):
    return "'" + text.replace("'", "''") + "'"


def agrees(expected, got):
    """'5', '3..7', '?', '>=2', 'text*', '*text*': whether a value is what a script says."""
    if expected == "?":
        return True
    if "|" in expected:
        return any(agrees(part, got) for part in expected.split("|"))
    if got is None:
        return expected == "none"
    if ".." in expected:
        low, high = expected.split("..")
        return (not low or float(got) >= float(low)) and (not high or float(got) <= float(high))
    if expected[:2] in (">=", "<="):
        return float(got) >= float(expected[2:]) if expected[0] == ">" else float(got) <= float(expected[2:])
    if expected.startswith("*") and expected.endswith("*"):
        return expected[1:-1] in str(got)
    if expected.endswith("*"):
        return str(got).startswith(expected[:-1])
    if isinstance(got, (int, float)):
        return float(expected) == got
    return expected == str(got)


class Verdict:
    def __init__(self, script, world, database):
        self.script, self.world = script, world
        self.db = sqlite3.connect(database)
        self.db.row_factory = sqlite3.Row
        self.wrong = []
        self.explained = set()

    def differs(self, line, what, expected, got):
        self.wrong.append(Mismatch(line, what, expected, got))

    def check(self):
        self._always()
        strict = True
        for s in self.script.expected:
            if s.words[:2] == ["no", "matter"]:
                strict = False  # "no matter findings": others may appear
                continue
            try:
                getattr(self, "_" + s.words[0].replace("-", "_"))(s)
            except (ValueError, KeyError, IndexError) as error:
                raise Wrong(f"{self.script.path}:{s.line}: {type(error).__name__}: {error}") from error
        if not any(s.words[0] == "flows" for s in self.script.expected):
            self._equal_flows(1, len(self.world.flows))
        for row in self.db.execute(FINDINGS) if strict else ():
            if row["id"] not in self.explained:
                self.differs(1, "finding that the script does not name", "none",
                             f"{row['kind']} {row['from']} -> {row['to']}: {row['summary']}")
        return self.wrong

    # --- what holds in every scenario ---

    def _always(self):
        for row in self.db.execute("SELECT f.path, f.frames, sum(a.frames) AS n FROM capture_file f"
                                   " LEFT JOIN frame_account a ON a.capture_file_id = f.id GROUP BY f.id"):
            if row["frames"] != row["n"]:
                self.differs(1, f"frames accounted for of {row['path']}", row["frames"], row["n"])
        for prefix in ("", "bytes_"):
            for total, parts in (("sent", FATES), ("received", ARRIVALS)):
                parts = " + ".join(prefix + part for part in parts)
                for row in self.db.execute(f"SELECT flow_id, direction, {prefix}{total} AS n, {parts} AS parts"
                                           f" FROM path WHERE {prefix}{total} IS NOT {parts}"):
                    self.differs(1, f"conservation of {prefix}{total}, flow {row['flow_id']} "
                                 f"{row['direction']}", row["n"], row["parts"])
        for row in self.db.execute(BACKWARDS):
            self.differs(1, f"direction of frame {row['frame']} of {row['path']}", "that of its addresses",
                         row["direction"])
        negative = " OR ".join(f"{name} < 0" for name in ("sent", "delivered") + COUNTS)
        for row in self.db.execute(f"SELECT * FROM path WHERE {negative}"):
            self.differs(1, "path", "no negative count", dict(row))
        self._clocks()

    def _clocks(self):
        clocks = {p.host: p.clock for p in reversed(self.world.points)}
        for row in self.db.execute(
                "SELECT c.*, h.name AS own, r.name AS reference FROM clock c"
                " JOIN vantage v ON v.id = c.vantage_id JOIN host h ON h.id = v.host_id"
                " JOIN vantage w ON w.id = c.reference_vantage_id JOIN host r ON r.id = w.host_id"
                " WHERE c.vantage_id != c.reference_vantage_id"):
            if row["own"] not in clocks or row["reference"] not in clocks:
                continue  # a host that nobody named
            for part in range(11):
                shown = row["from_ns"] + (row["to_ns"] - row["from_ns"]) * part // 10
                moved = (shown - row["from_ns"]) * row["skew_ppm"] / 1e6
                low, high = (row[key] if row[key] is None else row[key] + moved
                             for key in ("offset_low_ns", "offset_high_ns"))
                truths = [shown - clocks[row["reference"]].shown_ns(time)
                          for time in clocks[row["own"]].true_times(shown)]
                inside = [offset for offset in truths if (low is None or offset >= low - CLOCK_SLACK_NS)
                          and (high is None or offset <= high + CLOCK_SLACK_NS)]
                if truths and not inside:
                    self.differs(1, f"offset of {row['own']} against {row['reference']}, part {part} of 10",
                                 f"{truths[0]} within", f"{low} to {high}")
                    break

    # --- statements ---

    def flow_of(self, s):
        """SQL and values that restrict to the flow named by flow=NAME."""
        if "flow" not in s.options:
            return "", []
        flow = self.world.flows[s.options["flow"][0]]
        ports = [(self.world.ends(flow, p, "c")[0]) for p in self.world.points]
        clause = " OR ".join("(f.client_ip = ? AND f.client_port = ?)" for _ in ports)
        return f" AND ({clause})", [value for end in ports for value in end]

    def _path(self, s):
        """path A > B c2s sent=10 lost=1: what is not named is 0, delivered is what is left of sent."""
        near, far, direction = s.words[1], s.words[3], s.words[4]
        restrict, values = self.flow_of(s)
        names = ["sent", "delivered", "received", "syn_sent", "syn_lost", "estimated"] + list(COUNTS) + [
            "bytes_" + name for name in ("sent", "delivered", "lost", "capture_missed", "unjudged", "duplicated",
                                         "sender_missed", "retransmitted")]
        row = self.db.execute(
            "SELECT count(*) AS rows, " + ", ".join(f"coalesce(sum(x.{n}), 0) AS {n}" for n in names) +
            ", max(x.largest_delivered) AS largest_delivered, min(x.smallest_lost) AS smallest_lost"
            ", min(x.owd_min_ns) AS owd_min_ns, max(x.owd_max_ns) AS owd_max_ns"
            " FROM path x" + BETWEEN + restrict, [near, far, direction] + values).fetchone()
        label = f"path {near} > {far} {direction}"
        if s.words[5:] == ["none"]:
            if row["rows"]:
                self.differs(s.line, label, "no row", f"{row['rows']} with {row['sent']} sent")
            return
        expected = {name: "0" for name in COUNTS}
        expected.update({k: v[0] for k, v in s.options.items() if k != "flow"})
        plain = all(expected[name].isdigit() for name in FATES[1:])
        if "delivered" not in expected and plain and expected.get("sent", "?").isdigit():
            expected["delivered"] = str(int(expected["sent"]) - sum(int(expected[f]) for f in FATES[1:]))
        wrong = {name: row[name] for name in expected if not agrees(expected[name], row[name])}
        if not row["rows"]:
            self.differs(s.line, label, "a row", "none")
        elif wrong:
            self.differs(s.line, label, " ".join(f"{n}={expected[n]}" for n in wrong),
                         " ".join(f"{n}={v}" for n, v in wrong.items()))

    def _event_rows(self, s, words):
        near, far, direction, kinds = words[0], words[2], words[3], words[4].split("|")
        restrict, values = self.flow_of(s)
        rows = self.db.execute("SELECT x.*, f.client_ip, f.client_port FROM segment_event x" + BETWEEN + restrict +
                               f" AND x.kind IN ({','.join('?' * len(kinds))}) ORDER BY x.id",
                               [near, far, direction] + values + kinds).fetchall()
        return [r for r in rows if self._event_fits(r, s.options, near, far, direction)]

    def _event_fits(self, row, options, near, far, direction):
        flow = self.world.flows[options["flow"][0]] if "flow" in options else next(iter(self.world.flows.values()))
        for key, (value, *_) in options.items():
            if key in ("n", "flow"):
                continue
            if key not in ("sent", "received", "proof") and key not in row.keys():
                raise ValueError(f"segment_event has no column '{key}'")
            if key == "seq" and flow.protocol == "tcp":
                side = direction[0]
                point = self.world.points[self.world.index(near)]
                value = str((flow.isn[side] + int(value) + self.world.delta(flow, point, side)) % 2**32)
            if key in ("sent", "received", "proof"):
                where, label = (near if key == "sent" else far), value
                if "@" in value:
                    label, where = value.split("@")
                value = str(self.world.labels.get((where, label), f"no frame '{label}' at {where}"))
                key += "_frame"
            if not value.isdigit() and key.endswith("_frame") or not agrees(value, row[key]):
                return False
        return True

    def _event(self, s):
        rows = self._event_rows(s, s.words[1:])
        wanted = s.options.get("n", ["1"])[0]
        if not agrees(wanted, len(rows)):
            kinds = [tuple(r) for r in self.db.execute(
                "SELECT x.kind, x.reason, x.sent_frame, x.received_frame, x.length, x.detail FROM segment_event x"
                + BETWEEN, (s.words[1], s.words[3], s.words[4]))]
            self.differs(s.line, "events " + " ".join(s.words[1:]) + " " + str({k: v[0] for k, v in s.options.items()}),
                         wanted, f"{len(rows)} (there are {kinds[:12]})")

    def _no(self, s):
        if s.words[1] == "event":
            # no event A > B c2s lost
            for row in self._event_rows(s, s.words[2:])[:1]:
                self.differs(s.line, "event " + " ".join(s.words[2:]), "none", f"{row['kind']} by {row['reason']}")
        elif s.words[1] == "finding":
            for row in self._findings(s.words[2:], s.options):
                self.differs(s.line, f"finding {row['kind']}", "none", row["summary"])
        else:
            raise ValueError(f"unknown 'no {s.words[1]}'")

    def _findings(self, words, options):
        found = []
        for row in self.db.execute(FINDINGS).fetchall():
            keys = {k: options[k][0] for k in ("from", "to", "host", "src_ip", "dst_ip") if k in options}
            if row["kind"] in words and all(agrees(v, row[k]) or k in PLACES and v == row[PLACES[k]]
                                            for k, v in keys.items()):
                found.append(row)
        return found

    def _finding(self, s):
        rows = self._findings(s.words[1:], s.options)
        self.explained.update(r["id"] for r in rows)
        wanted = s.options.get("n", ["1"])[0]
        if not agrees(wanted, len(rows)):
            every = ", ".join(f"{r['kind']} {r['from']}->{r['to']}" for r in self.db.execute(FINDINGS)) or "none at all"
            self.differs(s.line, "findings " + " ".join(s.words[1:]), wanted, f"{len(rows)} (found: {every})")
        for row in rows:
            detail = json.loads(row["detail"])
            for key, (value, *_) in s.options.items():
                if key in ("n", "from", "to", "no-frames"):
                    continue
                got = detail.get(key[7:]) if key.startswith("detail.") else row[key]
                if not agrees(value, got):
                    self.differs(s.line, f"finding {row['kind']} {key}", value, got)
            if not row["evidence"]:
                self.differs(s.line, f"finding {row['kind']}", "evidence", "none")
            self._proved(s, row)
            if not 0 < row["confidence"] <= 1:
                self.differs(s.line, f"finding {row['kind']} confidence", "in (0, 1]", row["confidence"])

    def _proved(self, s, row):
        """A finding cites frames of the captures, unless the script says why it has none."""
        if "no-frames" not in s.options and not row["frames"]:
            self.differs(s.line, f"finding {row['kind']}", "frames as evidence", f"none ({row['evidence']} other rows)")
        if "no-frames" in s.options and row["frames"]:
            self.differs(s.line, f"finding {row['kind']}", "no frames as evidence (drop no-frames)", row["frames"])

    def _clock(self, s):
        """clock A B: rows of one against the other, whichever is the reference."""
        rows = self.db.execute(
            "SELECT c.* FROM clock c JOIN vantage v ON v.id = c.vantage_id JOIN host h ON h.id = v.host_id"
            " JOIN vantage w ON w.id = c.reference_vantage_id JOIN host r ON r.id = w.host_id"
            " WHERE c.vantage_id != c.reference_vantage_id AND (h.name, r.name) IN ((?1, ?2), (?2, ?1))"
            " ORDER BY c.from_ns", s.words[1:3]).fetchall()
        label = "clock " + " ".join(s.words[1:3])
        if "none" in s.words:
            if rows:
                self.differs(s.line, label, "no row", len(rows))
            return
        if not rows:
            self.differs(s.line, label, "rows", "none")
        for key, (value, *_) in s.options.items():
            if key == "pieces" and not agrees(value, len(rows)):
                self.differs(s.line, label + " pieces", value, len(rows))
            for row in rows:
                if key == "width" and (row["offset_low_ns"] is None or row["offset_high_ns"] is None or
                                       row["offset_high_ns"] - row["offset_low_ns"] > seconds(value) * 1e9):
                    self.differs(s.line, label + " width", f"at most {value}",
                                 f"{row['offset_low_ns']} to {row['offset_high_ns']}")
                if key in ("method", "offset_ns", "offset_low_ns", "offset_high_ns", "skew_ppm") and not agrees(
                        value, row[key]):
                    self.differs(s.line, f"{label} {key}", value, row[key])

    def _outcome(self, s):
        flow = self.world.flows[s.words[1]]
        ends = {self.world.ends(flow, p, "c")[0] for p in self.world.points}
        rows = [r for r in self.db.execute("SELECT * FROM flow ORDER BY id")
                if (r["client_ip"], r["client_port"]) in ends]
        wanted = s.options.get("n", ["1"])[0]
        if not agrees(wanted, len(rows)):
            self.differs(s.line, f"flow {flow.name}", f"{wanted} row(s)", f"{len(rows)}: {[dict(r) for r in rows]}")
        for row in rows:
            for key, (value, *_) in s.options.items():
                if key == "members":
                    got = self.db.execute("SELECT count(*) FROM flow_vantage WHERE flow_id = ?",
                                          (row["id"],)).fetchone()[0]
                elif key != "n":
                    got = row[key]
                else:
                    continue
                if not agrees(value, got):
                    self.differs(s.line, f"flow {flow.name} {key}", value, got)
            if len(s.words) > 2 and row["outcome"] not in s.words[2].split("|"):
                self.differs(s.line, f"flow {flow.name} outcome", s.words[2], row["outcome"])

    def _flows(self, s):
        if s.words[1] != "?":
            self._equal_flows(s.line, int(s.words[1]))

    def _equal_flows(self, line, wanted):
        got = self.db.execute("SELECT count(*) FROM flow").fetchone()[0]
        if got != wanted:
            self.differs(line, "flows", wanted, got)

    def _hosts(self, s):
        names = [row[0] for row in self.db.execute("SELECT name FROM host ORDER BY name")]
        if not agrees(s.words[1], len(names)):
            self.differs(s.line, "hosts", s.words[1], f"{len(names)}: {', '.join(names)}")

    def _rows_of(self, s, sql, name, columns):
        rows = self.db.execute(sql, (name,)).fetchall()
        if not rows:
            self.differs(s.line, " ".join(s.words), "a row", "none")
        for row in rows:
            for key, (value, *_) in s.options.items():
                if key in columns and not agrees(value, row[key]):
                    self.differs(s.line, f"{' '.join(s.words)} {key}", value, row[key])

    def _trust(self, s):
        """trust A sound|with-care|unfit, or not-sound."""
        row = self.db.execute("SELECT v.* FROM vantage v JOIN host h ON h.id = v.host_id WHERE ? IN (h.name, v.name)",
                              (s.words[1],)).fetchone()
        if not row:
            self.differs(s.line, f"trust of {s.words[1]}", s.words[2], "no such place")
            return
        got = row["trust"].replace(" ", "-")
        fits = got != "sound" if s.words[2] == "not-sound" else got in s.words[2].split("|")
        if not fits:
            self.differs(s.line, f"trust of {s.words[1]}", s.words[2], f"{row['trust']} {row['trust_reasons']}")
        for key, (value, *_) in s.options.items():
            if not agrees(value, row[key]):
                self.differs(s.line, f"vantage {s.words[1]} {key}", value, row[key])

    def _seen(self, s):
        """seen A key=value: columns of flow_vantage at a point."""
        self._rows_of(s, "SELECT w.* FROM flow_vantage w JOIN vantage v ON v.id = w.vantage_id"
                      " JOIN host h ON h.id = v.host_id WHERE h.name = ?", s.words[1], s.options)

    def _account(self, s):
        for key, (value, *_) in s.options.items():
            got = self.db.execute(
                "SELECT coalesce(sum(a.frames), 0) FROM frame_account a JOIN capture_file c ON"
                " c.id = a.capture_file_id JOIN host h ON h.id = c.host_id WHERE h.name = ? AND a.disposition = ?",
                (s.words[1], key)).fetchone()[0]
            if not agrees(value, got):
                self.differs(s.line, f"frames of {s.words[1]} accounted as {key}", value, got)

    def _file(self, s):
        """file A damaged="*zeros*": columns of a host's capture files."""
        self._rows_of(s, "SELECT c.* FROM capture_file c JOIN host h ON h.id = c.host_id WHERE h.name = ?", s.words[1],
                      s.options)

    def _claim(self, s):
        """claim A 10.0.0.1 evidence=sent*: columns of identity_claim of a host's address or MAC."""
        self._rows_of(s, "SELECT c.* FROM identity_claim c JOIN host h ON h.id = c.host_id"
                      f" WHERE h.name = ? AND {sql_text(s.words[2])} IN (c.ip, c.mac)", s.words[1], s.options)

    def _order(self, s):
        """order A > B known=1: columns of vantage_order of two places, the first nearer to the client."""
        self._rows_of(s, "SELECT o.* FROM vantage_order o JOIN vantage a ON a.id = o.nearer_vantage_id"
                      " JOIN vantage b ON b.id = o.farther_vantage_id"
                      f" WHERE a.name = ? AND b.name = {sql_text(s.words[3])}", s.words[1], s.options)

    def _coverage(self, s):
        """coverage A in shows=never: columns of a place in one direction."""
        self._rows_of(s, "SELECT c.* FROM coverage c JOIN vantage v ON v.id = c.vantage_id"
                      f" WHERE v.name = ? AND c.direction = {sql_text(s.words[2])}", s.words[1], s.options)

    def _zero_window(self, s):
        """zero-window A probes=3: rows at a point."""
        self._rows_of(s, "SELECT z.*, (z.to_ns - z.from_ns) / 1000000 AS ms FROM zero_window z"
                      " JOIN vantage v ON v.id = z.vantage_id JOIN host h ON h.id = v.host_id WHERE h.name = ?",
                      s.words[1], s.options)
