-- The recorded packets of the flows that prove a finding
SELECT p.capture_file_id, p.frame FROM packet p
WHERE p.flow_id IN (SELECT flow_id FROM evidence WHERE finding_id = :finding AND flow_id IS NOT NULL)
ORDER BY p.capture_file_id, p.frame
LIMIT :limit;
