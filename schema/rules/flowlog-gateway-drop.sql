-- A transit gateway says that it dropped packets, and why
-- if: SELECT 1 FROM flow_log_drop
CREATE TEMP TABLE gateway_drop AS
SELECT row_number() OVER (ORDER BY vantage_id, src_ip, dst_ip, reason) AS key, d.*,
	row_number() OVER (PARTITION BY vantage_id ORDER BY packets DESC, src_ip, dst_ip, reason) AS place
FROM flow_log_drop d;

INSERT INTO new_finding (key, kind, severity, confidence, to_vantage_id, src_ip, dst_ip, first_ns, last_ns, count,
	summary, remedy, detail)
SELECT d.key, 'flowlog-gateway-drop', 'warning', 1.0, d.vantage_id, d.src_ip, d.dst_ip, d.first_ns, d.last_ns,
	d.packets, 'the transit gateway (' || v.name || ') dropped ' || d.packets || ' packets from ' || d.src_ip
		|| ' to ' || d.dst_ip || ': ' || CASE d.reason WHEN 'no-route' THEN 'it has no route'
			WHEN 'blackhole' THEN 'the route is a blackhole' WHEN 'mtu-exceeded' THEN 'larger than its MTU'
			ELSE 'TTL ran out' END,
	CASE d.reason WHEN 'no-route' THEN 'add a route for ' || d.dst_ip || ' to the route table of the attachment, or propagate it'
		WHEN 'blackhole' THEN 'the route for ' || d.dst_ip || ' points to nothing: its attachment is gone or was set to drop'
		WHEN 'mtu-exceeded' THEN 'lower the MTU or clamp the MSS: a transit gateway passes 8500 bytes, 1500 over VPN'
		ELSE 'look for a routing loop' END,
	json_object('reason', d.reason, 'records', d.records, 'rule', 'flowlog-gateway-drop')
FROM gateway_drop d
JOIN vantage v ON v.id = d.vantage_id
WHERE d.place <= (SELECT value FROM setting WHERE key = 'flowlog_findings_max');

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, 'the first record with packets-lost-' || reason FROM gateway_drop
WHERE place <= (SELECT value FROM setting WHERE key = 'flowlog_findings_max') ORDER BY key;
