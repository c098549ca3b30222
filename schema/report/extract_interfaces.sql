-- The interfaces of one capture and the vantage points they are
SELECT i.interface, i.vantage_id, v.name, i.name FROM capture_interface i
JOIN vantage v ON v.id = i.vantage_id
WHERE i.capture_file_id = :file ORDER BY i.interface, i.vantage_id;
