-- The recorded packets of a flow
SELECT p.vantage_id, p.capture_file_id, p.frame, p.at_ns, p.direction, p.seq, p.ack, p.length,
	p.tcp_flags, p.dst_mac
FROM packet p
WHERE p.flow_id = :flow AND p.direction IS NOT NULL
ORDER BY p.at_ns, p.capture_file_id, p.frame
LIMIT :limit;
