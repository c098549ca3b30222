-- Connections were cut by a RST before either side had closed them
-- if: SELECT 1 FROM ended_group WHERE outcome = 'reset'
CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY g.server_ip,
		g.direction, g.client_vantage_id, g.server_vantage_id, g.client_key, g.port_key) AS key, g.*
FROM ended_group g WHERE g.outcome = 'reset';

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'reset',
	CASE WHEN v.ended >= 5 AND 2 * v.ended >= v.total THEN 'warning' ELSE 'notice' END,
	CASE WHEN v.complete THEN 1 ELSE 0.8 END,
	CASE v.direction WHEN 's2c' THEN s.host_id ELSE c.host_id END,
	CASE v.direction WHEN 's2c' THEN v.server_vantage_id ELSE v.client_vantage_id END,
	nullif(CASE v.direction WHEN 's2c' THEN v.client_vantage_id ELSE v.server_vantage_id END,
		CASE v.direction WHEN 's2c' THEN v.server_vantage_id ELSE v.client_vantage_id END),
	CASE v.direction WHEN 's2c' THEN v.server_ip ELSE v.client_ip END,
	CASE v.direction WHEN 's2c' THEN v.client_ip ELSE v.server_ip END,
	v.first_ns, v.last_ns, v.ended, v.total,
	v.ended || ' of ' || v.total || ' connections from '
		|| coalesce(v.client_ip, v.clients || ' clients') || ' to '
		|| coalesce(endpoint(v.server_ip, v.server_port), v.server_ip || ' (' || v.ports || ' ports)')
		|| ' were cut by a RST of the ' || CASE v.direction WHEN 's2c' THEN 'server' ELSE 'client' END
		|| iif(v.complete, '', ', as seen from one side')
		|| iif(b.boots > 1, ', which was started anew in between (its boot id)', ''),
	iif(b.boots > 1, 'nothing, if the restart was meant: connections from before it end like this; else ', '')
		|| 'ask the application on ' || CASE v.direction WHEN 's2c' THEN v.server_ip
		ELSE coalesce(v.client_ip, 'the clients') END
		|| ' why it aborts (timeouts, crashes, closing with data unread)',
	json_object('flows', v.ended, 'port', v.server_port, 'clients', v.clients,
		'sent_by', CASE v.direction WHEN 's2c' THEN 'server' ELSE 'client' END)
FROM verdict v
JOIN vantage s ON s.id = v.server_vantage_id
JOIN vantage c ON c.id = v.client_vantage_id
LEFT JOIN (SELECT host_id, count(DISTINCT value) AS boots FROM host_fact WHERE key = 'host.boot_id' GROUP BY host_id) b
	ON b.host_id = CASE v.direction WHEN 's2c' THEN s.host_id ELSE c.host_id END;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, note FROM (
	SELECT v.key, p.capture_file_id, p.frame, e.flow_id,
		CASE WHEN p.frame IS NULL THEN 'connection ended by RST' ELSE 'RST' END AS note,
		row_number() OVER (PARTITION BY v.key ORDER BY p.frame IS NULL, e.first_ns, e.flow_id, p.frame)
			AS n
	FROM verdict v
	JOIN ended e ON e.outcome = v.outcome AND e.direction = v.direction
		AND e.server_ip = v.server_ip AND e.client_vantage_id = v.client_vantage_id
		AND e.server_vantage_id = v.server_vantage_id
		AND (v.client_key IS NULL OR e.client_ip = v.client_key)
		AND (v.port_key IS NULL OR e.server_port = v.port_key)
	LEFT JOIN reset_packet p ON p.flow_id = e.flow_id AND p.direction = v.direction)
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
