-- Views of the flow logs for people.

CREATE VIEW flow_log_named AS -- records with the file's path, the ENI's host and times as text
SELECT l.id, h.name AS host, l.interface, l.direction, l.src_ip, l.src_port, l.dst_ip, l.dst_port, l.protocol,
	l.packets, l.bytes, iso(l.start_ns) AS start, iso(l.end_ns) AS "end", l.action, l.log_status,
	l.tcp_flags, f.path, l.line
FROM flow_log l
JOIN log_file f ON f.id = l.log_file_id
LEFT JOIN vantage v ON v.id = l.vantage_id
LEFT JOIN host h ON h.id = v.host_id;
