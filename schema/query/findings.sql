-- Every finding in one line, the weightiest story first
SELECT f.id, f.severity, f.kind, coalesce(a.name || ' -> ' || b.name, a.name, h.name, '') AS ends,
	f.count, f.total, round(f.confidence, 2) AS confidence, f.cause_id AS cause, iso(f.first_ns) AS first,
	f.summary
FROM finding f
LEFT JOIN vantage a ON a.id = f.from_vantage_id
LEFT JOIN vantage b ON b.id = f.to_vantage_id
LEFT JOIN host h ON h.id = f.host_id
ORDER BY f.id;
