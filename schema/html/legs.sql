-- Loss between adjacent vantage points, the worst first
SELECT p.from_vantage_id, p.to_vantage_id, f.name, t.name, f.host_id, t.host_id, sum(p.sent),
	sum(p.delivered), sum(p.lost), sum(p.misaddressed), sum(p.capture_missed), sum(p.unjudged),
	sum(p.duplicated), sum(p.reordered), sum(p.retransmitted), sum(p.injected), min(p.owd_min_ns),
	max(p.owd_max_ns), count(*), max(p.estimated)
FROM path p
JOIN vantage f ON f.id = p.from_vantage_id
JOIN vantage t ON t.id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id
ORDER BY sum(p.lost) + sum(p.misaddressed) DESC, sum(p.sent) DESC, p.from_vantage_id, p.to_vantage_id
LIMIT :limit;
