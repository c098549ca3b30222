-- Findings of the first stories in order, with their place in the story and the names of their ends
SELECT s.story_id, s.role, s.depth, f.id, f.kind, f.severity, f.confidence,
	h.name AS host, vf.name AS from_name, vt.name AS to_name, f.src_ip, f.dst_ip,
	f.first_ns, f.last_ns, f.count, f.total, f.summary, f.remedy, f.cause_id, f.detail,
	-- when: each time that it was, the first three of them; else from the first to the last of it
	coalesce(CASE WHEN json_array_length(f.detail, '$.windows') > 1 THEN (
		SELECT group_concat(substr(iso(from_ns), 1, 19) || 'Z' || CASE WHEN to_ns > from_ns THEN ' for '
				|| span(to_ns - from_ns) ELSE '' END, '; ')
		FROM (SELECT json_extract(w.value, '$.from_ns') AS from_ns, json_extract(w.value, '$.to_ns') AS to_ns
			FROM json_each(f.detail, '$.windows') w ORDER BY w.key LIMIT 3))
		|| CASE WHEN json_array_length(f.detail, '$.windows') > 3 THEN '; '
			|| (json_array_length(f.detail, '$.windows') - 3) || ' more' ELSE '' END END,
		substr(iso(f.first_ns), 1, 19) || 'Z' || CASE WHEN f.last_ns > f.first_ns THEN ' for '
			|| span(f.last_ns - f.first_ns) ELSE '' END) AS times,
	n.news, n.runs
FROM finding f
JOIN story s ON s.finding_id = f.id
LEFT JOIN finding_news n ON n.finding_id = f.id
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage vf ON vf.id = f.from_vantage_id
LEFT JOIN vantage vt ON vt.id = f.to_vantage_id
WHERE :limit < 0 OR s.story_id <= :limit
ORDER BY f.id;
