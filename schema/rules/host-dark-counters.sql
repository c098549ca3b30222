-- A host's own counters stood still while packets were sent to it (host-dark; also eni-not-host)
-- if: SELECT 1 FROM counter_change
-- A counter of received packets that stands still says nothing by itself: perhaps nobody sent. The flow log of the host's
-- own interface, the cloud's metric of it, or the capture of a peer has to show packets for the host in that very time, with a margin for clocks.
-- An interface that never receives anything proves nothing, and of several that do, all have to stand still. Samples
-- bound the times: a span is as exact as they are dense.
CREATE TEMP TABLE hc_rx AS
SELECT host_id, interface, kind, sampled, from_ns, to_ns, grew,
	-- rates are rounded to a hundredth a second
	grew <= iif(sampled, 0, (to_ns - from_ns) / 1e9 * 0.01) AS still, host_file_id, line, before_file_id, before_line
FROM counter_change WHERE name = 'rx_packets';
CREATE TEMP TABLE hc_live AS
SELECT host_id, interface, kind FROM hc_rx GROUP BY host_id, interface, kind HAVING sum(NOT still) > 0;

-- Stretches that stand still, without a hole between their samples.
CREATE TEMP TABLE hc_span AS
SELECT row_number() OVER (ORDER BY host_id, interface, kind, min(from_ns)) AS id, host_id, interface, kind, sampled,
	min(from_ns) AS from_ns, max(to_ns) AS to_ns, count(*) AS samples, max(to_ns - from_ns) AS coarse_ns,
	max(is_last) AS is_last
FROM (
	SELECT *, sum(breaks) OVER (PARTITION BY host_id, interface, kind ORDER BY from_ns, to_ns) AS run
	FROM (SELECT *, coalesce(NOT still OR NOT lag(still) OVER w OR from_ns > lag(to_ns) OVER w + 1000000000, 1) AS breaks,
			lead(still) OVER w IS NULL AS is_last
		FROM hc_rx JOIN hc_live USING (host_id, interface, kind)
		WINDOW w AS (PARTITION BY host_id, interface, kind ORDER BY from_ns, to_ns)))
WHERE still
GROUP BY host_id, interface, kind, run
HAVING max(to_ns) - min(from_ns) >= (SELECT value FROM setting WHERE key = 'dark_min_s') * 1000000000;
CREATE INDEX temp.hc_span_by_host ON hc_span(host_id, from_ns);
-- Another interface of the host received meanwhile: the packets may have come there.
CREATE TEMP TABLE hc_other AS
SELECT DISTINCT s.id
FROM hc_span s JOIN hc_live o ON o.host_id = s.host_id AND o.kind = s.kind AND o.interface != s.interface
JOIN hc_rx x ON x.host_id = o.host_id AND x.interface = o.interface AND x.kind = o.kind AND NOT x.still
	AND x.from_ns < s.to_ns - s.coarse_ns AND x.to_ns > s.from_ns + s.coarse_ns;
DELETE FROM hc_span WHERE id IN (SELECT id FROM hc_other);
-- A capture of the host that ran decides itself.
DELETE FROM hc_span WHERE EXISTS (SELECT 1 FROM vantage v WHERE v.host_id = hc_span.host_id AND v.kind = 'nic'
	AND v.trust != 'unfit' AND v.first_ns < hc_span.to_ns AND v.last_ns > hc_span.from_ns);
-- Several interfaces or sources that stood still at one time are one span: the longest speaks.
DELETE FROM hc_span WHERE EXISTS (SELECT 1 FROM hc_span o WHERE o.host_id = hc_span.host_id AND o.id != hc_span.id
	AND o.from_ns < hc_span.to_ns AND o.to_ns > hc_span.from_ns
	AND (o.to_ns - o.from_ns > hc_span.to_ns - hc_span.from_ns
		OR (o.to_ns - o.from_ns = hc_span.to_ns - hc_span.from_ns AND o.id < hc_span.id)));

