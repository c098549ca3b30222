-- Lines that findings cite and that are not there yet, by file.
SELECT c.log_file_id, c.line, f.path
FROM (SELECT log_file_id, line FROM evidence WHERE log_file_id IS NOT NULL AND line IS NOT NULL
	EXCEPT SELECT log_file_id, line FROM flow_log) c
JOIN log_file f ON f.id = c.log_file_id
ORDER BY c.log_file_id, c.line
