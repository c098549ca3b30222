-- Findings of the first stories in order, with their place in the story and the names of their ends
SELECT s.story_id, s.role, s.depth, f.id, f.kind, f.severity, f.confidence,
	h.name AS host, vf.name AS from_name, vt.name AS to_name, f.src_ip, f.dst_ip,
	f.first_ns, f.last_ns, f.count, f.total, f.summary, f.remedy, f.cause_id, f.detail
FROM finding f
JOIN story s ON s.finding_id = f.id
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage vf ON vf.id = f.from_vantage_id
LEFT JOIN vantage vt ON vt.id = f.to_vantage_id
WHERE :limit < 0 OR s.story_id <= :limit
ORDER BY f.id;
