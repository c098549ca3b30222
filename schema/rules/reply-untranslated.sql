-- The answer came from another address than was asked: translation was skipped on the way back
-- if: SELECT 1 FROM flow WHERE pairing = 'ambiguous' AND pairing IN ('ambiguous', 'proxy') UNION ALL SELECT 1 FROM leg WHERE modified > 0
-- A host publishes a service of its neighbour by destination NAT; the neighbour answers the client directly
-- (over a bridge that netfilter does not see, or by another route), under its own address. The client
-- knows of no such connection and refuses. Pairing leaves such flows alone: they are among the ambiguous.
CREATE TEMP TABLE ru_half AS
SELECT s.vantage_id, s.flow_id, s.client_ip, s.client_port, s.server_ip, s.server_port, s.first_ns, s.last_ns,
	s.rst_c2s > 0 AS refused, CAST(s.syn_c2s = 0 AS INTEGER) AS answer
FROM flow f CROSS JOIN flow_vantage s ON s.flow_id = f.id
WHERE f.pairing = 'ambiguous' AND f.pairing IN ('ambiguous', 'proxy') -- in the index
	AND f.protocol = 'tcp'
	AND ((s.syn_c2s > 0 AND s.packets_s2c = 0) OR (s.syn_c2s = 0 AND s.syn_s2c > 0));
CREATE INDEX temp.ru_half_by_client ON ru_half(answer, vantage_id, client_ip, client_port);

CREATE TEMP TABLE ru_pair AS
SELECT q.vantage_id, q.client_ip, q.server_ip AS asked_ip, q.server_port AS asked_port, a.server_ip AS answer_ip,
	a.server_port AS answer_port, q.flow_id AS question_flow, a.flow_id AS answer_flow, q.first_ns, a.last_ns, a.refused
FROM ru_half q
CROSS JOIN ru_half a ON a.answer = 1 AND a.vantage_id = q.vantage_id AND a.client_ip = q.client_ip
	AND a.client_port = q.client_port AND a.first_ns BETWEEN q.first_ns AND q.first_ns + 3000000000
WHERE q.answer = 0 AND a.server_ip || ' ' || a.server_port != q.server_ip || ' ' || q.server_port;

CREATE TEMP TABLE ru_found AS
SELECT row_number() OVER (ORDER BY vantage_id, client_ip, asked_ip,
		asked_port, answer_ip, answer_port) AS key,
	vantage_id, client_ip, asked_ip, asked_port, answer_ip, answer_port, count(*) AS flows, sum(refused) AS refused,
	min(first_ns) AS first_ns, max(last_ns) AS last_ns
FROM ru_pair GROUP BY vantage_id, client_ip, asked_ip, asked_port, answer_ip, answer_port;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'reply-untranslated', CASE WHEN f.flows > 1 THEN 'critical' ELSE 'warning' END,
	CASE WHEN f.flows > 1 THEN 0.95 ELSE 0.8 END, NULL,
	(SELECT min(v.id) FROM dk_ip d JOIN vantage v ON v.host_id = d.host_id AND v.kind = 'nic' WHERE d.ip = f.answer_ip),
	f.vantage_id, f.answer_ip, f.client_ip, ref_ns(f.vantage_id, f.first_ns),
	ref_ns(f.vantage_id, f.last_ns), f.flows, NULL,
	f.client_ip || ' asked ' || f.asked_ip || ':' || f.asked_port || ', and the answer came from ' || f.answer_ip || ':'
		|| f.answer_port || ' (' || f.flows || iif(f.flows = 1, ' connection', ' connections') || '): it was not translated back'
		|| CASE WHEN f.refused > 0 THEN ', and ' || f.client_ip || ' refused it' ELSE '' END,
	'make return traffic go through the NAT: bridged traffic too (br_netfilter, net.bridge.bridge-nf-call-iptables=1), or '
		|| 'translate the source of such connections as well (hairpin masquerade)',
	json_object('flows', f.flows, 'broken', f.flows, 'asked', f.asked_ip || ':' || f.asked_port,
		'answered', f.answer_ip || ':' || f.answer_port, 'refused', f.refused)
FROM ru_found f
ORDER BY f.key;

-- Their SYNs and SYN-ACKs, where they have rows.
CREATE TEMP TABLE ru_packet AS
SELECT p.flow_id, p.vantage_id, p.capture_file_id, min(p.frame) AS frame
FROM (SELECT 1 FROM ru_pair LIMIT 1) once CROSS JOIN packet p
WHERE p.tcp_flags & 2 AND p.flow_id IS NOT NULL
GROUP BY p.flow_id, p.vantage_id, p.capture_file_id;
CREATE INDEX temp.ru_packet_by_flow ON ru_packet(flow_id, vantage_id);
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT f.key, coalesce(k.capture_file_id, (SELECT min(i.capture_file_id) FROM capture_interface i
		WHERE i.vantage_id = f.vantage_id)),
	k.frame, CASE x.column1 WHEN 0 THEN p.question_flow ELSE p.answer_flow END,
	CASE x.column1 WHEN 0 THEN 'the question' ELSE 'the answer, from another address' END
