-- Which MACs went with address :ip (all without it), as seen by whom
SELECT v.name AS vantage, m.ip, m.mac, m.role, m.frames, iso(m.first_ns) AS first, iso(m.last_ns) AS last,
	c.path AS first_file, m.first_frame, mac_local(m.mac) AS local, mac_virtual(m.mac) AS virtual
FROM mac_use m
JOIN vantage v ON v.id = m.vantage_id
JOIN capture_file c ON c.id = m.first_file_id
WHERE :ip IS NULL OR m.ip = :ip
ORDER BY m.ip, v.name, m.role, m.first_ns, m.mac;
