-- Files read: captures, then flow logs
SELECT 'capture' AS kind, c.path, c.format, c.frames AS records, c.bytes, c.first_ns, c.last_ns,
	c.dropped_kernel, c.dropped_interface, c.damaged, c.hash, c.sha256
FROM capture_file c
UNION ALL
SELECT 'flowlog', path, format, records, bytes, NULL, NULL, NULL, NULL, damaged, hash, NULL
FROM log_file
ORDER BY 1, 2;
