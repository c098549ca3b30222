-- The records after one id, up to another, in order, as the joins need them.
SELECT log_file_id, line, interface, src_ip, src_port, dst_ip, dst_port, pkt_src_ip, pkt_dst_ip, protocol,
	packets, bytes, start_ns, end_ns, action, log_status, tcp_flags, direction, sampled,
	CASE WHEN detail LIKE '%packets-lost%' OR detail LIKE '%"state"%' OR detail LIKE '%nat_gateway%'
		OR detail LIKE '%TransitGateway%' OR detail LIKE '%_GATEWAY%' THEN detail END
FROM flow_log WHERE id > ?1 AND id <= ?2 ORDER BY id
