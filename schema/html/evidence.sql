-- Proof of one finding
SELECT c.path, e.frame, l.path, e.line, e.flow_id, e.note, v.name
FROM evidence e
LEFT JOIN capture_file c ON c.id = e.capture_file_id
LEFT JOIN vantage v ON v.id = c.vantage_id
LEFT JOIN log_file l ON l.id = e.log_file_id
WHERE e.finding_id = :finding
ORDER BY e.rowid
LIMIT :limit;
