-- Who was turned away from what, and on which side (flowlog-reject); accepted, with no answer recorded (flowlog-one-way)
-- if: SELECT 1 FROM flow_log_pair
-- Of the flow_log_pair rows, summed over ports. Senders that reach for many (flowlog-scan) are not repeated here,
-- and beyond flowlog_findings_max of a kind for one ENI the rest is one.
CREATE TEMP VIEW pair AS
SELECT p.*, ip_in(p.client_ip, '10.0.0.0/8') OR ip_in(p.client_ip, '172.16.0.0/12')
		OR ip_in(p.client_ip, '192.168.0.0/16') OR ip_in(p.client_ip, '100.64.0.0/10')
		OR ip_in(p.client_ip, 'fc00::/7') OR p.client_ip IN (
			SELECT own_ip FROM flow_log_interface WHERE own_ip IS NOT NULL
			UNION SELECT own_ip6 FROM flow_log_interface WHERE own_ip6 IS NOT NULL) AS inside
FROM flow_log_pair p
WHERE p.client_ip NOT IN (SELECT ip FROM flow_log_source
	WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets'));

-- A reply that is rejected although the request was accepted is a network ACL's doing: security groups let
-- replies pass.
CREATE TEMP TABLE reject_pair AS
SELECT p.vantage_id, p.own, p.client_ip, p.server_ip, max(p.reply_rejected_flows > 0) AS by_acl,
	sum(p.rejected_records_c2s + p.rejected_records_s2c) AS rejected,
	sum(p.records_c2s + p.records_s2c + p.rejected_records_c2s + p.rejected_records_s2c) AS records,
	sum(p.rejected_packets_c2s + p.rejected_packets_s2c) AS packets,
	sum(p.rejected_flows) AS flows, sum(p.reply_rejected_flows) AS replies,
	min(p.rejected_first_ns) AS first_ns, max(p.rejected_last_ns) AS last_ns,
	group_concat(DISTINCT p.protocol || coalesce(' ' || p.server_port, '')) AS services,
	count(DISTINCT p.server_port) AS ports, max(p.records_c2s > 0) AS accepts_some,
	p.inside
FROM pair p
WHERE p.rejected_flows > 0 OR p.reply_rejected_flows > 0
GROUP BY p.vantage_id, p.own, p.client_ip, p.server_ip;

CREATE TEMP TABLE reject_rank AS
SELECT 'reject ' || row_number() OVER (ORDER BY vantage_id, own, client_ip, server_ip) AS key, r.*,
	row_number() OVER (PARTITION BY vantage_id
		ORDER BY by_acl DESC, inside DESC, rejected DESC, client_ip, server_ip) AS place
FROM reject_pair r;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT r.key, 'flowlog-reject', CASE WHEN r.by_acl OR r.inside THEN 'warning' ELSE 'notice' END, 0.95,
	v.host_id, CASE WHEN r.own = 'client' THEN r.vantage_id END,
	CASE WHEN r.own = 'client' THEN NULL ELSE r.vantage_id END,
	r.client_ip, r.server_ip, r.first_ns, r.last_ns, r.rejected, r.records,
	CASE WHEN r.by_acl THEN 'replies of ' || r.server_ip || ' to ' || r.client_ip || ' (' || r.services
			|| ') are rejected at ' || v.interface || ' although the requests were accepted: a network ACL, which is stateless'
		WHEN r.own = 'client' THEN r.client_ip || ' may not send to ' || r.server_ip || ' (' || r.services
			|| '): rejected on the way out of ' || v.interface
		ELSE r.client_ip || ' is turned away from ' || r.server_ip || ' (' || r.services
			|| ') at ' || v.interface END
		|| ': ' || r.rejected || ' of ' || r.records || ' records, ' || r.packets || ' packets',
	CASE WHEN r.by_acl THEN 'allow the ephemeral ports (1024-65535) to ' || r.client_ip
			|| ' in the network ACL of the subnet of ' || v.interface
		WHEN r.own = 'client' THEN 'check the outbound rules of the security group and of the network ACL of ' || v.interface
		ELSE 'if ' || r.client_ip || ' should reach it: check the inbound rules of the security group, then of the network ACL, of '
			|| v.interface END,
	json_object('flows', r.flows + r.replies, 'side', CASE WHEN r.by_acl THEN 'network-acl'
			ELSE 'security-group or network-acl' END,
		'direction', CASE WHEN r.by_acl AND r.own = 'server' OR NOT r.by_acl AND r.own = 'client' THEN 'tx'
			ELSE 'rx' END,
		'services', r.services, 'packets', r.packets, 'accepts_some', r.accepts_some,
		'rule', 'flowlog-reject')
FROM reject_rank r
JOIN vantage v ON v.id = r.vantage_id
WHERE r.place <= (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
ORDER BY r.key;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT r.key, p.rejected_file_id, p.rejected_line,
	'rejected: ' || p.protocol || coalesce(' port ' || p.server_port, '')
FROM reject_rank r
JOIN flow_log_pair p ON p.vantage_id = r.vantage_id AND p.client_ip = r.client_ip
	AND p.server_ip = r.server_ip AND p.own IS r.own
WHERE r.place <= (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
	AND p.rejected_file_id IS NOT NULL
ORDER BY r.key, p.rejected_file_id, p.rejected_line;

-- ACCEPT is a policy's decision and not delivery, so this says what was not recorded, not where it was
-- lost. Silence near the end of a log may be an answer that was not delivered yet; sampled logs, and
-- spans with SKIPDATA (void_flows), support no claim.
CREATE TEMP TABLE silent_pair AS
SELECT p.vantage_id, p.own, p.client_ip, p.server_ip, p.protocol,
	sum(p.unanswered_flows) AS flows, sum(p.unanswered_records) AS silent, sum(p.records_c2s) AS records,
	sum(p.unanswered_packets) AS packets, sum(p.unanswered_syn) AS syns, sum(p.edge_flows) AS edge,
	sum(p.flows) AS all_flows, sum(p.records_s2c) AS answers, max(p.guessed) AS guessed,
	min(p.unanswered_first_ns) AS first_ns, max(p.unanswered_last_ns) AS last_ns,
	group_concat(DISTINCT p.server_port) AS ports,
	p.inside
FROM pair p
WHERE p.unanswered_flows > 0
GROUP BY p.vantage_id, p.own, p.client_ip, p.server_ip, p.protocol;

-- Many senders from outside whom one address answers nothing: one finding. Many ports, of which none answers anyone, are
-- scans of a public address: a NAT gateway drops what nobody asked for, whatever the policy accepts.
CREATE TEMP TABLE silent_crowd AS
SELECT 'crowd ' || row_number() OVER (ORDER BY p.vantage_id, p.server_ip, p.protocol) AS key, p.vantage_id, p.server_ip,
	p.protocol, count(DISTINCT p.client_ip) AS clients, count(DISTINCT p.server_port) AS ports,
	min(p.server_port) AS port, sum(p.unanswered_flows) AS flows, sum(p.unanswered_records) AS silent,
	sum(p.records_c2s) AS records, sum(p.unanswered_packets) AS packets, sum(p.edge_flows) AS edge,
	min(p.unanswered_first_ns) AS first_ns, max(p.unanswered_last_ns) AS last_ns, sum(p.records_s2c) AS answers
FROM pair p
JOIN flow_log_interface i ON i.vantage_id = p.vantage_id AND NOT i.transit
WHERE p.unanswered_flows > 0 AND p.own = 'server' AND NOT p.inside
GROUP BY p.vantage_id, p.server_ip, p.protocol
HAVING count(DISTINCT p.client_ip) > (SELECT value FROM setting WHERE key = 'pairs_max');
CREATE INDEX temp.silent_crowd_by_server ON silent_crowd(vantage_id, server_ip, protocol);
DELETE FROM silent_pair WHERE own = 'server' AND NOT inside AND EXISTS (SELECT 1 FROM silent_crowd c
	WHERE c.vantage_id = silent_pair.vantage_id AND c.server_ip = silent_pair.server_ip
		AND c.protocol = silent_pair.protocol);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT c.key, 'flowlog-one-way', CASE WHEN is_scan OR c.edge = c.flows OR c.protocol != 'tcp' THEN 'notice' ELSE 'warning' END,
	CASE WHEN is_scan THEN 0.9 ELSE 0.75 END, v.host_id, NULL, c.vantage_id, NULL, c.server_ip, c.first_ns, c.last_ns,
	c.silent, c.records,
	c.protocol || ' packets of ' || c.clients || ' senders outside to '
		|| endpoint(c.server_ip, CASE c.ports WHEN 1 THEN c.port END)
		|| CASE WHEN c.ports > 1 THEN ' (' || c.ports || ' ports)' ELSE '' END || ' were accepted at ' || v.interface
		|| ', and no answer left it: ' || c.flows || ' flows, ' || c.packets || ' packets'
		|| iif(is_scan, '; nobody was answered at any of these ports: scans of a public address', ''),
	CASE WHEN is_scan THEN 'nothing, if no service is meant to answer there: a NAT gateway drops what nobody asked for by itself, '
			|| 'though the log says ACCEPT'
		ELSE 'capture on ' || h.name || ': did the packets arrive, did the answer leave?' END,
	json_object('flows', c.flows, 'packets', c.packets, 'protocol', c.protocol, 'clients', c.clients, 'ports', c.ports, 'scan', is_scan,
		'direction', 'rx', 'rule', 'flowlog-one-way')
FROM (SELECT *, ports >= 4 AND answers = 0 AS is_scan FROM silent_crowd) c
JOIN vantage v ON v.id = c.vantage_id
JOIN host h ON h.id = v.host_id;
INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, unanswered_file_id, unanswered_line, 'accepted, no record of an answer: ' || protocol || coalesce(' port ' || server_port, '')
FROM (SELECT c.key, p.*, row_number() OVER (PARTITION BY c.key ORDER BY p.unanswered_file_id, p.unanswered_line) AS n
	FROM pair p
	JOIN silent_crowd c ON c.vantage_id = p.vantage_id AND c.server_ip = p.server_ip AND c.protocol = p.protocol
	WHERE p.own = 'server' AND NOT p.inside AND p.unanswered_file_id IS NOT NULL)
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;

CREATE TEMP TABLE silent_rank AS
SELECT row_number() OVER (
		ORDER BY s.vantage_id, s.own, s.client_ip, s.server_ip, s.protocol) AS key, s.*,
	i.has_flags, i.rejected = 0 AS accepts_only, s.edge = s.flows AS at_edge,
	row_number() OVER (PARTITION BY s.vantage_id ORDER BY s.protocol = 'tcp' DESC, s.edge = s.flows,
		s.inside DESC, s.packets DESC, s.client_ip, s.server_ip) AS place
FROM silent_pair s
-- What forwards for others shows each direction at an interface of its own.
JOIN flow_log_interface i ON i.vantage_id = s.vantage_id AND NOT i.transit;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT s.key, 'flowlog-one-way',
	CASE WHEN s.protocol = 'tcp' AND s.packets >= 2 AND NOT s.at_edge THEN 'warning' ELSE 'notice' END,
	CASE WHEN s.at_edge THEN 0.4 WHEN s.protocol != 'tcp' THEN 0.5 WHEN s.syns = s.flows THEN 0.9
		WHEN s.guessed THEN 0.6 ELSE 0.75 END,
	v.host_id, CASE WHEN s.own = 'client' THEN s.vantage_id END,
	CASE WHEN s.own = 'client' THEN NULL ELSE s.vantage_id END,
	s.client_ip, s.server_ip, s.first_ns, s.last_ns, s.silent, s.records,
	CASE WHEN s.protocol = 'tcp' AND s.syns = s.flows THEN 'SYNs of ' ELSE s.protocol || ' packets of ' END
		|| s.client_ip || ' to ' || endpoint(s.server_ip, CASE WHEN s.ports NOT LIKE '%,%' THEN CAST(s.ports AS INTEGER) END)
		|| ' were accepted at ' || v.interface || ', and '
		|| CASE WHEN s.own = 'server' THEN 'no answer left it' ELSE 'no answer came back' END || ': '
		|| s.flows || ' of ' || s.all_flows || ' flows, ' || s.packets || ' packets'
		|| CASE WHEN s.at_edge THEN '; near the end of the log, so the answer may only be missing from it'
			ELSE '' END,
	CASE WHEN s.own = 'server' THEN 'capture on ' || h.name || ': did the packets arrive, did the answer leave?'
		ELSE 'look at the log of ' || s.server_ip || ', and capture there: did the packets arrive?' END
		|| CASE WHEN s.accepts_only THEN ' This log holds no rejects at all: if it is limited to ACCEPT, a rejected answer would not show'
			ELSE '' END,
	json_object('flows', s.flows, 'packets', s.packets, 'protocol', s.protocol, 'ports', s.ports,
		'syn', s.syns, 'edge', s.edge, 'answered_others', s.answers > 0,
		'direction', CASE WHEN s.own = 'server' THEN 'rx' ELSE 'tx' END, 'rule', 'flowlog-one-way')
FROM silent_rank s
JOIN vantage v ON v.id = s.vantage_id
JOIN host h ON h.id = v.host_id
WHERE s.place <= (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
ORDER BY s.key;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT s.key, p.unanswered_file_id, p.unanswered_line,
	'accepted, no record of an answer: ' || p.protocol || coalesce(' port ' || p.server_port, '')
FROM silent_rank s
JOIN flow_log_pair p ON p.vantage_id = s.vantage_id AND p.client_ip = s.client_ip
	AND p.server_ip = s.server_ip AND p.protocol = s.protocol AND p.own IS s.own
WHERE s.place <= (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
	AND p.unanswered_file_id IS NOT NULL
ORDER BY s.key, p.unanswered_file_id, p.unanswered_line;

-- The rest of an ENI in one of each kind.
CREATE TEMP TABLE rest AS
SELECT kind || ' rest at ' || vantage_id AS key, kind, vantage_id, count(*) AS pairs,
	count(DISTINCT client_ip) AS clients, sum(n) AS n, sum(records) AS records, min(first_ns) AS first_ns,
	max(last_ns) AS last_ns
FROM (SELECT 'flowlog-reject' AS kind, vantage_id, place, client_ip, rejected AS n, records, first_ns, last_ns
	FROM reject_rank
	UNION ALL
	SELECT 'flowlog-one-way', vantage_id, place, client_ip, silent, records, first_ns, last_ns FROM silent_rank)
WHERE place > (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
GROUP BY kind, vantage_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, first_ns, last_ns, count, total,
	summary, detail)
SELECT r.key, r.kind, 'notice', iif(r.kind = 'flowlog-reject', 0.95, 0.5), v.host_id, r.vantage_id, r.first_ns,
	r.last_ns, r.n, r.records, r.pairs || ' more pairs of addresses '
		|| iif(r.kind = 'flowlog-reject', 'with rejects', 'without an answer') || ' at ' || v.interface || ', from '
		|| r.clients || ' senders: ' || r.n || ' records',
	json_object('rule', r.kind, 'pairs', r.pairs)
FROM rest r
JOIN vantage v ON v.id = r.vantage_id;
