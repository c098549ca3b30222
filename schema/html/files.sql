-- Captures read
SELECT c.id, c.path, v.name, c.format, c.compression, c.snaplen, c.frames, c.bytes, c.first_ns,
	c.last_ns, c.dropped_kernel, c.dropped_interface, c.damaged, c.hash,
	(SELECT group_concat(coalesce(i.filter, ''), '') FROM capture_interface i WHERE i.capture_file_id = c.id)
FROM capture_file c JOIN vantage v ON v.id = c.vantage_id
ORDER BY c.damaged IS NULL, c.id
LIMIT :limit;