-- What its own flow log accepted for it: records that lie whole in the span.
CREATE TEMP TABLE hc_log AS
SELECT v.host_id, l.log_file_id, l.line, l.src_ip, l.dst_ip, l.packets, l.bytes, l.start_ns, l.end_ns
FROM vantage v
JOIN flow_log_interface i ON i.vantage_id = v.id AND NOT i.transit AND i.sources < 2
JOIN flow_log l ON l.vantage_id = v.id
WHERE v.kind = 'flowlog' AND v.host_id IN (SELECT host_id FROM hc_live) AND l.action = 'ACCEPT' AND l.packets > 0
	AND NOT l.sampled AND l.direction IS NOT 'egress' AND (l.dst_ip IN (i.own_ip, i.own_ip6)
		OR l.dst_ip IN (SELECT ip FROM host_address a WHERE a.host_id = v.host_id));
CREATE INDEX temp.hc_log_by_time ON hc_log(host_id, start_ns);
CREATE TEMP TABLE hc_logged AS
SELECT s.id, l.* FROM hc_span s JOIN hc_log l ON l.host_id = s.host_id
	AND l.start_ns >= s.from_ns + (SELECT value FROM setting WHERE key = 'flowlog_clock_s') * 1000000000
	AND l.end_ns <= s.to_ns - (SELECT value FROM setting WHERE key = 'flowlog_clock_s') * 1000000000;
-- What the cloud counted at its interface.
CREATE TEMP TABLE hc_cloud AS
SELECT s.id, c.host_file_id, c.line, c.grew AS packets, c.from_ns
FROM hc_span s JOIN counter_change c ON c.host_id = s.host_id AND c.name = 'cloud.NetworkPacketsIn' AND c.grew >= 1
	AND c.from_ns >= s.from_ns AND c.to_ns <= s.to_ns;
-- Connections of peers that were captured, whose packets were sent in the span and never answered.
CREATE TEMP TABLE hc_peer AS
SELECT s.id, f.id AS flow_id, f.client_ip, f.first_ns, max(x.packets_c2s) AS packets
FROM hc_span s
JOIN host_address a ON a.host_id = s.host_id AND a.ip IS NOT NULL
CROSS JOIN flow f ON f.outcome = 'unanswered' AND f.outcome NOT IN ('established', 'closed') -- in the index
	AND f.server_ip = a.ip
	AND f.first_ns >= s.from_ns + (SELECT value FROM setting WHERE key = 'flowlog_clock_s') * 1000000000
	AND f.last_ns <= s.to_ns - (SELECT value FROM setting WHERE key = 'flowlog_clock_s') * 1000000000
CROSS JOIN flow_vantage x ON x.flow_id = f.id
JOIN vantage v ON v.id = x.vantage_id AND v.trust != 'unfit' AND v.host_id != s.host_id
GROUP BY s.id, f.id;

-- What the host itself sent meanwhile, and whether its counters were read.
CREATE TEMP TABLE hc_dark AS
SELECT s.*,
	(SELECT coalesce(sum(packets), 0) FROM hc_logged l WHERE l.id = s.id) AS logged,
	(SELECT coalesce(sum(packets), 0) FROM hc_cloud l WHERE l.id = s.id) AS cloud,
	(SELECT coalesce(sum(packets), 0) FROM hc_peer p WHERE p.id = s.id) AS frames,
	(SELECT count(*) FROM (SELECT src_ip FROM hc_logged l WHERE l.id = s.id
		UNION SELECT client_ip FROM hc_peer p WHERE p.id = s.id)) AS peers,
	(SELECT coalesce(sum(c.grew), 0) FROM counter_change c WHERE c.host_id = s.host_id AND c.name = 'tx_packets'
		AND c.from_ns >= s.from_ns AND c.to_ns <= s.to_ns AND c.kind = s.kind AND c.interface = s.interface
		AND c.grew > iif(c.sampled, 0, (c.to_ns - c.from_ns) / 1e9 * 0.01)) AS sent,
	EXISTS (SELECT 1 FROM kernel_log k LEFT JOIN host_clock o ON o.host_id = k.host_id WHERE k.host_id = s.host_id
		AND ref_ns(o.vantage_id, k.at_ns) > s.from_ns AND ref_ns(o.vantage_id, k.at_ns) < s.to_ns) AS lines
FROM hc_span s;
DELETE FROM hc_dark WHERE max(logged, cloud, frames) < (SELECT value FROM setting WHERE key = 'loss_min_segments');

