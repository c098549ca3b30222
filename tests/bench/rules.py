#!/usr/bin/env python3
"""Times judging a database of many flows and events. usage: rules.py BOTHENDS DBTOOL [FLOWS [EVENTS]]

Makes the database (1 million flows, 100,000 events) in a temporary folder, then judges it three times
and prints the seconds; with --plan, the seconds of each rule instead. A benchmark, not a test: nothing
fails here.
"""
import os
import subprocess
import sys
import tempfile
import time

FACTS = """
INSERT INTO host VALUES (1, 'client'), (2, 'server');
INSERT INTO vantage (id, host_id, name, kind, interface, mac, trust, trust_reasons, first_ns, last_ns) VALUES
	(1, 1, 'client', 'nic', 'eth0', '02:00:00:00:00:01', 'sound', '[]', 0, 3600000000000),
	(2, 2, 'server', 'nic', 'eth0', '02:00:00:00:00:02', 'sound', '[]', 0, 3600000000000);
INSERT INTO capture_file VALUES
	(1, 1, 1, 'client.pcapng', 'pcapng', 'none', 96, 20000000, 1, 0, 3600000000000, 0, NULL, NULL, '1', NULL),
	(2, 2, 2, 'server.pcapng', 'pcapng', 'none', 96, 20000000, 1, 0, 3600000000000, 0, NULL, NULL, '2', NULL);
INSERT INTO capture_interface VALUES (1, 0, 1, 'eth0', 1, 96, NULL), (2, 0, 2, 'eth0', 1, 96, NULL);
INSERT INTO clock VALUES (1, 1, 0, 3600000000000, 0, 0, 0, 0, 'reference', 0),
	(2, 1, 0, 1800000000000, 5000000000, 4999900000, 5000100000, 20, 'both directions', 1000),
	(2, 1, 1800000000001, 3600000000000, 5000036000, 4999936000, 5000136000, 20, 'both directions', 1000);

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :flows)
INSERT INTO flow SELECT i, 'tcp', '10.1.' || (i % 1000 / 250) || '.' || (i % 250 + 1), 1024 + i % 60000,
	'10.2.0.' || (i % 50 + 1), CASE i % 3 WHEN 0 THEN 443 WHEN 1 THEN 5432 ELSE 27017 END, i, i,
	i * 3600000, i * 3600000 + 500000000,
	CASE WHEN i % 500 = 0 THEN 'reset' WHEN i % 700 = 0 THEN 'refused' WHEN i % 900 = 0 THEN 'unanswered'
		ELSE 'closed' END, 1, 'isn' FROM n;
INSERT INTO flow_vantage SELECT id, 1, 0, client_ip, client_port, server_ip, server_port, 0, 0, first_ns, last_ns,
	10, 10, 5000, 50000, 1, 1, outcome = 'closed', 0, 0, outcome IN ('reset', 'refused'), 0, 0, 64, 60, 1460, 1460
	FROM flow;
INSERT INTO flow_vantage SELECT id, 2, 1, client_ip, client_port, server_ip, server_port, 0, 0,
	first_ns + 5000000000, last_ns + 5000000000,
	10, 10, 5000, 50000, 1, 1, outcome = 'closed', 0, 0, outcome IN ('reset', 'refused'), 0, 0, 60, 64, 1460, 1460
	FROM flow;

-- Every tenth flow or so has an event on its way back; the kinds take turns.
CREATE TEMP TABLE k AS SELECT column1 AS kind, column2 AS i FROM (VALUES ('lost', 0), ('lost', 1), ('lost', 2),
	('lost', 3), ('lost', 4), ('capture_missed', 5), ('sender_missed', 6), ('reordered', 7), ('duplicated', 8),
	('unjudged', 9));
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :events)
INSERT INTO segment_event SELECT n.i, n.i * (:flows / :events), 's2c', k.kind, n.i, iif(n.i % 7, 1448, 0), 1,
	iif(n.i % 7, 24, 18), 2,
	iif(k.i IN (6), NULL, 2), iif(k.i IN (6), NULL, n.i), iif(k.i IN (6), NULL, n.i * 36000000), 1,
	iif(k.i IN (6, 7, 8), 1, NULL), iif(k.i IN (6, 7, 8), n.i, NULL), iif(k.i IN (6, 7, 8), n.i * 36000000, NULL),
	'not-covered', NULL, NULL, NULL, iif(k.i IN (5, 6), 0, NULL)
FROM n JOIN k ON k.i = n.i % 10;
INSERT INTO path
SELECT f.id, 0, d.column1, iif(d.column1 = 'c2s', 1, 2), iif(d.column1 = 'c2s', 2, 1), 20,
	20 - coalesce(e.kind IN ('lost', 'capture_missed', 'unjudged'), 0), 0, coalesce(e.kind = 'lost', 0),
	coalesce(e.kind = 'capture_missed', 0), coalesce(e.kind = 'unjudged', 0), 20,
	coalesce(e.kind = 'duplicated', 0), 0, coalesce(e.kind = 'sender_missed', 0), 0,
	coalesce(e.kind = 'reordered', 0), 1, 1, coalesce(e.kind = 'lost' AND e.tcp_flags = 18, 0),
	20000, 20000, 0, 0, 0, 0, 20000, 0, 0, 0, 1448, 1500, iif(e.kind = 'lost' AND e.length, 1500, NULL), 0,
	100000, 200000, 300000
FROM flow f
CROSS JOIN (VALUES ('c2s'), ('s2c')) d
LEFT JOIN segment_event e ON d.column1 = 's2c' AND f.id % (:flows / :events) = 0
	AND e.id = f.id / (:flows / :events);
INSERT INTO mac_use (vantage_id, ip, mac, role, frames, first_ns, last_ns, first_file_id, first_frame, ttl_max,
	outgoing)
SELECT 2, ip, '02:00:00:00:00:01', r.column1, 1000, 0, 3600000000000, 2, 1, 60, r.column1 = 'destination'
FROM (SELECT DISTINCT client_ip AS ip FROM flow), (VALUES ('source'), ('destination')) r;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 3599)
INSERT INTO activity SELECT v.id, n.i * 1000000000, 5000, 5000, 500000, 500000 FROM vantage v, n;
INSERT INTO packet SELECT 2, sent_frame, sent_ns, 0, flow_id, 's2c', '02:00:00:00:00:02', '02:00:00:00:00:01',
	'10.2.0.1', 443, '10.1.0.1', 1024, 1, 1, length, tcp_flags, 1, 64, NULL, 2
FROM segment_event WHERE id <= 20000 AND sent_frame IS NOT NULL;
"""


