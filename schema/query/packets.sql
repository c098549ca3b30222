-- Frames of flow :flow from all vantage points, in order of aligned time
SELECT c.path, p.frame, v.name AS vantage,
	iso(ref_ns(p.vantage_id, p.at_ns)) AS at,
	p.direction, endpoint(p.src_ip, p.src_port) AS src, endpoint(p.dst_ip, p.dst_port) AS dst,
	tcp_flags(p.tcp_flags) AS flags, p.seq, p.ack, p.length, p.ip_id, p.ttl, p.src_mac, p.dst_mac
FROM packet p
JOIN capture_file c ON c.id = p.capture_file_id
JOIN vantage v ON v.id = p.vantage_id
WHERE p.flow_id = :flow
ORDER BY ref_ns(p.vantage_id, p.at_ns), p.capture_file_id, p.frame;
