-- Packets above a size never arrive, smaller ones do
-- if: SELECT 1 FROM pmtu_pair
-- The ends come from prepare.sql (pmtu_pair): every lost packet with payload is larger than everything
-- that ever arrived between them. ICMP that says so settles it.
CREATE TEMP TABLE told AS
SELECT quoted_src_ip, quoted_dst_ip, count(*) AS messages, min(mtu) AS mtu, min(src_ip) AS said_by,
	min(capture_file_id) AS capture_file_id, min(frame) AS frame
FROM icmp_error
WHERE (version = 4 AND type = 3 AND code = 4) OR (version = 6 AND type = 2)
GROUP BY quoted_src_ip, quoted_dst_ip;

CREATE TEMP TABLE verdict AS
WITH crowd AS (SELECT from_vantage_id, to_vantage_id, count(*) AS pairs FROM pmtu_pair
	GROUP BY from_vantage_id, to_vantage_id)
SELECT row_number() OVER (ORDER BY p.from_vantage_id,
		p.to_vantage_id, min(p.src_ip), min(p.dst_ip)) AS key,
	p.from_vantage_id, p.to_vantage_id, sum(p.lost) AS lost, sum(p.sent) AS sent, sum(p.flows) AS flows,
	sum(p.bytes) AS bytes, min(p.smallest_lost) AS smallest_lost,
	max(p.largest_delivered) AS largest_delivered, min(p.trusted) AS trusted,
	CASE WHEN min(p.src_ip) = max(p.src_ip) THEN min(p.src_ip) END AS src_ip,
	CASE WHEN min(p.dst_ip) = max(p.dst_ip) THEN min(p.dst_ip) END AS dst_ip,
	min(p.first_ns) AS first_ns, max(p.last_ns) AS last_ns,
	CASE WHEN c.pairs <= (SELECT value FROM setting WHERE key = 'pairs_max')
		THEN p.direction || p.client_ip || ' ' || p.server_ip END AS pair_key,
	sum(t.messages) AS messages, min(t.mtu) AS mtu, min(t.said_by) AS said_by,
	min(t.capture_file_id) AS capture_file_id, min(t.frame) AS frame
FROM pmtu_pair p
JOIN crowd c ON c.from_vantage_id = p.from_vantage_id AND c.to_vantage_id = p.to_vantage_id
LEFT JOIN told t ON t.quoted_src_ip = p.src_ip AND t.quoted_dst_ip = p.dst_ip
GROUP BY p.from_vantage_id, p.to_vantage_id, pair_key
-- where the pairs are one finding their sizes must still part
HAVING min(p.smallest_lost) > max(p.largest_delivered);

CREATE TEMP TABLE proof AS
SELECT v.key, v.lost, e.id AS event_id, e.at_ns,
	row_number() OVER (PARTITION BY v.key ORDER BY e.at_ns, e.id) AS n
FROM verdict v
CROSS JOIN lossy l ON l.pmtu AND l.from_vantage_id = v.from_vantage_id
	AND l.to_vantage_id = v.to_vantage_id
	AND (v.pair_key IS NULL OR v.pair_key = l.direction || l.client_ip || ' ' || l.server_ip)
CROSS JOIN event e ON e.flow_id = l.flow_id AND e.direction = l.direction
	AND e.from_vantage_id = l.from_vantage_id AND e.to_vantage_id = l.to_vantage_id
WHERE e.kind IN ('lost', 'misaddressed') AND e.length > 0;
CREATE INDEX temp.proof_by_id ON proof(key);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'pmtu-blackhole',
	-- one flow alone may have met its end in another way
	CASE WHEN v.messages > 0 OR v.flows > 1 THEN 'critical' ELSE 'warning' END,
	-- Several flows: small packets of one passed after large ones of another were lost.
	min(CASE WHEN v.messages > 0 THEN 1 WHEN v.flows > 1 AND v.largest_delivered >= 200 THEN 0.97
		WHEN v.flows > 1 THEN 0.9 ELSE 0.75 END, v.trusted),
	NULL, v.from_vantage_id, v.to_vantage_id, v.src_ip, v.dst_ip,
	coalesce((SELECT min(at_ns) FROM proof p WHERE p.key = v.key), v.first_ns),
	coalesce((SELECT max(at_ns) FROM proof p WHERE p.key = v.key), v.last_ns),
	v.lost, v.sent,
	'all ' || v.lost || ' packets of ' || v.smallest_lost || ' bytes or more from ' || coalesce(v.src_ip, f.name) || ' to '
		|| coalesce(v.dst_ip, t.name) || ' are lost; those of up to ' || v.largest_delivered
		|| ' bytes arrive; ' || CASE WHEN v.messages > 0 THEN v.said_by || ' answers "too big"'
			|| coalesce(', MTU ' || v.mtu, '') ELSE 'no ICMP "too big" was seen' END,
	'let ICMP "fragmentation needed" (IPv6: "packet too big") reach ' || coalesce(v.src_ip, f.name)
		|| ', or lower its MTU towards ' || coalesce(v.dst_ip, t.name) || ' to '
		|| coalesce(v.mtu, 'what passes, ' || v.largest_delivered || ' or more but less than '
			|| v.smallest_lost)
		|| ' (ip route change ... mtu), or clamp the MSS on the way',
	json_object('flows', v.flows, 'broken', v.flows, 'bytes', v.bytes, 'smallest_lost', v.smallest_lost,
		'largest_delivered', v.largest_delivered, 'icmp_messages', coalesce(v.messages, 0),
		'icmp_mtu', v.mtu, 'icmp_from', v.said_by)
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, capture_file_id, frame, 'ICMP "too big"' || coalesce(', MTU ' || mtu, '') FROM verdict
WHERE frame IS NOT NULL;
INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'packet ' || n || ' of ' || lost || ' above the size' FROM proof
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
