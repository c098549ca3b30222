-- A service that several clients asked and that answered none of them
-- if: SELECT 1 FROM flow_log_pair
CREATE TEMP TABLE dead_service AS
SELECT row_number() OVER (ORDER BY vantage_id, server_ip, protocol, server_port) AS key,
	vantage_id, server_ip, protocol, server_port,
	count(DISTINCT client_ip) AS clients, sum(flows) AS flows,
	sum(records_c2s + rejected_records_c2s) AS records, sum(rejected_records_c2s) AS rejected,
	sum(unanswered_flows) AS unanswered, min(first_ns) AS first_ns, max(last_ns) AS last_ns,
	min(coalesce(unanswered_file_id, rejected_file_id)) AS log_file_id,
	min(coalesce(unanswered_line, rejected_line)) AS line
FROM flow_log_pair
WHERE own = 'server' AND server_port IS NOT NULL AND protocol IN ('tcp', 'udp')
	AND client_ip NOT IN (SELECT ip FROM flow_log_source
		WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets'))
	-- scans of an address that answers nobody are said once
	AND (vantage_id, server_ip) NOT IN (SELECT to_vantage_id, dst_ip FROM finding WHERE kind = 'flowlog-one-way'
		AND json_extract(detail, '$.scan') = 1)
GROUP BY vantage_id, server_ip, protocol, server_port
HAVING sum(records_s2c) = 0 AND sum(unanswered_flows) > 0 AND count(DISTINCT client_ip) >= 3
	AND sum(void_flows) = 0 AND sum(edge_flows) < sum(unanswered_flows);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, dst_ip, first_ns, last_ns, count, total,
	summary, detail)
SELECT d.key, 'flowlog-unreachable', 'notice', 0.7, v.host_id, d.vantage_id, d.server_ip, d.first_ns, d.last_ns,
	d.unanswered, d.flows, d.clients || ' clients asked ' || d.protocol || ' '
		|| endpoint(d.server_ip, d.server_port) || ' and none was answered: ' || d.flows || ' flows, '
		|| d.rejected || ' rejected records',
	json_object('clients', d.clients, 'flows', d.flows, 'port', d.server_port, 'protocol', d.protocol,
		'rejected', d.rejected, 'rule', 'flowlog-unreachable')
FROM dead_service d
JOIN vantage v ON v.id = d.vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT d.key, p.unanswered_file_id, p.unanswered_line, 'no answer to ' || p.client_ip
FROM dead_service d
JOIN flow_log_pair p ON p.vantage_id = d.vantage_id AND p.server_ip = d.server_ip
	AND p.protocol = d.protocol AND p.server_port = d.server_port
WHERE p.unanswered_file_id IS NOT NULL
ORDER BY d.key, p.client_ip;
