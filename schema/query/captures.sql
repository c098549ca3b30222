-- The files read, what they cover and what is wrong with them
SELECT c.path, h.name AS host, c.format, c.compression, c.snaplen, c.frames, iso(c.first_ns) AS first,
	iso(c.last_ns) AS last, c.dropped_kernel, c.dropped_interface, c.damaged, c.hash
FROM capture_file c JOIN host h ON h.id = c.host_id
ORDER BY c.id;