def main():
    bothends, dbtool = sys.argv[1:3]
    numbers = [int(a) for a in sys.argv[3:] if a.isdigit()]
    flows, events = (numbers + [1000000, 100000][len(numbers):])[:2]
    with tempfile.TemporaryDirectory() as folder:
        facts, path = os.path.join(folder, "facts.sql"), os.path.join(folder, "bench.db")
        with open(facts, "w", encoding="utf-8") as f:
            f.write(FACTS.replace(":flows", str(flows)).replace(":events", str(events)))
        began = time.monotonic()
        subprocess.run([dbtool, "facts", path, facts], check=True)
        print(f"made {flows} flows, {events} events in {time.monotonic() - began:.1f} s, "
              f"{os.path.getsize(path) / 1e6:.0f} MB", flush=True)
        if "--plan" in sys.argv:
            subprocess.run([dbtool, "time", path], check=True)
            return
        for _ in range(3):
            began = time.monotonic()
            subprocess.run([bothends, "judge", path], check=True)
            print(f"judged in {time.monotonic() - began:.2f} s", flush=True)
        began = time.monotonic()
        subprocess.run([bothends, "report", path, "-o", os.path.join(folder, "report.txt")], check=True)
        print(f"reported in {time.monotonic() - began:.2f} s")


if __name__ == "__main__":
    main()
