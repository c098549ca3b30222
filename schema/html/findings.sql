-- Findings, the most important first; the pair of hosts is ordered so that both directions are one story
SELECT f.id, f.kind, f.severity, f.confidence, coalesce(f.cause_id, 0),
	coalesce(min(a.host_id, b.host_id), 0), coalesce(max(a.host_id, b.host_id), 0),
	f.summary, f.remedy, h.name, a.name, b.name, f.src_ip, f.dst_ip, f.first_ns, f.last_ns,
	f.count, f.total, f.detail
FROM finding f
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage a ON a.id = f.from_vantage_id
LEFT JOIN vantage b ON b.id = f.to_vantage_id
ORDER BY f.id
LIMIT :limit;
