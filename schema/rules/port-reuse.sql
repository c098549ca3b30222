-- A SYN met the remains of the connection that used the port before
-- if: SELECT 1 FROM port_reuse
-- The server answers it with an ACK of the old numbers (it still holds that connection, or its TIME-WAIT), or with a
-- reset of these. The client answers such an ACK with an RST, which ends the old one, and its next SYN opens the new one:
-- late. Where either packet is lost it never opens. What the place nearest to the server saw is what the server did.
CREATE TEMP TABLE pr_flow AS
SELECT r.*, x.client_ip, x.server_ip, x.server_port, x.position, f.outcome,
	row_number() OVER (PARTITION BY r.flow_id ORDER BY x.position DESC) AS place,
	-- how it looks from the client's end, whose RST may have been lost on the way
	(SELECT max(o.client_resets) FROM port_reuse o WHERE o.flow_id = r.flow_id) AS resets_sent,
	(SELECT min(o.opened_after_ns) FROM port_reuse o WHERE o.flow_id = r.flow_id) AS opened_ns,
	(SELECT max(y.vantage_id) FROM flow_vantage y WHERE y.flow_id = r.flow_id AND y.position = 0) AS client_vantage_id
FROM port_reuse r
JOIN flow f ON f.id = r.flow_id AND f.pairing NOT IN ('ambiguous', 'proxy')
JOIN flow_vantage x ON x.flow_id = r.flow_id AND x.vantage_id = r.vantage_id
JOIN vantage v ON v.id = r.vantage_id AND v.trust != 'unfit';
DELETE FROM pr_flow WHERE place != 1;

-- Many clients of one service are one finding.
CREATE TEMP TABLE pr_crowd AS
SELECT vantage_id, server_ip, count(DISTINCT client_ip) > (SELECT value FROM setting WHERE key = 'pairs_max') AS crowd,
	count(DISTINCT server_port) > (SELECT value FROM setting WHERE key = 'pairs_max') AS scan
FROM pr_flow GROUP BY vantage_id, server_ip;
CREATE TEMP TABLE pr_found AS
SELECT row_number() OVER (ORDER BY p.vantage_id, p.client_vantage_id, p.server_ip, iif(c.scan, 0, p.server_port),
		iif(c.crowd, '', p.client_ip)) AS key,
	p.vantage_id, p.client_vantage_id, p.server_ip, iif(c.scan, 0, p.server_port) AS server_port,
	iif(c.crowd, NULL, p.client_ip) AS client_key, count(*) AS flows, count(DISTINCT p.client_ip) AS clients,
	min(p.client_ip) AS client_ip, sum(p.opened_ns IS NULL) AS broken, max(p.opened_ns) AS latest_ns,
	sum(p.older_flow_id IS NOT NULL) AS known, min(p.since_ns) AS since_low, max(p.since_ns) AS since_high,
	sum(p.challenges) AS challenges, sum(p.client_resets) AS resets_arrived, sum(p.resets_sent) AS client_resets, sum(p.server_resets) AS server_resets,
	min(p.syn_ns) AS first_ns, max(p.syn_ns + coalesce(p.opened_ns, 0)) AS last_ns
FROM pr_flow p
JOIN pr_crowd c ON c.vantage_id = p.vantage_id AND c.server_ip = p.server_ip
GROUP BY p.vantage_id, p.client_vantage_id, p.server_ip, iif(c.scan, 0, p.server_port), iif(c.crowd, '', p.client_ip);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'port-reuse', CASE WHEN f.broken >= 3 THEN 'critical' WHEN f.broken > 0 OR f.flows >= 3 THEN 'warning' ELSE 'notice' END,
	CASE WHEN f.known = f.flows THEN 0.97 WHEN f.client_resets > 0 THEN 0.9 ELSE 0.75 END,
	(SELECT min(a.host_id) FROM host_address a WHERE a.ip = f.server_ip HAVING count(DISTINCT a.host_id) = 1),
	f.vantage_id, nullif(f.client_vantage_id, f.vantage_id), f.server_ip, iif(f.clients = 1, f.client_ip, NULL),
	ref_ns(f.vantage_id, f.first_ns), ref_ns(f.vantage_id, f.last_ns), f.flows, NULL,
	endpoint(f.server_ip, nullif(f.server_port, 0)) || ' answers SYNs of ' || f.flows || iif(f.flows = 1, ' connection', ' connections')
		|| ' from ' || iif(f.clients = 1, f.client_ip, f.clients || ' clients') || ' with '
		|| iif(f.challenges > 0, 'an ACK', 'a reset') || ' of the connection that used the same port before'
		|| iif(f.known > 0, ', silent for ' || span(f.since_low) || iif(f.since_high > f.since_low, ' to ' || span(f.since_high), ''), '')
		|| CASE WHEN f.broken = f.flows THEN '; ' || iif(f.flows = 1, 'it never opened', 'none of them opened')
			WHEN f.broken > 0 THEN '; ' || f.broken || ' of them never opened'
			ELSE '; ' || iif(f.flows = 1, 'it opened ', 'they opened up to ') || span(f.latest_ns) || ' late' END
		|| CASE WHEN f.challenges = 0 THEN '' WHEN f.client_resets = 0 THEN '; the client sent no RST, which would end the old one'
			WHEN f.resets_arrived = 0 THEN '; the RST by which the client would end the old one did not arrive'
			WHEN f.broken > 0 THEN '; the client''s RST did not end the old one' ELSE '' END,
	(SELECT remedy FROM loss_cause WHERE id = 'old-connection'),
	json_object('flows', f.flows, 'broken', f.broken, 'port', nullif(f.server_port, 0), 'clients', f.clients,
		'challenges', f.challenges, 'client_resets', f.client_resets, 'server_resets', f.server_resets,
		'older_captured', f.known, 'latest_ns', f.latest_ns)
FROM pr_found f
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, file_id, frame, flow_id, note FROM (
	SELECT key, file_id, frame, flow_id, note, row_number() OVER (PARTITION BY key ORDER BY syn_ns, flow_id, part) AS n FROM (
		SELECT f.key, 1 AS part, p.syn_ns, p.syn_file_id AS file_id, p.syn_frame AS frame, p.flow_id, 'SYN' AS note
		FROM pr_found f JOIN pr_flow p ON p.vantage_id = f.vantage_id AND p.client_vantage_id = f.client_vantage_id
			AND p.server_ip = f.server_ip AND f.server_port IN (p.server_port, 0) AND coalesce(f.client_key, p.client_ip) = p.client_ip
		UNION ALL
		SELECT f.key, 2, p.syn_ns, p.answer_file_id, p.answer_frame, p.flow_id, 'answered with numbers of the connection before'
		FROM pr_found f JOIN pr_flow p ON p.vantage_id = f.vantage_id AND p.client_vantage_id = f.client_vantage_id
			AND p.server_ip = f.server_ip AND f.server_port IN (p.server_port, 0) AND coalesce(f.client_key, p.client_ip) = p.client_ip))
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
