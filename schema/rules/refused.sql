-- Connections were refused: the server's host answered SYN with RST
-- if: SELECT 1 FROM ended_group WHERE outcome = 'refused'
CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY g.server_ip,
		g.direction, g.client_vantage_id, g.server_vantage_id, g.client_key, g.port_key) AS key, g.*
FROM ended_group g WHERE g.outcome = 'refused';

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'refused',
	CASE WHEN v.ended = v.total AND v.ended >= 3 THEN 'warning' ELSE 'notice' END,
	-- Seen from the client's side alone, something on the way may have answered for the server.
	CASE WHEN v.complete THEN 1 ELSE 0.8 END,
	s.host_id, v.server_vantage_id, nullif(v.client_vantage_id, v.server_vantage_id),
	v.server_ip, v.client_ip, v.first_ns, v.last_ns, v.ended, v.total,
	v.ended || ' of ' || v.total || ' connections from '
		|| coalesce(v.client_ip, v.clients || ' clients') || ' to '
		|| coalesce(endpoint(v.server_ip, v.server_port), v.server_ip || ' (' || v.ports || ' ports)')
		|| ' were refused with RST' || iif(v.complete, '', ', as seen from one side'),
	'on ' || v.server_ip || ': check that the service runs and listens'
		|| coalesce(' on port ' || v.server_port, '') || ' (ss -ltn), and for reject rules',
	json_object('flows', v.ended, 'broken', v.ended, 'port', v.server_port, 'clients', v.clients)
FROM verdict v
JOIN vantage s ON s.id = v.server_vantage_id;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, note FROM (
	SELECT v.key, p.capture_file_id, p.frame, e.flow_id,
		CASE WHEN p.frame IS NULL THEN 'refused connection' ELSE 'RST in answer to SYN' END AS note,
		row_number() OVER (PARTITION BY v.key ORDER BY p.frame IS NULL, e.first_ns, e.flow_id, p.frame)
			AS n
	FROM verdict v
	JOIN ended e ON e.outcome = v.outcome AND e.direction = v.direction
		AND e.server_ip = v.server_ip AND e.client_vantage_id = v.client_vantage_id
		AND e.server_vantage_id = v.server_vantage_id
		AND (v.client_key IS NULL OR e.client_ip = v.client_key)
		AND (v.port_key IS NULL OR e.server_port = v.port_key)
	LEFT JOIN reset_packet p ON p.flow_id = e.flow_id AND p.direction = 's2c')
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