FROM ru_found f
CROSS JOIN (SELECT *, row_number() OVER (PARTITION BY vantage_id, client_ip, asked_ip, asked_port, answer_ip, answer_port
	ORDER BY question_flow) AS n FROM ru_pair) p ON p.vantage_id = f.vantage_id AND p.client_ip = f.client_ip
	AND p.asked_ip = f.asked_ip AND p.asked_port = f.asked_port AND p.answer_ip = f.answer_ip
	AND p.answer_port = f.answer_port AND p.n <= 10
CROSS JOIN (VALUES (0), (1)) x
LEFT JOIN ru_packet k ON k.flow_id = iif(x.column1, p.answer_flow, p.question_flow) AND k.vantage_id = p.vantage_id
ORDER BY f.key, p.n, x.column1;

-- In mid-flow: conntrack takes a segment that it does not expect for invalid (beyond the window, late) and leaves it
-- untranslated. At the client's place the flow has two rows then, under the address that was asked and under the other.
CREATE TEMP TABLE ru_stray AS
SELECT e.id AS event_id, e.flow_id, e.from_vantage_id, e.to_vantage_id, e.segments, e.at_ns, m.client_ip,
	m.server_ip AS asked_ip, m.server_port AS asked_port, a.server_ip AS answer_ip, a.server_port AS answer_port,
	a.rst_c2s AS resets, f.outcome
FROM leg g
CROSS JOIN event e ON e.kind = 'modified' AND e.reason = 'untranslated' AND e.from_vantage_id = g.from_vantage_id
	AND e.to_vantage_id = g.to_vantage_id
CROSS JOIN flow_vantage b ON b.flow_id = e.flow_id AND b.vantage_id = e.from_vantage_id
CROSS JOIN flow_vantage a ON a.flow_id = e.flow_id AND a.vantage_id = e.to_vantage_id AND a.server_ip = b.server_ip
	AND a.server_port = b.server_port
CROSS JOIN flow_vantage m ON m.flow_id = e.flow_id AND m.vantage_id = e.to_vantage_id
	AND (m.server_ip != b.server_ip OR m.server_port != b.server_port)
CROSS JOIN flow f ON f.id = e.flow_id
WHERE g.modified > 0 AND e.direction = 's2c';

CREATE TEMP TABLE ru_mid AS
SELECT 'mid ' || row_number() OVER (ORDER BY from_vantage_id, to_vantage_id, client_ip, asked_ip, asked_port, answer_ip,
		answer_port) AS key,
	from_vantage_id, to_vantage_id, client_ip, asked_ip, asked_port, answer_ip, answer_port, sum(segments) AS segments,
	count(DISTINCT flow_id) AS flows, count(DISTINCT CASE WHEN resets > 0 THEN flow_id END) AS refused,
	count(DISTINCT CASE WHEN resets > 0 AND outcome = 'reset' THEN flow_id END) AS broken,
	min(at_ns) AS first_ns, max(at_ns) AS last_ns
FROM ru_stray
GROUP BY from_vantage_id, to_vantage_id, client_ip, asked_ip, asked_port, answer_ip, answer_port;

INSERT INTO new_finding (key, kind, severity, confidence, from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns,
	count, summary, remedy, detail)
SELECT key, 'reply-untranslated', CASE WHEN broken > 1 THEN 'critical' WHEN broken = 1 THEN 'warning' ELSE 'notice' END, 0.95,
	from_vantage_id, to_vantage_id, answer_ip, client_ip, first_ns, last_ns, flows,
	segments || iif(segments = 1, ' segment', ' segments') || ' of ' || endpoint(asked_ip, asked_port) || ' reached ' || client_ip
		|| ' under the address ' || endpoint(answer_ip, answer_port) || ': address translation skipped '
		|| iif(segments = 1, 'it', 'them') || ' in the middle of ' || flows || iif(flows = 1, ' connection', ' connections')
		|| CASE WHEN broken > 0 THEN '; ' || client_ip || ' answered with a RST, and '
			|| iif(broken = flows, iif(flows = 1, 'it', 'all'), CAST(broken AS TEXT)) || ' broke' ELSE '' END,
	'on the host that translates: sysctl -w net.netfilter.nf_conntrack_tcp_be_liberal=1, or drop what conntrack calls invalid '
		|| '(nft: ct state invalid drop) before it leaves',
	json_object('flows', flows, 'broken', broken, 'segments', segments, 'asked', endpoint(asked_ip, asked_port),
		'answered', endpoint(answer_ip, answer_port), 'refused', refused)
FROM ru_mid
ORDER BY key;

INSERT INTO new_evidence (key, event_id, note)
SELECT m.key, s.event_id, 'not translated'
FROM ru_mid m
JOIN (SELECT *, row_number() OVER (PARTITION BY from_vantage_id, to_vantage_id, client_ip, asked_ip, asked_port, answer_ip,
		answer_port ORDER BY at_ns, event_id) AS n FROM ru_stray) s USING (from_vantage_id, to_vantage_id, client_ip, asked_ip,
		asked_port, answer_ip, answer_port)
WHERE s.n <= 10
ORDER BY m.key, s.n;
