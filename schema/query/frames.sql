-- Frames that prove something, for Wireshark (packaging/wireshark); of capture :capture (path or name; all without it)
SELECT c.path, e.frame, f.id AS finding, f.kind, f.severity, e.note
FROM evidence e
JOIN finding f ON f.id = e.finding_id
JOIN capture_file c ON c.id = e.capture_file_id
WHERE e.frame IS NOT NULL AND (:capture IS NULL OR c.path = :capture OR c.path LIKE '%/' || :capture)
ORDER BY c.path, e.frame, f.id;
