-- Connections were refused, SYN answered with RST (refused), or cut by a RST before either side had closed them (reset)
-- if: SELECT 1 FROM ended_group
-- prepare.sql groups them, and says who sent the RST (direction): of refused ones it is the server.
CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY g.outcome, g.server_ip, g.direction, g.client_vantage_id, g.server_vantage_id,
		g.client_key, g.port_key) AS key, g.*,
	iif(g.direction = 's2c', 'server', 'client') AS sent_by,
	iif(g.direction = 's2c', g.server_vantage_id, g.client_vantage_id) AS from_vantage_id,
	iif(g.direction = 's2c', g.client_vantage_id, g.server_vantage_id) AS to_vantage_id,
	iif(g.direction = 's2c', g.server_ip, g.client_ip) AS src_ip,
	iif(g.direction = 's2c', g.client_ip, g.server_ip) AS dst_ip
FROM ended_group g;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, v.outcome,
	CASE WHEN v.outcome = 'refused' AND v.ended = v.total AND v.ended >= 3 THEN 'warning'
		WHEN v.outcome = 'reset' AND v.ended >= 5 AND 2 * v.ended >= v.total THEN 'warning' ELSE 'notice' END,
	-- Seen from one side alone, something on the way may have answered for the other.
	CASE WHEN v.complete THEN 1 ELSE 0.8 END,
	s.host_id, v.from_vantage_id, nullif(v.to_vantage_id, v.from_vantage_id), v.src_ip, v.dst_ip,
	v.first_ns, v.last_ns, v.ended, v.total,
	iif(v.total = 1, 'the only connection', v.ended || ' of ' || v.total || ' connections') || ' from '
		|| coalesce(v.client_ip, v.clients || ' clients') || ' to '
		|| coalesce(endpoint(v.server_ip, v.server_port), v.server_ip || ' (' || v.ports || ' ports)')
		|| iif(v.ended = 1, ' was ', ' were ')
		|| CASE v.outcome WHEN 'refused' THEN 'refused with a RST' ELSE 'cut by a RST of the ' || v.sent_by END
		|| iif(v.complete, '', ' (one capture alone: a device on the way may have sent the RST for it)')
		|| iif(v.outcome = 'reset' AND b.boots > 1, ', which was started anew in between (its boot id)', ''),
	CASE v.outcome WHEN 'refused' THEN 'on ' || v.server_ip || ': check that the service runs and listens'
			|| coalesce(' on port ' || v.server_port, '') || ' (`ss -ltn`), and for reject rules'
		ELSE iif(b.boots > 1, 'nothing, if the restart was meant: connections from before it end like this; else ', '')
			|| 'ask the application on ' || coalesce(v.src_ip, 'the clients')
			|| ' why it aborts (timeouts, crashes, closing with data unread)' END,
	CASE v.outcome WHEN 'refused' THEN json_object('flows', v.ended, 'broken', v.ended, 'port', v.server_port,
			'clients', v.clients)
		ELSE json_object('flows', v.ended, 'port', v.server_port, 'clients', v.clients, 'sent_by', v.sent_by) END
FROM verdict v
JOIN vantage s ON s.id = v.from_vantage_id
LEFT JOIN (SELECT host_id, count(DISTINCT value) AS boots FROM host_fact WHERE key = 'host.boot_id' GROUP BY host_id) b
	ON b.host_id = s.host_id;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, note FROM (
	SELECT v.key, p.capture_file_id, p.frame, e.flow_id,
		CASE v.outcome WHEN 'refused' THEN CASE p.is_reset WHEN 1 THEN 'RST in answer to SYN' WHEN 0 THEN 'SYN'
				ELSE 'refused connection' END
			ELSE iif(p.frame IS NULL, 'connection ended by RST', 'RST') END AS note,
		row_number() OVER (PARTITION BY v.key ORDER BY p.frame IS NULL, e.first_ns, e.flow_id, p.is_reset,
			p.capture_file_id, p.frame) AS n
	FROM verdict v
	JOIN ended e ON e.outcome = v.outcome AND e.direction = v.direction
		AND e.server_ip = v.server_ip AND e.client_vantage_id = v.client_vantage_id
		AND e.server_vantage_id = v.server_vantage_id
		AND (v.client_key IS NULL OR e.client_ip = v.client_key)
		AND (v.port_key IS NULL OR e.server_port = v.port_key)
	LEFT JOIN reset_packet p ON p.flow_id = e.flow_id
		AND iif(p.is_reset, p.direction = v.direction, v.outcome = 'refused' AND p.direction = 'c2s'))
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
