-- What left one ENI and did not come in at the other, by their logs
-- if: SELECT 1 FROM flow_log_loss
-- Packets accepted out of the sender's ENI less those accepted or rejected in at the receiver's, by
-- 5-tuple, both logs covering the time with a margin and without SKIPDATA. No NAT lies between: then
-- addresses or ports would differ and the records would not meet.
CREATE TEMP TABLE eni_loss AS
SELECT row_number() OVER (ORDER BY from_vantage_id, to_vantage_id, src_ip, dst_ip) AS key, l.*
FROM flow_log_loss l
WHERE packets_missing >= (SELECT value FROM setting WHERE key = 'loss_min_segments')
	AND packets_missing >= (SELECT value FROM setting WHERE key = 'loss_min_rate') * packets_sent;

INSERT INTO new_finding (key, kind, severity, confidence, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT l.key, 'flowlog-loss', 'warning',
	CASE WHEN i.rejected = 0 THEN 0.6 WHEN l.packets_missing = l.packets_sent THEN 0.9 ELSE 0.8 END,
	l.from_vantage_id, l.to_vantage_id, l.src_ip, l.dst_ip, l.first_ns, l.last_ns, l.packets_missing,
	l.packets_sent, l.packets_missing || ' of ' || l.packets_sent || ' packets that left ' || f.interface
		|| ' for ' || l.dst_ip || ' never came in at ' || t.interface
		|| CASE WHEN l.flows_missing THEN ': ' || l.flows_missing || ' of ' || l.flows
			|| ' flows are not there at all' ELSE '' END
		|| CASE WHEN i.rejected = 0 THEN ' (that log holds no rejects: if it is limited to ACCEPT, they may have been rejected there)'
			ELSE '' END,
	'look at what lies between: route tables, peering, transit gateway, firewall appliance',
	json_object('flows', l.flows, 'flows_missing', l.flows_missing, 'rejected', l.packets_rejected,
		'unjudged', l.packets_unjudged, 'rate', round(1.0 * l.packets_missing / l.packets_sent, 6),
		'rate_low', wilson_low(l.packets_missing, l.packets_sent),
		'rate_high', wilson_high(l.packets_missing, l.packets_sent), 'rule', 'flowlog-loss')
FROM eni_loss l
JOIN vantage f ON f.id = l.from_vantage_id
JOIN vantage t ON t.id = l.to_vantage_id
JOIN flow_log_interface i ON i.vantage_id = l.to_vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, 'left the one, not (all) in at the other' FROM eni_loss
WHERE log_file_id IS NOT NULL ORDER BY key;
