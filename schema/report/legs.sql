-- Segments between neighbouring vantage points, each way
SELECT f.name AS from_name, t.name AS to_name, sum(p.sent) AS sent, sum(p.delivered) AS delivered,
	sum(p.misaddressed) AS misaddressed, sum(p.lost) AS lost,
	sum(p.capture_missed) AS capture_missed, sum(p.unjudged) AS unjudged
FROM path_total p
JOIN vantage f ON f.id = p.from_vantage_id
JOIN vantage t ON t.id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id
HAVING sum(p.sent) + sum(p.received) > 0
ORDER BY p.from_vantage_id, p.to_vantage_id;
