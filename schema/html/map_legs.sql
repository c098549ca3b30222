-- Loss between adjacent vantage points for the map, the worst first; the table of legs adds delays, which cost a walk over all paths
SELECT p.from_vantage_id, p.to_vantage_id, f.name, t.name, f.host_id, t.host_id, sum(p.sent),
	sum(p.lost) + sum(p.misaddressed), sum(p.capture_missed), sum(p.unjudged)
FROM path_total p
JOIN vantage f ON f.id = p.from_vantage_id
JOIN vantage t ON t.id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id
ORDER BY 8 DESC, 7 DESC, p.from_vantage_id, p.to_vantage_id
LIMIT :limit;
