-- Accepted by an ENI, with no answer recorded: SYNs without SYN-ACK, requests without replies
-- if: SELECT 1 FROM flow_log_pair
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
	ip_in(p.client_ip, '10.0.0.0/8') OR ip_in(p.client_ip, '172.16.0.0/12')
		OR ip_in(p.client_ip, '192.168.0.0/16') OR ip_in(p.client_ip, '100.64.0.0/10')
		OR ip_in(p.client_ip, 'fc00::/7') OR p.client_ip IN (
			SELECT own_ip FROM flow_log_interface WHERE own_ip IS NOT NULL
			UNION SELECT own_ip6 FROM flow_log_interface WHERE own_ip6 IS NOT NULL) AS inside
FROM flow_log_pair p
WHERE p.unanswered_flows > 0
	AND p.client_ip NOT IN (SELECT ip FROM flow_log_source
		WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets'))
GROUP BY p.vantage_id, p.own, p.client_ip, p.server_ip, p.protocol;

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

CREATE TEMP TABLE silent_rest AS
SELECT 'rest at ' || vantage_id AS key, vantage_id, count(*) AS pairs, count(DISTINCT client_ip) AS clients, sum(silent) AS silent, sum(records) AS records,
	min(first_ns) AS first_ns, max(last_ns) AS last_ns
FROM silent_rank
WHERE place > (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
GROUP BY vantage_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, first_ns, last_ns, count, total,
	summary, detail)
SELECT r.key, 'flowlog-one-way', 'notice', 0.5, v.host_id, r.vantage_id, r.first_ns, r.last_ns, r.silent,
	r.records, r.pairs || ' more pairs of addresses without an answer at ' || v.interface || ', from '
		|| r.clients || ' senders: ' || r.silent || ' records',
	json_object('rule', 'flowlog-one-way', 'pairs', r.pairs)
FROM silent_rest r
JOIN vantage v ON v.id = r.vantage_id;
