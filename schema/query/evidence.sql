-- Proof of finding :finding: files and frame numbers as Wireshark shows them
SELECT c.path, e.frame, l.path AS log, e.line, e.flow_id AS flow, e.note
FROM evidence e
LEFT JOIN capture_file c ON c.id = e.capture_file_id
LEFT JOIN log_file l ON l.id = e.log_file_id
WHERE e.finding_id = :finding
ORDER BY e.rowid;
