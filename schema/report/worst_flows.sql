-- The flows that lost most
WITH worst AS (
	SELECT flow_id, direction, from_vantage_id, to_vantage_id, sent, lost + misaddressed AS lost,
		capture_missed, unjudged, retransmitted, owd_median_ns
	FROM path WHERE lost > 0 OR misaddressed > 0
	ORDER BY lost + misaddressed DESC, flow_id, direction, from_vantage_id
	LIMIT :limit)
SELECT f.id, f.protocol, f.client_ip, f.client_port, f.server_ip, f.server_port, f.outcome,
	f.first_ns, f.last_ns, w.direction, a.name, b.name, w.sent, w.lost, w.capture_missed, w.unjudged,
	w.retransmitted, w.owd_median_ns
FROM worst w
JOIN flow f ON f.id = w.flow_id
JOIN vantage a ON a.id = w.from_vantage_id
JOIN vantage b ON b.id = w.to_vantage_id
ORDER BY w.lost DESC, f.id, w.direction;