CREATE TEMP TABLE hc_known AS
SELECT host_id, first_ns, last_ns FROM finding WHERE kind = 'host-dark';
CREATE INDEX temp.hc_known_by_host ON hc_known(host_id);
CREATE TEMP TABLE hc_found AS
SELECT 'dark ' || row_number() OVER (ORDER BY host_id) AS key, host_id, min(interface) AS interface, min(kind) AS kind,
	iif(sum(sent) > 0, 'rx', 'both') AS direction, count(*) AS spans, sum(to_ns - from_ns) AS total_ns,
	max(to_ns - from_ns) AS longest_ns, min(from_ns) AS from_ns, max(to_ns) AS to_ns, max(coarse_ns) AS coarse_ns,
	sum(logged) AS logged, sum(cloud) AS cloud, sum(frames) AS frames, max(peers) AS peers, sum(sent) AS sent,
	max(samples) AS samples, max(lines) AS lines, max(is_last) AS is_last
FROM hc_dark d
WHERE NOT EXISTS (SELECT 1 FROM hc_known f WHERE f.host_id = d.host_id AND f.first_ns < d.to_ns AND f.last_ns > d.from_ns)
GROUP BY host_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'host-dark', CASE WHEN f.total_ns >= 5000000000 THEN 'critical' ELSE 'warning' END,
	CASE WHEN f.logged > 0 AND f.sent > 0 THEN 0.95 WHEN f.logged > 0 THEN 0.9 ELSE 0.8 END,
	f.host_id, NULL, NULL, NULL, CASE WHEN (SELECT count(*) FROM host_address a WHERE a.host_id = f.host_id AND a.ip IS NOT NULL) = 1
		THEN (SELECT a.ip FROM host_address a WHERE a.host_id = f.host_id AND a.ip IS NOT NULL) END,
	f.from_ns, f.to_ns, f.spans, NULL,
	h.name || ' received nothing' || CASE f.spans WHEN 1 THEN ' for ' || span(f.longest_ns) ELSE ' ' || f.spans || ' times, for up to '
		|| span(f.longest_ns) || ', ' || span(f.total_ns) || ' in total' END || ', by its own counter (' || f.interface || ' rx_packets)'
		|| CASE WHEN f.is_last THEN ', and did not come back' ELSE '' END
		|| CASE WHEN f.logged > 0 THEN '; its flow log accepted ' || f.logged || ' packets from ' || f.peers
				|| iif(f.peers = 1, ' sender', ' senders') || ' for it'
			WHEN f.cloud > 0 THEN '; the cloud counted ' || CAST(f.cloud AS INTEGER) || ' packets for it'
			ELSE '; ' || f.peers || iif(f.peers = 1, ' other', ' others') || ' sent ' || f.frames || ' packets to it' END
		|| CASE WHEN f.sent > 0 THEN '; it was up all the time (it went on sending)'
			WHEN f.samples > 1 OR f.lines THEN '; it was alive (its counters were read)' ELSE '' END,
	CASE WHEN f.sent > 0 THEN 'look at its receive side: driver version, interrupts (/proc/interrupts), '
			|| 'ring and missed counters (ethtool -S)'
		ELSE 'look at its link, its driver, and the host beneath it' END,
	json_patch('{}', json_object('direction', f.direction, 'alive', CASE WHEN f.sent > 0 OR f.samples > 1 OR f.lines THEN json('true') END,
		'alive_by', CASE WHEN f.sent > 0 THEN 'tx_packets' WHEN f.samples > 1 THEN 'samples' WHEN f.lines THEN 'kernel log' END,
		'returned', json(iif(f.is_last, 'false', 'true')), 'seconds', f.total_ns / 1e9,
		'peers', f.peers, 'frames', f.frames, 'logged', f.logged, 'interface', f.interface, 'source', f.kind,
		'sample_s', f.coarse_ns / 1e9, 'rule', 'host-dark-counters',
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', d.from_ns, 'to_ns', d.to_ns, 'logged', d.logged, 'frames', d.frames,
				'sent', d.sent) AS w
			FROM hc_dark d WHERE d.host_id = f.host_id ORDER BY d.from_ns LIMIT 500))))
FROM hc_found f JOIN host h ON h.id = f.host_id
ORDER BY f.key;

