-- A host's own SYN comes back to it with its own address as source
-- if: SELECT 1 FROM flow WHERE outcome = 'unanswered' AND outcome NOT IN ('established', 'closed')
-- A target behind a load balancer that keeps client addresses connects to that balancer and is chosen itself. The SYN
-- arrives under the address that sent it, with the same port and initial sequence number, and the host drops it as martian.
CREATE TEMP TABLE hp_back AS
SELECT x.vantage_id, x.flow_id, x.client_ip, x.client_port, x.server_port, f.client_isn, x.first_ns, x.last_ns, x.syn_c2s AS syns
FROM flow f
CROSS JOIN flow_vantage x ON x.flow_id = f.id AND x.syn_c2s > 0 AND x.packets_s2c = 0 AND x.client_ip = x.server_ip
WHERE f.outcome = 'unanswered' AND f.outcome NOT IN ('established', 'closed') -- in the index
	AND f.protocol = 'tcp' AND f.client_isn IS NOT NULL;

CREATE TEMP TABLE hp_out AS
SELECT q.vantage_id, q.flow_id, q.client_ip, q.client_port, q.server_ip, q.server_port, f.client_isn, q.first_ns
FROM flow f
CROSS JOIN flow_vantage q ON q.flow_id = f.id AND q.server_ip != q.client_ip
WHERE f.outcome = 'unanswered' AND f.outcome NOT IN ('established', 'closed') -- in the index
	AND f.protocol = 'tcp' AND f.client_ip IN (SELECT client_ip FROM hp_back);
CREATE INDEX temp.hp_out_by_syn ON hp_out(client_isn, vantage_id, client_ip, client_port);

CREATE TEMP TABLE hp_pair AS
SELECT b.vantage_id, b.client_ip, b.client_port, b.server_port AS back_port, q.server_ip, q.server_port, q.flow_id AS out_flow,
	b.flow_id AS back_flow, b.syns, q.first_ns, b.last_ns
FROM hp_back b
CROSS JOIN hp_out q ON q.client_isn = b.client_isn AND q.vantage_id = b.vantage_id AND q.client_ip = b.client_ip
	AND q.client_port = b.client_port AND q.first_ns <= b.first_ns AND b.first_ns - q.first_ns < 3000000000;

CREATE TEMP TABLE hp_found AS
SELECT row_number() OVER (ORDER BY vantage_id, client_ip, server_ip, server_port, back_port) AS key, vantage_id, client_ip,
	server_ip, server_port, back_port, count(*) AS flows, sum(syns) AS syns, min(first_ns) AS first_ns, max(last_ns) AS last_ns
FROM hp_pair GROUP BY vantage_id, client_ip, server_ip, server_port, back_port;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, src_ip, dst_ip, first_ns, last_ns, count,
	summary, remedy, detail)
SELECT f.key, 'hairpin', iif(f.flows > 1, 'critical', 'warning'), 0.95, v.host_id, f.vantage_id, f.client_ip, f.server_ip,
	ref_ns(f.vantage_id, f.first_ns), ref_ns(f.vantage_id, f.last_ns), f.flows,
	f.flows || iif(f.flows = 1, ' connection', ' connections') || ' of ' || h.name || ' to ' || endpoint(f.server_ip, f.server_port)
		|| ' came back to it: its own SYN returned for port ' || f.back_port || ' with its own address ' || f.client_ip
		|| ' as source, and got no answer: a load balancer that keeps client addresses chose the client itself',
	'switch off client address preservation for this target group, or let ' || h.name
		|| ' speak to its own service directly (localhost), or keep it from being its own target',
	json_object('flows', f.flows, 'broken', f.flows, 'segments', f.syns, 'asked', endpoint(f.server_ip, f.server_port),
		'came_back', endpoint(f.client_ip, f.back_port), 'reason', 'same initial sequence number')
FROM hp_found f
JOIN vantage v ON v.id = f.vantage_id
JOIN host h ON h.id = v.host_id
ORDER BY f.key;

CREATE TEMP TABLE hp_packet AS
SELECT f.key, x.column1 AS back, iif(x.column1, p.back_flow, p.out_flow) AS flow_id, p.vantage_id,
	row_number() OVER (PARTITION BY f.key, x.column1 ORDER BY p.first_ns, p.back_flow) AS n
FROM hp_found f
JOIN hp_pair p USING (vantage_id, client_ip, server_ip, server_port, back_port)
CROSS JOIN (VALUES (0), (1)) x;
CREATE TEMP TABLE hp_syn AS
SELECT p.flow_id, p.vantage_id, p.capture_file_id, min(p.frame) AS frame
FROM (SELECT 1 FROM hp_pair LIMIT 1) once CROSS JOIN packet p
WHERE p.tcp_flags & 2 AND p.flow_id IS NOT NULL
GROUP BY p.flow_id, p.vantage_id, p.capture_file_id;
CREATE INDEX temp.hp_syn_by_flow ON hp_syn(flow_id, vantage_id);
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT k.key, coalesce(p.capture_file_id, (SELECT min(i.capture_file_id) FROM capture_interface i WHERE i.vantage_id = k.vantage_id)),
	p.frame, k.flow_id, iif(k.back, 'the same SYN, back under the address that sent it', 'the SYN as sent')
FROM hp_packet k
LEFT JOIN hp_syn p ON p.flow_id = k.flow_id AND p.vantage_id = k.vantage_id
WHERE k.n <= 5
ORDER BY k.key, k.n, k.back;
