-- The first lines of flow-log files that could not be used, and unknown columns
SELECT f.path || coalesce(':' || p.line, '') AS place, p.reason, p.text
FROM log_problem p JOIN log_file f ON f.id = p.log_file_id ORDER BY p.log_file_id, p.line;
