-- Packets that a kernel dropped and that somebody missed: not what is normal to be dropped, nor a copy of a packet for a socket
-- that looks on (raw, packet). Fills told_drop.
-- What no socket waits for is a loss while nothing ever answered there: datagrams of a conversation without answer, and
-- SYNs. Later segments came too late for their connection; nor does anybody have to listen for what is sent to many.
CREATE TEMP TABLE told_drop AS
SELECT k.rowid AS drop_id, k.vantage_id, v.host_id, k.at_ns, ref_ns(coalesce(k.seen_vantage_id, (SELECT min(n.id) FROM vantage n
		WHERE n.host_id = v.host_id AND n.kind = 'nic'), v.id), k.at_ns) AS ref_at_ns,
	k.capture_file_id, k.frame, k.reason, k.function, k.interface, k.netns, k.segments,
	coalesce(k.way, 'in') AS way, k.protocol, k.src_ip, k.src_port, k.dst_ip, k.dst_port, k.tcp_flags, k.flow_id, k.direction,
	k.seen_vantage_id, k.seen_file_id, k.seen_frame, k.sent_vantage_id, k.sent_file_id, k.sent_frame,
	coalesce(r.class, 'host') AS class, r.meaning, r.remedy, r.counter
FROM kernel_drop k
JOIN vantage v ON v.id = k.vantage_id
LEFT JOIN drop_reason r ON r.name = k.reason
LEFT JOIN flow f ON f.id = k.flow_id
WHERE k.src_ip IS NOT NULL AND coalesce(r.class, 'host') != 'normal'
	AND NOT (coalesce(k.way, 'in') = 'in' AND (coalesce(k.socket, '') IN ('raw', 'packet') OR coalesce(k.function, '') LIKE 'raw%'
			OR coalesce(k.function, '') LIKE '%packet_rcv'))
	AND CASE WHEN k.reason != 'NO_SOCKET' THEN 1
		WHEN k.dst_ip LIKE 'ff%:%' OR k.dst_ip LIKE '255.%' OR k.dst_ip LIKE '%.255'
			OR regexp('^(22[4-9]|23[0-9])[.]', k.dst_ip) THEN 0
		WHEN k.protocol = 6 THEN k.tcp_flags & 18 = 2
		ELSE f.id IS NULL OR NOT EXISTS (SELECT 1 FROM flow_vantage x WHERE x.flow_id = f.id
			AND iif(k.direction = 'c2s', x.packets_s2c, x.packets_c2s) > 0) END;
CREATE INDEX temp.told_drop_by_flow ON told_drop(flow_id, host_id);
