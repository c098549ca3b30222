-- A sender that was turned away or ignored at many hosts or ports
-- if: SELECT 1 FROM flow_log_source
CREATE TEMP TABLE scan_found AS
SELECT row_number() OVER (ORDER BY packets DESC, ip) AS key, s.*
FROM flow_log_source s
WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets')
ORDER BY packets DESC, ip
LIMIT (SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'flowlog_findings_max');

INSERT INTO new_finding (key, kind, severity, confidence, src_ip, first_ns, last_ns, count, summary, detail)
SELECT key, 'flowlog-scan', 'notice', 0.8, ip, first_ns, last_ns, records,
	ip || ' was rejected or not answered at ' || CASE WHEN hosts >= 60 THEN 'many' ELSE 'at least ' || hosts END
		|| CASE hosts WHEN 1 THEN ' address' ELSE ' addresses' END || ' and '
		|| CASE WHEN ports >= 250 THEN 'many' ELSE 'at least ' || ports END
		|| CASE ports WHEN 1 THEN ' port' ELSE ' ports' END || ': ' || records || ' records, ' || packets
		|| ' packets; it looks like a scan',
	json_object('hosts', hosts, 'ports', ports, 'packets', packets, 'rule', 'flowlog-scan')
FROM scan_found;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, 'the first' FROM scan_found WHERE log_file_id IS NOT NULL ORDER BY key;
