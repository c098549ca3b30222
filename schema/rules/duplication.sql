-- Segments arrived more than once (RFC 5560)
-- if: SELECT 1 FROM leg WHERE duplicated > 0
-- Retransmissions are no duplicates, and copies that a capture made itself are not counted here
-- (vantage.duplicates). One for each leg.
CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY g.from_vantage_id, g.to_vantage_id) AS key,
	g.from_vantage_id, g.to_vantage_id, g.duplicated AS n, g.sent, g.delivered
FROM leg g
JOIN vantage f ON f.id = g.from_vantage_id AND f.trust != 'unfit'
JOIN vantage t ON t.id = g.to_vantage_id AND t.trust != 'unfit'
WHERE g.duplicated >= (SELECT value FROM setting WHERE key = 'duplication_min_segments')
	AND g.duplicated >= g.sent * (SELECT value FROM setting WHERE key = 'duplication_min_rate');

CREATE TEMP TABLE proof AS
SELECT v.key, v.n AS total, e.id AS event_id, e.flow_id, e.at_ns, f.client_ip, f.server_ip, e.direction,
	row_number() OVER (PARTITION BY v.key ORDER BY e.at_ns, e.id) AS n
FROM verdict v
CROSS JOIN event e ON e.kind = 'duplicated' AND e.from_vantage_id = v.from_vantage_id
	AND e.to_vantage_id = v.to_vantage_id
CROSS JOIN flow f ON f.id = e.flow_id;
CREATE INDEX temp.proof_by_id ON proof(key);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'duplication', CASE WHEN v.n >= 0.05 * v.sent THEN 'warning' ELSE 'notice' END,
	CASE WHEN f.trust = 'sound' AND t.trust = 'sound' THEN 0.98 ELSE 0.8 END,
	NULL, v.from_vantage_id, v.to_vantage_id, p.src_ip, p.dst_ip, p.first_ns, p.last_ns, v.n, v.sent,
	v.n || ' extra copies arrived of ' || v.sent || ' segments (' || percent(1.0 * v.n / max(v.sent, 1)) || ')',
	'look for a loop, a mirror port that feeds back, or a redundant path that sends both copies, between '
		|| f.name || ' and ' || t.name,
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
SELECT key, event_id, 'extra copy ' || n || ' of ' || total FROM proof
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