-- Proof: the first and the last sample of each span, what was sent, and what the kernel said.
INSERT INTO new_evidence (key, host_file_id, line, note)
SELECT key, host_file_id, line, note FROM (
	SELECT f.key, d.from_ns, 1 AS n, coalesce(x.before_file_id, x.host_file_id) AS host_file_id,
		coalesce(x.before_line, x.line) AS line,
		x.interface || ' rx_packets stands still from ' || iso(d.from_ns) || ' on' AS note
	FROM hc_found f JOIN hc_dark d ON d.host_id = f.host_id
	JOIN hc_rx x ON x.host_id = d.host_id AND x.interface = d.interface AND x.kind = d.kind AND x.from_ns = d.from_ns AND x.still
	UNION ALL
	SELECT f.key, d.from_ns, 2, x.host_file_id, x.line, x.interface || ' rx_packets stands still until ' || iso(d.to_ns)
	FROM hc_found f JOIN hc_dark d ON d.host_id = f.host_id
	JOIN hc_rx x ON x.host_id = d.host_id AND x.interface = d.interface AND x.kind = d.kind AND x.to_ns = d.to_ns AND x.still)
WHERE host_file_id IS NOT NULL
ORDER BY key, from_ns, n LIMIT 24;
INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, packets || ' packets from ' || src_ip || ' accepted at ' || iso(start_ns) FROM (
	SELECT f.key, l.*, row_number() OVER (PARTITION BY f.key ORDER BY l.start_ns, l.log_file_id, l.line) AS n
	FROM hc_found f JOIN hc_dark d ON d.host_id = f.host_id JOIN hc_logged l ON l.id = d.id)
WHERE n <= 12 ORDER BY key, n;
INSERT INTO new_evidence (key, host_file_id, line, note)
SELECT f.key, c.host_file_id, c.line, 'the cloud counted ' || CAST(c.packets AS INTEGER) || ' packets in from ' || iso(c.from_ns) || ' on'
FROM hc_found f JOIN hc_dark d ON d.host_id = f.host_id JOIN hc_cloud c ON c.id = d.id
ORDER BY f.key, c.from_ns LIMIT 12;
INSERT INTO new_evidence (key, flow_id, note)
SELECT key, flow_id, packets || ' packets from ' || client_ip || ' at ' || iso(first_ns) || ', none answered' FROM (
	SELECT f.key, p.*, row_number() OVER (PARTITION BY f.key ORDER BY p.first_ns, p.flow_id) AS n
	FROM hc_found f JOIN hc_dark d ON d.host_id = f.host_id JOIN hc_peer p ON p.id = d.id)
WHERE n <= 12 ORDER BY key, n;

-- eni-not-host: what the flow log accepted in stretches in which the counter stood still, or moved, all the time, against
-- what the host received in that time, from anybody and with what no flow log has (ARP, DHCP): what is missing is
-- missing at least.
CREATE TEMP TABLE hc_stretch AS
SELECT host_id, kind, min(from_ns) AS from_ns, max(to_ns) AS to_ns, sum(grew) AS packets,
	min(host_file_id) AS host_file_id, min(coalesce(before_line, line)) AS line
FROM (
	SELECT *, sum(breaks) OVER (PARTITION BY host_id, interface, kind ORDER BY from_ns) AS run
	FROM (SELECT *, coalesce(from_ns > lag(to_ns) OVER w + 1000000000 OR still != lag(still) OVER w, 1) AS breaks
		FROM hc_rx WHERE sampled WINDOW w AS (PARTITION BY host_id, interface, kind ORDER BY from_ns)))
-- of several interfaces it is not known which one the log speaks of
WHERE (host_id, kind) IN (SELECT host_id, kind FROM hc_live GROUP BY host_id, kind HAVING count(*) = 1)
	AND (host_id, interface, kind) IN (SELECT host_id, interface, kind FROM hc_live)
GROUP BY host_id, kind, interface, run;
CREATE TEMP TABLE hc_part AS
SELECT s.*, sum(l.packets) AS accepted, sum(l.bytes) AS accepted_bytes, count(*) AS records, min(l.start_ns) AS first_ns,
	max(l.end_ns) AS last_ns, count(DISTINCT l.src_ip) AS senders, min(l.src_ip) AS src_ip, min(l.dst_ip) AS dst_ip,
	(SELECT sum(c.grew) FROM counter_change c WHERE c.host_id = s.host_id AND c.name = 'rx_bytes' AND c.kind = s.kind
		AND c.from_ns >= s.from_ns AND c.to_ns <= s.to_ns) AS received_bytes
