"""Facts for tests of rules: databases filled by hand, judged by the real program.

A test adds hosts, flows, paths and events with the few values that matter to it; every other column
gets a value that says "nothing of that".
"""
import json
import os
import sqlite3
import subprocess
import tempfile

T0 = 1790000004_000000000  # 2026-09-21T14:13:24Z
SECOND = 1_000_000_000
SYN, SYNACK, ACK, RST, PSHACK = 2, 18, 16, 4, 24


class Facts:
    def __init__(self, bothends, dbtool):
        self.bothends = bothends
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "facts.db")
        subprocess.run([dbtool, "facts", self.path, "/dev/null"], check=True)
        self.db = sqlite3.connect(self.path)
        self.columns = {}
        self.events = 0
        self.flows = 0

    def close(self):
        self.db.close()
        self.folder.cleanup()

    def insert(self, table, **values):
        """One row; NOT NULL columns that are not given become 0 or ''."""
        if table not in self.columns:
            self.columns[table] = list(self.db.execute(f"PRAGMA table_info({table})"))
        for _, name, kind, required, default, key in self.columns[table]:
            if required and name not in values and default is None and not (key and kind == "INTEGER"):
                values[name] = "" if kind == "TEXT" else 0
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        self.db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))

    def host(self, name, *ips, trust="sound", reasons=(), offset=0, skew=0.0, frames=1000, kind="nic",
             dropped=None, mac=None, **vantage):
        """A machine with one vantage point and one capture of an hour; returns its number."""
        n = self.db.execute("SELECT count(*) FROM host").fetchone()[0] + 1
        start, end = T0 - 60 * SECOND + offset, T0 + 3600 * SECOND + offset
        self.insert("host", id=n, name=name)
        self.insert("vantage", id=n, host_id=n, name=name, kind=kind, trust=trust, interface="eth0",
                    trust_reasons=json.dumps(list(reasons)), first_ns=start, last_ns=end, mac=mac, **vantage)
        self.insert("capture_file", id=n, host_id=n, vantage_id=n, path=f"{name}.pcapng", format="pcapng",
                    compression="none", frames=frames, first_ns=start, last_ns=end,
                    dropped_kernel=dropped, hash=f"{n:032x}")
        self.insert("capture_interface", capture_file_id=n, interface=0, vantage_id=n)
        self.insert("frame_account", capture_file_id=n, disposition="joined", frames=frames)
        method = "reference" if n == 1 else "both directions"
        self.insert("clock", vantage_id=n, reference_vantage_id=1, from_ns=start, to_ns=end,
                    offset_ns=offset, offset_low_ns=offset - 100000, offset_high_ns=offset + 100000,
                    skew_ppm=skew, method=method, samples=100)
        for ip in ips:
            self.insert("host_address", host_id=n, ip=ip, mac=mac, source="capture")
        return n

    def flow(self, client, server, client_ip="10.0.0.1", server_ip="10.0.0.2", server_port=80, at=0.0,
             outcome="closed", seen=None, protocol="tcp", pairing="isn", lasts=1.0, near=None, far=None, **flow):
        """A conversation seen by the vantage points seen (client's first); returns its number."""
        self.flows += 1
        n, start = self.flows, T0 + int(at * SECOND)
        end = start + int(lasts * SECOND)
        values = dict(client_isn=1000 * n, server_isn=5000 * n, client_known=1)
        values.update(flow)
        self.insert("flow", id=n, protocol=protocol, client_ip=client_ip, client_port=40000 + n % 20000,
                    server_ip=server_ip, server_port=server_port, first_ns=start, last_ns=end,
                    outcome=outcome, pairing=pairing, **values)
        seen = seen or [client, server]
        for position, vantage in enumerate(seen):
            extra = dict(bytes_c2s=500, bytes_s2c=500)
            extra.update((near if position == 0 else {}) or {})
            extra.update((far if position == len(seen) - 1 else {}) or {})
            at_vantage = {**dict(client_ip=client_ip, server_ip=server_ip, packets_c2s=10, packets_s2c=10), **extra}
            self.insert("flow_vantage", flow_id=n, vantage_id=vantage, position=position,
                        client_port=40000 + n % 20000, server_port=server_port, first_ns=start,
                        last_ns=end, **at_vantage)
        return n

    def path_row(self, flow, direction, src, dst, sent, **counts):
        """One direction between two vantage points, the next leg of its flow; what is not lost and the like was delivered."""
        gone = sum(counts.get(k, 0) for k in ("lost", "misaddressed", "capture_missed", "unjudged"))
        values = dict(delivered=sent - gone, bytes_sent=0)
        values.update(counts)
        arrived = sum(values.get(k, 0) for k in (
            "delivered", "misaddressed", "duplicated", "injected", "sender_missed"))
        leg = self.db.execute("SELECT count(*) FROM path WHERE flow_id = ? AND direction = ?",
                              [flow, direction]).fetchone()[0]
        self.insert("path", flow_id=flow, leg=leg, direction=direction, from_vantage_id=src, to_vantage_id=dst,
                    sent=sent, received=arrived, **values)

    def event(self, flow, direction, kind, src, dst, at=0.0, flags=PSHACK, length=1448, seq=1, frame=None,
              reason="not-covered", **values):
        self.events += 1
        when = T0 + int(at * SECOND)
        sides = {}
        if kind not in ("injected", "sender_missed"):
            sides.update(sent_file_id=src, sent_frame=frame or 10 + self.events, sent_ns=when)
        if kind not in ("lost", "capture_missed", "unjudged"):
            sides.update(received_file_id=dst, received_frame=frame or 10 + self.events, received_ns=when)
        sides.update(values)
        self.insert("segment_event", id=self.events, flow_id=flow, direction=direction, kind=kind, seq=seq,
                    length=length, segments=1, tcp_flags=flags, from_vantage_id=src, to_vantage_id=dst,
                    reason=reason, **sides)
        return self.events

    def lose(self, flow, direction, src, dst, sent, lost, at=0.0, kind="lost", **path):
        """A path with that many lost data segments, and their events."""
        counts = {kind: lost, "smallest_lost": 1500, "largest_delivered": 1500, **path}
        self.path_row(flow, direction, src, dst, sent, **counts)
        for n in range(lost):
            self.event(flow, direction, kind, src, dst, at=at + n * 0.01, seq=1 + n * 1448)

    def judge(self, *arguments):
        """Judges and returns the findings by id, as dicts; detail is parsed."""
        self.db.commit()
        done = subprocess.run([self.bothends, "judge", self.path, *arguments], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr)
        self.db.row_factory = sqlite3.Row
        rows = [dict(row) for row in self.db.execute(
            "SELECT f.*, c.kind AS cause, a.name AS from_name, b.name AS to_name,"
            " (SELECT count(*) FROM evidence e WHERE e.finding_id = f.id) AS evidence"
            " FROM finding f LEFT JOIN finding c ON c.id = f.cause_id"
            " LEFT JOIN vantage a ON a.id = f.from_vantage_id"
            " LEFT JOIN vantage b ON b.id = f.to_vantage_id ORDER BY f.id")]
        self.db.row_factory = None
        for row in rows:
            row["detail"] = json.loads(row["detail"])
        return rows

    def evidence(self, finding):
        return self.db.execute(
            "SELECT c.path, e.frame, e.note FROM evidence e LEFT JOIN capture_file c"
            " ON c.id = e.capture_file_id WHERE finding_id = ? ORDER BY e.rowid", [finding]).fetchall()
