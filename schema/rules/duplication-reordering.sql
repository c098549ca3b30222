-- Segments arrived more than once (duplication, RFC 5560), or after later ones (reordering, RFC 4737)
-- if: SELECT 1 FROM leg WHERE duplicated > 0 OR reordered > 0
-- Retransmissions are neither: arrivals are counted against the order in which each copy was sent. Copies that
-- a capture made itself are not counted here (vantage.duplicates). One of each for each leg.
CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY g.kind, g.from_vantage_id, g.to_vantage_id) AS key, g.*
FROM (SELECT 'duplication' AS kind, 'duplicated' AS event_kind, duplicated AS n, from_vantage_id, to_vantage_id, sent,
		delivered FROM leg
	UNION ALL
	SELECT 'reordering', 'reordered', reordered, from_vantage_id, to_vantage_id, sent, delivered FROM leg) g
JOIN vantage f ON f.id = g.from_vantage_id AND f.trust != 'unfit'
JOIN vantage t ON t.id = g.to_vantage_id AND t.trust != 'unfit'
WHERE g.n >= (SELECT value FROM setting WHERE key = g.kind || '_min_segments')
	AND g.n >= g.sent * (SELECT value FROM setting WHERE key = g.kind || '_min_rate');

CREATE TEMP TABLE proof AS
SELECT v.key, v.kind, v.n AS total, e.id AS event_id, e.flow_id, e.at_ns, f.client_ip, f.server_ip, e.direction,
	row_number() OVER (PARTITION BY v.key ORDER BY e.at_ns, e.id) AS n
FROM verdict v
CROSS JOIN event e ON e.kind = v.event_kind AND e.from_vantage_id = v.from_vantage_id
	AND e.to_vantage_id = v.to_vantage_id
CROSS JOIN flow f ON f.id = e.flow_id;
CREATE INDEX temp.proof_by_key ON proof(key);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, v.kind, CASE WHEN v.n >= 0.05 * v.sent THEN 'warning' ELSE 'notice' END,
	CASE WHEN f.trust = 'sound' AND t.trust = 'sound' THEN 0.98 ELSE 0.8 END,
	NULL, v.from_vantage_id, v.to_vantage_id, p.src_ip, p.dst_ip, p.first_ns, p.last_ns, v.n, v.sent,
	CASE v.kind WHEN 'duplication' THEN t.name || ' received ' || v.n || ' extra ' || iif(v.n = 1, 'copy', 'copies') || ' of the '
			|| v.sent || ' packets that ' || f.name || ' sent (' || percent(1.0 * v.n / max(v.sent, 1)) || ')'
		ELSE percent(1.0 * v.n / max(v.delivered, 1)) || ' of the packets from ' || f.name || ' arrived at ' || t.name
			|| ' after later ones (' || v.n || ' of ' || v.delivered || ')' END,
	CASE v.kind WHEN 'duplication' THEN 'look for a loop, a mirror port that feeds back, or a redundant path that '
			|| 'sends both copies, between ' || f.name || ' and ' || t.name
		ELSE 'expected in small amounts with several paths or queues; much of it makes TCP retransmit without '
			|| 'need: look for per-packet balancing between ' || f.name || ' and ' || t.name END,
	json_object('flows', p.flows, 'rate', round(1.0 * v.n / max(v.sent, 1), 6))
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id
LEFT JOIN (SELECT key, count(DISTINCT flow_id) AS flows, min(at_ns) AS first_ns, max(at_ns) AS last_ns,
		CASE WHEN min(iif(direction = 'c2s', client_ip, server_ip))
			= max(iif(direction = 'c2s', client_ip, server_ip))
			THEN min(iif(direction = 'c2s', client_ip, server_ip)) END AS src_ip,
		CASE WHEN min(iif(direction = 'c2s', server_ip, client_ip))
			= max(iif(direction = 'c2s', server_ip, client_ip))
			THEN min(iif(direction = 'c2s', server_ip, client_ip)) END AS dst_ip
	FROM proof GROUP BY key) p ON p.key = v.key;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, iif(kind = 'duplication', 'extra copy ', 'late packet ') || n || ' of ' || total FROM proof
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
