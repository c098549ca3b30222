-- What became of every frame and every log line, by file
SELECT c.path, a.disposition, a.frames AS n, a.bytes FROM frame_account a
JOIN capture_file c ON c.id = a.capture_file_id
UNION ALL
SELECT l.path, a.disposition, a.lines, NULL FROM log_account a JOIN log_file l ON l.id = a.log_file_id
ORDER BY 1, 3 DESC, 2;
