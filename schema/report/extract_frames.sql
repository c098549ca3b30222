-- The frames that prove a finding, by capture
SELECT e.capture_file_id, e.frame, e.note FROM evidence e
WHERE e.finding_id = :finding AND e.capture_file_id IS NOT NULL AND e.frame IS NOT NULL
ORDER BY e.capture_file_id, e.frame, e.rowid;
