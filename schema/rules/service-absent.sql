-- Connections to a service that the server's capture shows nothing of, beside other traffic of the same two hosts (syn-lost)
-- if: SELECT 1 FROM segment_event WHERE reason = 'service-absent'
-- A port that is blocked completely on the way leaves no trace at the far end: as little as one that its capture left
-- out. What tells them apart is the near end: a service that is only left out answers. One connection may have met a
-- dead server; three without any answer, while the same two hosts talk otherwise, are said, with the condition.
-- Somebody was answered: the capture left the service out.
CREATE TEMP TABLE answered AS
SELECT DISTINCT f.server_ip, f.server_port
FROM segment_event e JOIN flow f ON f.id = e.flow_id
WHERE e.reason = 'service-absent' AND f.outcome != 'unanswered';

CREATE TEMP TABLE verdict AS
SELECT from_vantage_id || ',' || to_vantage_id || ',' || server_ip || ',' || server_port AS key, *
FROM (SELECT e.from_vantage_id, e.to_vantage_id, f.server_ip, f.server_port, count(DISTINCT f.id) AS flows,
		sum(e.segments) AS syns, count(DISTINCT f.client_ip) AS clients, min(f.client_ip) AS client_ip,
		min(ref_ns(e.from_vantage_id, e.sent_ns)) AS first_ns, max(ref_ns(e.from_vantage_id, e.sent_ns)) AS last_ns
	FROM segment_event e
	JOIN flow f ON f.id = e.flow_id
	WHERE e.reason = 'service-absent' AND e.direction = 'c2s' AND e.tcp_flags & 18 = 2 AND f.outcome = 'unanswered'
		AND f.protocol = 'tcp' AND f.pairing NOT IN ('ambiguous', 'proxy')
		AND (f.server_ip, f.server_port) NOT IN (SELECT server_ip, server_port FROM answered)
	GROUP BY e.from_vantage_id, e.to_vantage_id, f.server_ip, f.server_port)
WHERE flows >= 3;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'syn-lost', 'warning', 0.6, f.host_id, v.from_vantage_id, v.to_vantage_id,
	iif(v.clients = 1, v.client_ip, NULL), v.server_ip, v.first_ns, v.last_ns, v.syns, v.syns,
	'none of ' || v.syns || ' SYNs sent by ' || iif(v.clients = 1, v.client_ip, v.clients || ' clients')
		|| ' to ' || endpoint(v.server_ip, v.server_port) || ' is in the capture of ' || t.name
		|| ', which shows other traffic of the same two hosts: lost on the way, unless that capture left out port '
		|| v.server_port,
	'check that the capture on ' || t.name || ' was not filtered by port; if it was not, check routes, security groups and '
		|| 'firewalls for port ' || v.server_port || ' between ' || f.name || ' and ' || t.name,
	json_object('flows', v.flows, 'port', v.server_port, 'sources', v.clients, 'condition', 'not filtered by port')
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'SYN ' || n || ' of ' || syns
FROM (SELECT v.key, v.syns, e.id AS event_id, row_number() OVER (PARTITION BY v.key ORDER BY e.sent_ns, e.id) AS n
	FROM verdict v
	JOIN segment_event e ON e.from_vantage_id = v.from_vantage_id AND e.to_vantage_id = v.to_vantage_id
	JOIN flow f ON f.id = e.flow_id AND f.server_ip = v.server_ip AND f.server_port = v.server_port
	WHERE e.reason = 'service-absent' AND e.direction = 'c2s' AND e.tcp_flags & 18 = 2 AND f.outcome = 'unanswered')
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
