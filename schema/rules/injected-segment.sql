-- Segments arrived that the peer never sent
-- if: SELECT 1 FROM leg WHERE injected > 0 UNION ALL SELECT 1 FROM foreign_reset UNION ALL SELECT 1 FROM lone_reset
-- The sending side's capture covered the time and lacks them; where it is known to lack others too the
-- engine says sender_missed instead. One for each leg. A reset that answers a SYN which the server's capture lacks
-- too (foreign_reset) was never sent by the server either, nor were resets that are all that a capture lacks (lone_reset).
CREATE TEMP TABLE proof AS
SELECT *, row_number() OVER (PARTITION BY from_vantage_id, to_vantage_id
	ORDER BY NOT tcp_flags & 4, at_ns, event_id) AS n
FROM (
	SELECT e.id AS event_id, e.from_vantage_id, e.to_vantage_id, e.flow_id, e.direction, e.tcp_flags,
		e.segments, e.reason, e.at_ns, f.outcome, f.client_ip, f.server_ip, 0 AS is_foreign
	FROM leg g
	CROSS JOIN event e ON e.kind = 'injected' AND e.from_vantage_id = g.from_vantage_id
		AND e.to_vantage_id = g.to_vantage_id
	CROSS JOIN flow f ON f.id = e.flow_id
	WHERE g.injected > 0 AND f.pairing NOT IN ('ambiguous', 'proxy')
	UNION ALL
	SELECT event_id, from_vantage_id, to_vantage_id, flow_id, 's2c', 4, segments, reason, at_ns, 'refused', client_ip,
		server_ip, 1
	FROM foreign_reset
	UNION ALL
	SELECT r.event_id, r.from_vantage_id, r.to_vantage_id, r.flow_id, r.direction, 4, r.segments, r.reason, r.at_ns, f.outcome,
		f.client_ip, f.server_ip, 1
	FROM lone_reset r JOIN flow f ON f.id = r.flow_id
	WHERE f.pairing NOT IN ('ambiguous', 'proxy'));

CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY g.from_vantage_id, g.to_vantage_id) AS key,
	g.from_vantage_id, g.to_vantage_id, g.injected + sum(p.segments * p.is_foreign) AS injected, g.received,
	g.sender_missed - sum(p.segments * p.is_foreign) AS sender_missed,
	sum(p.segments * (p.tcp_flags & 4 != 0)) AS resets,
	count(DISTINCT p.flow_id) AS flows,
	count(DISTINCT CASE WHEN p.tcp_flags & 4 AND p.outcome IN ('reset', 'refused') THEN p.flow_id END) AS broken,
	sum(p.reason = 'ttl') AS by_ttl, min(p.at_ns) AS first_ns, max(p.at_ns) AS last_ns,
	CASE WHEN min(CASE p.direction WHEN 'c2s' THEN p.client_ip ELSE p.server_ip END)
		= max(CASE p.direction WHEN 'c2s' THEN p.client_ip ELSE p.server_ip END)
		THEN min(CASE p.direction WHEN 'c2s' THEN p.client_ip ELSE p.server_ip END) END AS src_ip,
	CASE WHEN min(CASE p.direction WHEN 'c2s' THEN p.server_ip ELSE p.client_ip END)
		= max(CASE p.direction WHEN 'c2s' THEN p.server_ip ELSE p.client_ip END)
		THEN min(CASE p.direction WHEN 'c2s' THEN p.server_ip ELSE p.client_ip END) END AS dst_ip
FROM leg g
JOIN proof p ON p.from_vantage_id = g.from_vantage_id AND p.to_vantage_id = g.to_vantage_id
JOIN vantage f ON f.id = g.from_vantage_id AND f.trust != 'unfit'
GROUP BY g.from_vantage_id, g.to_vantage_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'injected-segment',
	CASE WHEN v.broken > 0 THEN 'critical' ELSE 'warning' END,
	CASE WHEN v.sender_missed > 0 THEN 0.6 WHEN f.trust != 'sound' THEN 0.7
		WHEN v.by_ttl > 0 THEN 0.98 ELSE 0.9 END,
	NULL, v.from_vantage_id, v.to_vantage_id, v.src_ip, v.dst_ip, v.first_ns, v.last_ns,
	v.injected, v.received,
	t.name || ' received ' || v.injected || iif(v.injected = 1, ' packet', ' packets') || ' in the name of '
		|| coalesce(v.src_ip, f.name) || ' that ' || f.name || ' never sent'
		|| CASE WHEN v.resets > 0 THEN ' (' || v.resets || ' with RST'
			|| CASE WHEN v.broken > 0 THEN ', ' || v.broken || iif(v.broken = 1, ' connection',
				' connections') || ' cut' ELSE '' END || ')' ELSE '' END,
	'find the device between ' || f.name || ' and ' || t.name || ' that answers for others: firewall, '
		|| 'intrusion prevention, load balancer; compare TTL and MAC of these frames with their neighbours',
	json_object('flows', v.flows, 'broken', v.broken, 'resets', v.resets, 'by_ttl', v.by_ttl)
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, event_id, note)
SELECT v.key, p.event_id, iif(p.tcp_flags & 4, 'RST ', 'segment ') || p.n || ' of ' || v.injected
FROM verdict v
JOIN proof p ON p.from_vantage_id = v.from_vantage_id AND p.to_vantage_id = v.to_vantage_id
WHERE p.n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY v.key, p.n;
