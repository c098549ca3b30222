-- Packets that a host's kernel dropped, by its own word (host-drop, firewall-drop)
-- if: SELECT 1 FROM kernel_drop
-- The agent records each with the kernel's reason (--drops). One finding for each reason, way, pair of addresses and port of the
-- server while they are few. Those that came in had reached the host's interface; those that the host made never left it: neither is a loss on the
-- way between the hosts.
CREATE TEMP TABLE kd_told AS
SELECT d.*, CASE WHEN d.direction = 's2c' THEN d.src_port ELSE d.dst_port END AS port,
	f.outcome IN ('unanswered', 'half_open') AS broken
FROM told_drop d LEFT JOIN flow f ON f.id = d.flow_id;
CREATE TEMP TABLE kd_crowd AS
SELECT c.vantage_id, c.reason, c.way, c.pairs > s.value AS pairs, c.services > s.value AS services
FROM (SELECT vantage_id, reason, way, count(DISTINCT src_ip || '>' || dst_ip) AS pairs,
		count(DISTINCT src_ip || '>' || dst_ip || ' ' || protocol || ' ' || coalesce(port, '')) AS services
	FROM kd_told GROUP BY vantage_id, reason, way) c
JOIN setting s ON s.key = 'pairs_max';

CREATE TEMP TABLE kd_drop AS
SELECT d.*, c.pairs AS crowd, 'kernel ' || d.vantage_id || ' ' || d.way || ' ' || d.reason
		|| iif(c.pairs, '', ' ' || d.src_ip || '>' || d.dst_ip)
		|| iif(c.services, '', ' ' || d.protocol || ' ' || coalesce(d.port, '')) AS key
FROM kd_told d
JOIN kd_crowd c ON c.vantage_id = d.vantage_id AND c.reason = d.reason AND c.way = d.way;
CREATE INDEX temp.kd_drop_by_key ON kd_drop(key);

-- All packets of those conversations and that direction at the host's interface.
CREATE TEMP TABLE kd_total AS
SELECT x.key, sum(iif(x.direction = 'c2s', w.packets_c2s, w.packets_s2c)) AS packets
FROM (SELECT DISTINCT key, flow_id, direction, seen_vantage_id FROM kd_drop WHERE seen_vantage_id IS NOT NULL) x
JOIN flow_vantage w ON w.flow_id = x.flow_id AND w.vantage_id = x.seen_vantage_id
GROUP BY x.key;

CREATE TEMP TABLE kd_found AS
SELECT key, host_id, vantage_id, way, reason, class, meaning, remedy, counter, max(crowd) AS crowd,
	iif(max(crowd), NULL, min(src_ip)) AS src_ip, iif(max(crowd), NULL, min(dst_ip)) AS dst_ip,
	iif(min(port) = max(port), min(port), NULL) AS port, count(*) AS records, sum(segments) AS packets,
	count(DISTINCT flow_id) AS flows, count(DISTINCT iif(broken, flow_id, NULL)) AS broken,
	sum(iif(seen_frame IS NULL, 0, segments)) AS seen, sum(iif(sent_frame IS NULL, 0, segments)) AS sent,
	min(function) AS function, count(DISTINCT function) AS functions, iif(min(interface) = max(interface), min(interface), NULL) AS interface,
	min(seen_vantage_id) AS seen_vantage_id, min(sent_vantage_id) AS sent_vantage_id,
	min(ref_at_ns) AS first_ns, max(ref_at_ns) AS last_ns, min(protocol) AS protocol, count(DISTINCT netns) AS namespaces,
	min(netns) AS netns, coalesce(min(direction = 's2c'), 0) AS answers
FROM kd_drop GROUP BY key;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, f.class || '-drop',
	CASE WHEN f.reason = 'NO_SOCKET' THEN 'notice' WHEN f.packets >= 3 AND f.broken > 0 THEN 'critical' ELSE 'warning' END, 0.99,
	f.host_id, CASE f.way WHEN 'in' THEN f.sent_vantage_id ELSE f.seen_vantage_id END,
	CASE f.way WHEN 'in' THEN f.seen_vantage_id END, f.src_ip, f.dst_ip, f.first_ns, f.last_ns, f.packets,
	iif(f.seen > 0 AND t.packets >= f.packets, t.packets, NULL),
	'the kernel of ' || h.name || ' dropped ' || f.packets || iif(f.seen > 0 AND t.packets >= f.packets, ' of ' || t.packets, '')
		|| iif(f.packets = 1 AND NOT (f.seen > 0 AND t.packets >= f.packets AND t.packets > 1), ' packet', ' packets') || coalesce(' from ' || endpoint(f.src_ip, iif(f.answers, f.port, NULL)), '')
		|| coalesce(' to ' || endpoint(f.dst_ip, iif(f.answers, NULL, f.port)), '')
		|| CASE f.way WHEN 'in' THEN ' that had reached it' ELSE ' before they left it' END || ': ' || f.reason
		|| coalesce(' (' || f.function || '()' || iif(f.functions > 1, ' and others', '') || ')', '') || coalesce(', ' || f.meaning, ''),
	'on ' || h.name || ': ' || coalesce(replace(f.remedy, ' IF', ' ' || coalesce(f.interface, 'IF')),
		'look up the reason in the kernel''s include/net/dropreason-core.h'),
	json_patch('{}', json_object('reason', f.reason, 'meaning', f.meaning, 'function', f.function, 'way', f.way,
		'interface', f.interface, 'netns', iif(f.namespaces = 1, f.netns, NULL), 'flows', f.flows, 'broken', f.broken,
		'port', f.port, 'records', f.records, 'seen', f.seen, 'sent', f.sent, 'counter', f.counter))
FROM kd_found f
JOIN host h ON h.id = f.host_id
LEFT JOIN kd_total t ON t.key = f.key
ORDER BY f.key;

-- The kernel's record, and the same packet at the interface and where it was sent.
CREATE TEMP TABLE kd_proof AS
SELECT *, row_number() OVER (PARTITION BY key ORDER BY ref_at_ns, frame) AS n FROM kd_drop;
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, note FROM (
	SELECT key, n, 1 AS part, sent_file_id AS capture_file_id, sent_frame AS frame, flow_id, 'the packet elsewhere on its way' AS note
	FROM kd_proof WHERE n <= 5 AND sent_frame IS NOT NULL
	UNION ALL
	SELECT key, n, 2, seen_file_id, seen_frame, flow_id, 'the packet at the host''s interface'
	FROM kd_proof WHERE n <= 5 AND seen_frame IS NOT NULL
	UNION ALL
	SELECT key, n, 3, capture_file_id, frame, flow_id, 'dropped by the kernel: ' || reason FROM kd_proof WHERE n <= 5)
ORDER BY key, n, part;
