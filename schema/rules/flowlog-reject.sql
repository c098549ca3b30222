-- Flow logs record rejects: who, to what, and on which side
-- if: SELECT 1 FROM flow_log_pair
-- Of the flow_log_pair rows, summed over ports. A reply that is rejected although the request was
-- accepted is a network ACL's doing: security groups let replies pass. Senders that reach for many
-- (flowlog-scan) are not repeated here, and beyond flowlog_findings_max for one ENI the rest is one.
CREATE TEMP TABLE reject_pair AS
SELECT p.vantage_id, p.own, p.client_ip, p.server_ip, max(p.reply_rejected_flows > 0) AS by_acl,
	sum(p.rejected_records_c2s + p.rejected_records_s2c) AS rejected,
	sum(p.records_c2s + p.records_s2c + p.rejected_records_c2s + p.rejected_records_s2c) AS records,
	sum(p.rejected_packets_c2s + p.rejected_packets_s2c) AS packets,
	sum(p.rejected_flows) AS flows, sum(p.reply_rejected_flows) AS replies,
	min(p.rejected_first_ns) AS first_ns, max(p.rejected_last_ns) AS last_ns,
	group_concat(DISTINCT p.protocol || coalesce(' ' || p.server_port, '')) AS services,
	count(DISTINCT p.server_port) AS ports, max(p.records_c2s > 0) AS accepts_some,
	ip_in(p.client_ip, '10.0.0.0/8') OR ip_in(p.client_ip, '172.16.0.0/12')
		OR ip_in(p.client_ip, '192.168.0.0/16') OR ip_in(p.client_ip, '100.64.0.0/10')
		OR ip_in(p.client_ip, 'fc00::/7') OR p.client_ip IN (
			SELECT own_ip FROM flow_log_interface WHERE own_ip IS NOT NULL
			UNION SELECT own_ip6 FROM flow_log_interface WHERE own_ip6 IS NOT NULL) AS inside
FROM flow_log_pair p
WHERE (p.rejected_flows > 0 OR p.reply_rejected_flows > 0)
	AND p.client_ip NOT IN (SELECT ip FROM flow_log_source
		WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets'))
GROUP BY p.vantage_id, p.own, p.client_ip, p.server_ip;

CREATE TEMP TABLE reject_rank AS
SELECT row_number() OVER (ORDER BY vantage_id, own, client_ip, server_ip) AS key, r.*,
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

-- The rest of an ENI in one.
CREATE TEMP TABLE reject_rest AS
SELECT 'rest at ' || vantage_id AS key, vantage_id, count(*) AS pairs, count(DISTINCT client_ip) AS clients, sum(rejected) AS rejected, sum(records) AS records,
	min(first_ns) AS first_ns, max(last_ns) AS last_ns
FROM reject_rank
WHERE place > (SELECT value FROM setting WHERE key = 'flowlog_findings_max')
GROUP BY vantage_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, first_ns, last_ns, count, total,
	summary, detail)
SELECT r.key, 'flowlog-reject', 'notice', 0.95, v.host_id, r.vantage_id, r.first_ns, r.last_ns, r.rejected,
	r.records, r.pairs || ' more pairs of addresses with rejects at ' || v.interface || ', from ' || r.clients
		|| ' senders: ' || r.rejected || ' records',
	json_object('rule', 'flowlog-reject', 'pairs', r.pairs)
FROM reject_rest r
JOIN vantage v ON v.id = r.vantage_id;
