-- Views of the flow logs for people.

CREATE VIEW flow_log_named AS -- records with the file's path, the ENI's host and times as text
SELECT l.id, h.name AS host, l.interface, l.direction, l.src_ip, l.src_port, l.dst_ip, l.dst_port, l.protocol,
	l.packets, l.bytes, iso(l.start_ns) AS start, iso(l.end_ns) AS "end", l.action, l.log_status,
	l.tcp_flags, f.path, l.line
FROM flow_log l
JOIN log_file f ON f.id = l.log_file_id
LEFT JOIN vantage v ON v.id = l.vantage_id
LEFT JOIN host h ON h.id = v.host_id;

CREATE VIEW flow_log_enis AS -- ENIs with what their logs hold
SELECT h.name AS host, v.interface, i.own_ip, i.own_ip6, i.records, i.accepted, i.rejected, i.nodata, i.skipdata,
	iso(i.first_ns) AS first, iso(i.last_ns) AS last, i.interval_ns / 1000000000 AS window_s, i.has_flags,
	i.sampled, i.sources, i.transit, v.trust
FROM flow_log_interface i
JOIN vantage v ON v.id = i.vantage_id
JOIN host h ON h.id = v.host_id;

CREATE VIEW flow_log_timeline AS -- each minute of each ENI; a record counts in every minute of its window
SELECT h.name AS host, v.interface, w.start_ns, iso(w.start_ns) AS minute, w.in_records, w.in_requests, w.in_answered, w.in_packets,
	w.out_records, w.out_packets, w.peers, w.peers_answered, w.rejected, w.nodata, w.skipdata
FROM flow_log_window w
JOIN vantage v ON v.id = w.vantage_id
JOIN host h ON h.id = v.host_id;

CREATE VIEW flow_log_pair_timeline AS -- each minute of each pair of addresses at each ENI, by the start of the window
SELECT v.interface, l.src_ip, l.dst_ip, l.protocol, l.start_ns / 60000000000 * 60000000000 AS start_ns,
	iso(l.start_ns / 60000000000 * 60000000000) AS minute, count(*) AS records,
	sum(l.packets) FILTER (WHERE l.action IS NOT 'REJECT') AS packets,
	sum(l.bytes) FILTER (WHERE l.action IS NOT 'REJECT') AS bytes,
	sum(l.packets) FILTER (WHERE l.action = 'REJECT') AS rejected_packets
FROM flow_log l
JOIN vantage v ON v.id = l.vantage_id
WHERE l.src_ip IS NOT NULL
GROUP BY l.vantage_id, l.src_ip, l.dst_ip, l.protocol, l.start_ns / 60000000000;

CREATE VIEW flow_log_pair_hours AS -- each hour of each pair of addresses at each ENI, by the start of the window, whether records were kept or their sums
SELECT v.interface, p.src_ip, p.dst_ip, p.protocol, p.port, p.start_ns, iso(p.start_ns) AS hour, sum(p.records) AS records, sum(p.packets) AS packets,
	sum(p.bytes) AS bytes, sum(p.rejected_records) AS rejected_records, sum(p.rejected_packets) AS rejected_packets
FROM (SELECT * FROM flow_log_pair_hour
	UNION ALL
	SELECT vantage_id, start_ns / 3600000000000 * 3600000000000, coalesce(pkt_src_ip, src_ip), coalesce(pkt_dst_ip, dst_ip), protocol,
		coalesce(min(src_port, dst_port), src_port, dst_port), 1, iif(action IS NOT 'REJECT', coalesce(packets, 0), 0),
		iif(action IS NOT 'REJECT', coalesce(bytes, 0), 0), action IS 'REJECT', iif(action = 'REJECT', coalesce(packets, 0), 0)
	FROM flow_log
	WHERE src_ip IS NOT NULL AND start_ns IS NOT NULL AND vantage_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM flow_log_pair_hour)) p
JOIN vantage v ON v.id = p.vantage_id
GROUP BY p.vantage_id, p.src_ip, p.dst_ip, p.protocol, p.port, p.start_ns;

CREATE VIEW flow_log_rejects AS -- rejects by ENI, pair and service
SELECT h.name AS host, v.interface, p.own, p.client_ip, p.server_ip, p.protocol, p.server_port,
	p.rejected_records_c2s, p.rejected_packets_c2s, p.rejected_records_s2c, p.rejected_packets_s2c,
	p.reply_rejected_flows > 0 AS replies_rejected, p.records_c2s AS accepted_records_c2s,
	iso(p.rejected_first_ns) AS first, iso(p.rejected_last_ns) AS last, f.path, p.rejected_line AS line
FROM flow_log_pair p
JOIN vantage v ON v.id = p.vantage_id
JOIN host h ON h.id = v.host_id
LEFT JOIN log_file f ON f.id = p.rejected_file_id
WHERE p.rejected_records_c2s + p.rejected_records_s2c > 0;

