-- Evidence of the first findings, in order
SELECT e.finding_id, coalesce(c.path, l.path, h.path) AS path, coalesce(e.frame, e.line) AS number,
	e.log_file_id IS NOT NULL OR e.host_file_id IS NOT NULL AS is_log, e.flow_id, e.note
FROM finding f
CROSS JOIN evidence e ON e.finding_id = f.id
LEFT JOIN capture_file c ON c.id = e.capture_file_id
LEFT JOIN log_file l ON l.id = e.log_file_id
LEFT JOIN host_file h ON h.id = e.host_file_id
WHERE :limit < 0 OR f.id <= :limit
ORDER BY f.id, e.rowid;
