-- Frames of flow :flow from all vantage points, in order of aligned time
SELECT c.path, p.frame, v.name AS vantage,
	iso(p.at_ns - CAST(k.offset_ns + (p.at_ns - k.from_ns) * k.skew_ppm / 1e6 AS INTEGER)) AS at,
	p.direction, endpoint(p.src_ip, p.src_port) AS src, endpoint(p.dst_ip, p.dst_port) AS dst,
	tcp_flags(p.tcp_flags) AS flags, p.seq, p.ack, p.length, p.ip_id, p.ttl, p.src_mac, p.dst_mac
FROM packet p
JOIN capture_file c ON c.id = p.capture_file_id
JOIN vantage v ON v.id = p.vantage_id
JOIN clock_piece k ON k.vantage_id = v.id AND p.at_ns >= k.valid_from AND p.at_ns < k.valid_to
WHERE p.flow_id = :flow
ORDER BY p.at_ns - CAST(k.offset_ns + (p.at_ns - k.from_ns) * k.skew_ppm / 1e6 AS INTEGER),
	p.capture_file_id, p.frame;
