-- Files read, each with what became of its frames or lines: captures, then flow logs
SELECT 'capture' AS kind, c.path, c.format, c.compression, c.frames AS records, c.bytes, c.first_ns,
	c.last_ns, c.dropped_kernel, c.dropped_interface, c.damaged, c.hash, c.sha256,
	v.name AS vantage, c.snaplen,
	(SELECT group_concat(filter, '') FROM (SELECT DISTINCT i.interface, coalesce(i.filter, '') AS filter
		FROM capture_interface i WHERE i.capture_file_id = c.id)) AS filter,
	(SELECT group_concat(disposition || ' ' || frames, ', ') FROM (SELECT a.disposition, a.frames
		FROM frame_account a WHERE a.capture_file_id = c.id
		ORDER BY a.frames DESC, a.disposition)) AS account
FROM capture_file c
JOIN vantage v ON v.id = c.vantage_id
UNION ALL
SELECT 'flowlog', l.path, l.format, NULL, l.records, l.bytes, NULL,
	NULL, NULL, NULL, l.damaged, l.hash, NULL,
	NULL, NULL,
	NULL,
	(SELECT group_concat(disposition || ' ' || lines, ', ') FROM (SELECT a.disposition, a.lines
		FROM log_account a WHERE a.log_file_id = l.id
		ORDER BY a.lines DESC, a.disposition))
FROM log_file l
ORDER BY 1, 2;
