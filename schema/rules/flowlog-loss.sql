-- Packets of conversations that go on and do not all come in at the other ENI, by both logs
-- if: SELECT 1 FROM flow_log_loss WHERE flows_short > 0
-- Packets accepted out of the sender's ENI less those accepted or rejected in at the receiver's, by 5-tuple, both
-- logs covering the time with a margin, without SKIPDATA, and with as many records on one side as on the other: a
-- late or repeated record is not loss. Requests that do not come in at all are flowlog-request's.
CREATE TEMP TABLE too_large AS
SELECT first_ns, last_ns, src_ip, dst_ip FROM finding WHERE kind = 'flowlog-mtu';

CREATE TEMP TABLE eni_loss AS
SELECT row_number() OVER (ORDER BY l.from_vantage_id, l.to_vantage_id, l.src_ip, l.dst_ip) AS id,
	dense_rank() OVER (ORDER BY l.from_vantage_id) AS sender, dense_rank() OVER (ORDER BY l.to_vantage_id) AS receiver, l.*
FROM flow_log_loss l
WHERE l.flows_short >= (SELECT value FROM setting WHERE key = 'flowlog_failures_min')
	AND l.packets_missing >= (SELECT value FROM setting WHERE key = 'loss_min_segments')
	AND wilson_low(l.packets_missing, l.packets_sent) >= (SELECT value FROM setting WHERE key = 'loss_min_rate')
	-- the packets that are too large have a finding already
	AND NOT EXISTS (SELECT 1 FROM too_large f
		WHERE f.first_ns <= l.last_ns AND f.last_ns >= l.first_ns AND (f.dst_ip IN (l.src_ip, l.dst_ip) OR f.src_ip IN (l.src_ip, l.dst_ip)));

-- One finding for one sender or for one receiver, whichever gathers more pairs.
CREATE TEMP TABLE eni_loss_sum AS
SELECT iif(by_sender >= by_receiver, 'from ' || from_vantage_id, 'to ' || to_vantage_id) AS key, count(*) AS pairs,
	iif(min(from_vantage_id) = max(from_vantage_id), min(from_vantage_id), NULL) AS from_vantage_id,
	iif(min(to_vantage_id) = max(to_vantage_id), min(to_vantage_id), NULL) AS to_vantage_id,
	iif(min(src_ip) = max(src_ip), min(src_ip), NULL) AS src_ip, iif(min(dst_ip) = max(dst_ip), min(dst_ip), NULL) AS dst_ip,
	sum(flows) AS flows, sum(flows_short) AS flows_short, sum(packets_sent) AS packets_sent, sum(packets_missing) AS packets_missing,
	sum(packets_unjudged) AS packets_unjudged, min(first_ns) AS first_ns, max(last_ns) AS last_ns
FROM (SELECT *, count(*) OVER (PARTITION BY sender) AS by_sender, count(*) OVER (PARTITION BY receiver) AS by_receiver FROM eni_loss)
GROUP BY 1;

INSERT INTO new_finding (key, kind, severity, confidence, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT l.key, 'flowlog-loss', 'warning', 0.8, l.from_vantage_id, l.to_vantage_id, l.src_ip, l.dst_ip, l.first_ns, l.last_ns, l.packets_missing,
	l.packets_sent, l.packets_missing || ' of ' || l.packets_sent || ' packets that left ' || coalesce(f.name, l.pairs || ' interfaces')
		|| coalesce(' for ' || coalesce((SELECT label || ' (' || l.dst_ip || ')' FROM flow_log_name WHERE ip = l.dst_ip), l.dst_ip), '') || ' never came in at ' || coalesce(t.name, l.pairs || ' others')
		|| ': ' || l.flows_short || ' of ' || l.flows || ' flows are short of some',
	'look at what lies between: route tables, peering, transit gateway, firewall appliance',
	json_object('pairs', l.pairs, 'flows', l.flows, 'flows_short', l.flows_short, 'unjudged', l.packets_unjudged,
		'rate', round(1.0 * l.packets_missing / l.packets_sent, 6), 'rate_low', wilson_low(l.packets_missing, l.packets_sent),
		'rate_high', wilson_high(l.packets_missing, l.packets_sent), 'rule', 'flowlog-loss')
FROM eni_loss_sum l
LEFT JOIN vantage f ON f.id = l.from_vantage_id
LEFT JOIN vantage t ON t.id = l.to_vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT s.key, l.log_file_id, l.line, 'left the one, not all in at the other'
FROM eni_loss l
JOIN eni_loss_sum s ON s.key IN ('from ' || l.from_vantage_id, 'to ' || l.to_vantage_id)
WHERE l.log_file_id IS NOT NULL
ORDER BY s.key, l.log_file_id, l.line;
