-- Segments between neighbouring vantage points, each way
SELECT p.from_vantage_id, p.to_vantage_id, f.name AS from_name, t.name AS to_name, f.host_id AS from_host,
	t.host_id AS to_host, sum(p.flows) AS flows, sum(p.sent) AS sent, sum(p.delivered) AS delivered,
	sum(p.misaddressed) AS misaddressed, sum(p.lost) AS lost, sum(p.capture_missed) AS capture_missed,
	sum(p.unjudged) AS unjudged, sum(p.duplicated) AS duplicated,
	sum(p.reordered) AS reordered, sum(p.retransmitted) AS retransmitted, sum(p.injected) AS injected,
	max(p.estimated) AS estimated
FROM path_total p
JOIN vantage f ON f.id = p.from_vantage_id
JOIN vantage t ON t.id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id
HAVING sum(p.sent) + sum(p.received) > 0
ORDER BY p.from_vantage_id, p.to_vantage_id;