CREATE VIEW flow_log_one_way AS -- accepted with no answer recorded, by ENI, pair and service
SELECT h.name AS host, v.interface, p.own, p.client_ip, p.server_ip, p.protocol, p.server_port,
	p.unanswered_flows, p.flows, p.unanswered_packets, p.unanswered_syn, p.edge_flows, p.void_flows,
	iso(p.unanswered_first_ns) AS first, iso(p.unanswered_last_ns) AS last, f.path,
	p.unanswered_line AS line
FROM flow_log_pair p
JOIN vantage v ON v.id = p.vantage_id
JOIN host h ON h.id = v.host_id
LEFT JOIN log_file f ON f.id = p.unanswered_file_id
WHERE p.unanswered_flows + p.void_flows > 0;

CREATE VIEW flow_log_failed AS -- what clients asked of services in vain, and how it ended
SELECT coalesce(client_ip, 'outside') AS client, coalesce(server_ip, 'outside') AS server, protocol, server_port, asked, answered,
	asked - answered - half_open AS failed, refused, small, idle, rejected_out, rejected_in, reply_rejected, lost, reply_lost,
	reply_elsewhere, silent, unanswered, edge, iso(answered_first_ns) AS first_answer, iso(answered_last_ns) AS last_answer,
	iso(failed_first_ns) AS first_failure, iso(failed_last_ns) AS last_failure, f.path, r.line
FROM flow_log_request r
LEFT JOIN log_file f ON f.id = r.log_file_id
WHERE asked > answered + half_open;

CREATE VIEW flow_log_dark AS -- spans of minutes in which an ENI accepted packets and nobody was answered
SELECT h.name AS host, v.interface, iso(min(start_ns)) AS "from", iso(max(start_ns) + 60000000000) AS "to",
	count(*) AS minutes, max(peers) AS peers, sum(in_packets) AS packets, sum(out_packets) AS sent_meanwhile
FROM (SELECT *, start_ns / 60000000000 - row_number() OVER (PARTITION BY vantage_id ORDER BY start_ns) AS run
	FROM flow_log_window WHERE in_requests > 0 AND in_answered = 0 AND skipdata = 0) w
JOIN vantage v ON v.id = w.vantage_id
JOIN host h ON h.id = v.host_id
GROUP BY w.vantage_id, w.run;

CREATE VIEW flow_log_gaps AS -- spans of the log with SKIPDATA, with NODATA alone, and without any record
SELECT v.interface, state, iso(from_ns) AS "from", iso(to_ns) AS "to", (to_ns - from_ns) / 60000000000 AS minutes
FROM (
	SELECT vantage_id, state, min(start_ns) AS from_ns, max(start_ns) + 60000000000 AS to_ns
	FROM (SELECT vantage_id, start_ns, CASE WHEN skipdata THEN 'skipdata' ELSE 'nodata' END AS state,
			start_ns / 60000000000 - row_number() OVER (PARTITION BY vantage_id, skipdata > 0
				ORDER BY start_ns) AS run
		FROM flow_log_window
		WHERE skipdata > 0 OR nodata > 0 AND in_records + out_records + rejected = 0)
	GROUP BY vantage_id, state, run
	UNION ALL
	SELECT vantage_id, 'missing', previous_ns + 60000000000, start_ns
	FROM (SELECT vantage_id, start_ns, lag(start_ns) OVER (PARTITION BY vantage_id ORDER BY start_ns) AS previous_ns
		FROM flow_log_window)
	WHERE start_ns - previous_ns > 120000000000) g
JOIN vantage v ON v.id = g.vantage_id;

CREATE VIEW flow_log_talkers AS -- who sends most through which ENI
SELECT h.name AS host, v.interface, p.client_ip, p.server_ip, p.protocol, p.server_port, p.flows,
	p.bytes_c2s + p.bytes_s2c AS bytes, p.packets_c2s + p.packets_s2c AS packets, p.bytes_c2s, p.bytes_s2c,
	iso(p.first_ns) AS first, iso(p.last_ns) AS last
FROM flow_log_pair p
JOIN vantage v ON v.id = p.vantage_id
JOIN host h ON h.id = v.host_id;

CREATE VIEW flow_log_files AS -- flow-log files with what became of their lines
SELECT f.id, f.path, f.format, f.bytes, f.damaged, sum(a.lines) AS lines,
	sum(a.lines) FILTER (WHERE a.disposition = 'record') AS records,
	sum(a.lines) FILTER (WHERE a.disposition = 'nodata') AS nodata,
	sum(a.lines) FILTER (WHERE a.disposition = 'skipdata') AS skipdata,
	sum(a.lines) FILTER (WHERE a.disposition = 'malformed') AS malformed,
	sum(a.lines) FILTER (WHERE a.disposition = 'duplicate') AS duplicate,
	sum(a.lines) FILTER (WHERE a.disposition IN ('header', 'blank', 'control', 'other')) AS others
FROM log_file f
LEFT JOIN log_account a ON a.log_file_id = f.id
GROUP BY f.id;