FROM hc_stretch s JOIN hc_log l ON l.host_id = s.host_id
	AND l.start_ns >= s.from_ns + (SELECT value FROM setting WHERE key = 'flowlog_clock_s') * 1000000000
	AND l.end_ns <= s.to_ns - (SELECT value FROM setting WHERE key = 'flowlog_clock_s') * 1000000000
GROUP BY s.host_id, s.kind, s.from_ns;
-- One source of the host's counters speaks: the one that most is missing from.
CREATE TEMP TABLE hc_short AS
SELECT 'short ' || row_number() OVER (ORDER BY host_id) AS key, * FROM (
	SELECT host_id, kind, min(from_ns) AS from_ns, max(to_ns) AS to_ns,
		sum(missing) AS missing, sum(accepted) AS accepted, sum(records) AS records, sum(packets) AS packets,
		min(first_ns) AS first_ns, max(last_ns) AS last_ns,
		iif(max(senders) = 1 AND min(src_ip) = max(src_ip), min(src_ip), NULL) AS src_ip,
		min(dst_ip) AS dst_ip, min(host_file_id) AS host_file_id, min(line) AS line,
		row_number() OVER (PARTITION BY host_id ORDER BY sum(missing) DESC, kind) AS place
	FROM (
		SELECT *, accepted - CAST(packets AS INTEGER) AS missing FROM hc_part
		-- merged frames (LRO) are fewer than packets: then bytes decide
		WHERE accepted > packets AND coalesce(accepted_bytes > received_bytes, 1)
			AND accepted - packets >= max((SELECT value FROM setting WHERE key = 'loss_min_segments'), accepted / 100))
	GROUP BY host_id, kind)
WHERE place = 1;
INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'eni-not-host', CASE WHEN f.missing * 10 >= f.accepted THEN 'critical' ELSE 'warning' END,
	0.9, f.host_id, (SELECT min(v.id) FROM vantage v WHERE v.host_id = f.host_id AND v.kind = 'flowlog'), NULL,
	f.src_ip, f.dst_ip, f.first_ns, f.last_ns, f.missing, f.accepted,
	'the flow log of ' || h.name || ' accepted ' || f.accepted || ' packets for ' || f.dst_ip || ' in times in which its own counter '
		|| iif(f.packets > 0, 'grew by ' || CAST(f.packets AS INTEGER), 'stood still') || ': at least ' || f.missing || ' never reached it',
	'the network delivered to the ENI: look at the driver of ' || h.name
		|| ' (ethtool -i, interrupts, ring drops), and the hypervisor',
	json_object('missing_low', f.missing, 'received', CAST(f.packets AS INTEGER), 'records', f.records,
		'direction', 'rx', 'source', f.kind, 'rule', 'host-dark-counters')
FROM hc_short f JOIN host h ON h.id = f.host_id
WHERE NOT EXISTS (SELECT 1 FROM vantage v WHERE v.host_id = f.host_id AND v.kind = 'nic' AND v.trust != 'unfit'
	AND v.first_ns < f.to_ns AND v.last_ns > f.from_ns)
ORDER BY f.key;
INSERT INTO new_evidence (key, host_file_id, line, note)
SELECT f.key, f.host_file_id, f.line, 'rx_packets, from this sample on'
FROM hc_short f WHERE f.host_file_id IS NOT NULL AND f.key IN (SELECT key FROM new_finding) ORDER BY f.key;
INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, packets || ' packets from ' || src_ip || ' accepted at ' || iso(start_ns) FROM (
	SELECT f.key, l.*, row_number() OVER (PARTITION BY f.key ORDER BY l.packets DESC, l.start_ns, l.line) AS n
	FROM hc_short f JOIN hc_part p ON p.host_id = f.host_id AND p.kind = f.kind AND p.accepted > p.packets
	JOIN hc_log l ON l.host_id = p.host_id AND l.start_ns >= p.from_ns AND l.end_ns <= p.to_ns
	WHERE f.key IN (SELECT key FROM new_finding))
WHERE n <= 12 ORDER BY key, n;
