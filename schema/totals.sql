-- Sums of path, and events that are rare among many: what they are
-- if: SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM path_total)
-- The join adds up as it goes (record/totals.c), and leaves these tables empty where the pairs of addresses are too
-- many for that, as facts by hand do: then the judge adds up by this file. tests/lab/check.py holds the one against
-- the other. Who changes path empties path_total.
DELETE FROM loss_total;
DELETE FROM handshake_ack;

INSERT INTO loss_total
SELECT p.from_vantage_id, p.to_vantage_id, p.direction, f.client_ip, f.server_ip,
	iif(p.direction = 'c2s', s.client_ip, s.server_ip) AS src_ip,
	iif(p.direction = 'c2s', s.server_ip, s.client_ip) AS dst_ip, s.server_port, p.syn_lost > 0 AS syn,
	0, count(*), sum(f.outcome IN ('unanswered', 'half_open')), sum(p.lost + p.misaddressed), sum(p.syn_lost),
	sum(p.bytes_lost + p.bytes_misaddressed), min(CASE WHEN f.protocol = 'tcp' THEN p.smallest_lost END),
	max(p.estimated), min(f.first_ns), max(f.last_ns)
FROM path p
CROSS JOIN flow f ON f.id = p.flow_id
CROSS JOIN flow_vantage s ON s.flow_id = p.flow_id AND s.vantage_id = p.from_vantage_id
WHERE (p.lost > 0 OR p.misaddressed > 0) AND f.pairing NOT IN ('ambiguous', 'proxy')
GROUP BY p.from_vantage_id, p.to_vantage_id, p.direction, f.client_ip, f.server_ip, src_ip, dst_ip,
	s.server_port, syn;
UPDATE loss_total SET port_syn_sent = t.syn_sent
FROM (SELECT p.from_vantage_id, p.to_vantage_id, p.direction, f.client_ip, f.server_ip, s.server_port,
		sum(p.syn_sent) AS syn_sent
	FROM path p
	CROSS JOIN flow f ON f.id = p.flow_id
	CROSS JOIN flow_vantage s ON s.flow_id = p.flow_id AND s.vantage_id = p.from_vantage_id
	WHERE p.syn_sent > 0
	GROUP BY p.from_vantage_id, p.to_vantage_id, p.direction, f.client_ip, f.server_ip, s.server_port) t
WHERE t.from_vantage_id = loss_total.from_vantage_id AND t.to_vantage_id = loss_total.to_vantage_id
	AND t.direction = loss_total.direction AND t.client_ip = loss_total.client_ip
	AND t.server_ip = loss_total.server_ip AND t.server_port = loss_total.server_port;

INSERT INTO handshake_ack
SELECT e.id, s.client_ip, s.server_ip, s.server_port, f.outcome = 'half_open'
FROM segment_event e
CROSS JOIN flow f ON f.id = e.flow_id
CROSS JOIN flow_vantage s ON s.flow_id = e.flow_id AND s.vantage_id = e.from_vantage_id
LEFT JOIN packet p ON p.capture_file_id = e.sent_file_id AND p.frame = e.sent_frame
WHERE e.kind IN ('lost', 'misaddressed') AND e.direction = 'c2s'
	AND e.length = 0 AND e.tcp_flags & 23 = 16 AND f.protocol = 'tcp'
	AND f.pairing NOT IN ('ambiguous', 'proxy')
	AND e.seq = (f.client_isn + s.seq_delta_c2s + 1) & 4294967295
	-- The segment's acknowledgment number is at hand only where its packet has a row.
	AND CASE WHEN p.ack IS NOT NULL AND f.server_isn IS NOT NULL
		THEN p.ack = (f.server_isn + s.seq_delta_s2c + 1) & 4294967295
		ELSE NOT EXISTS (SELECT 1 FROM path b WHERE b.flow_id = f.id AND b.direction = 's2c'
			AND b.bytes_sent + b.bytes_received > 0) END
GROUP BY e.id;

INSERT INTO path_total
SELECT p.from_vantage_id, p.to_vantage_id, p.direction, f.client_ip, f.server_ip, count(*),
	sum(p.sent), sum(p.delivered), sum(p.misaddressed), sum(p.lost), sum(p.capture_missed),
	sum(p.unjudged), sum(p.received), sum(p.duplicated), sum(p.injected), sum(p.sender_missed),
	sum(p.modified), sum(p.reordered), sum(p.retransmitted), sum(p.syn_sent), sum(p.syn_lost),
	coalesce(max(p.largest_delivered), 0), max(p.estimated)
FROM path p
CROSS JOIN flow f ON f.id = p.flow_id
GROUP BY p.from_vantage_id, p.to_vantage_id, p.direction, f.client_ip, f.server_ip;
