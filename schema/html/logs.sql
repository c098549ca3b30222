-- Flow-log files read, with what became of their lines
SELECT l.path, l.format, l.records, l.bytes, l.hash, l.damaged,
	(SELECT group_concat(disposition || ' ' || lines, ', ') FROM
		(SELECT disposition, lines FROM log_account WHERE log_file_id = l.id ORDER BY lines DESC))
FROM log_file l
ORDER BY l.damaged IS NULL, l.id
LIMIT :limit;
