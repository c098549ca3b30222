-- A host received nothing, or was heard by nobody, for a span though there was something to receive
-- if: SELECT 1 FROM dark_span
-- prepare/dark.sql finds the spans. One finding for each host and direction.
CREATE TEMP TABLE hd_found AS
SELECT row_number() OVER (ORDER BY d.host_id, d.direction, min(d.vantage_id)) AS key,
	d.host_id, d.direction, min(d.vantage_id) AS vantage_id, count(*) AS spans,
	sum(d.to_ns - d.from_ns) AS total_ns, max(d.to_ns - d.from_ns) AS longest_ns, min(d.from_ns) AS from_ns,
	max(d.to_ns) AS to_ns, max(d.peers) AS peers, sum(d.frames) AS frames, sum(d.logged) AS logged,
	sum(d.own_frames) AS own_frames, min(d.alive) AS alive, max(d.alive_by) AS alive_by,
	min(d.returned) AS returned
FROM dark_span d GROUP BY d.host_id, d.direction;

-- Kernel lines of that host, in a span or up to ten seconds around it: what the driver says.
CREATE TEMP TABLE hd_line AS
SELECT d.id AS span_id, k.host_id, min(k.at_ns) AS at_ns, k.message, k.host_file_id, k.line
FROM dark_span d
JOIN kernel_log k ON k.host_id = d.host_id
LEFT JOIN host_clock c ON c.host_id = d.host_id
WHERE ref_ns(coalesce(d.vantage_id, c.vantage_id), k.at_ns)
	BETWEEN d.from_ns - 10000000000 AND d.to_ns + 10000000000
GROUP BY d.id;

-- Counters of the interface that stood still between two samples in a span.
CREATE TEMP TABLE hd_counter AS
SELECT d.id AS span_id, n.name, max(n.value) - min(n.value) AS grew
FROM dark_span d
JOIN nic_counter n ON n.vantage_id = d.vantage_id AND n.name IN ('rx_packets', 'tx_packets', 'rx_missed_errors',
		'rx_dropped', 'tx_dropped', 'tx_timeout')
	AND ref_ns(n.vantage_id, n.at_ns) BETWEEN d.from_ns AND d.to_ns
GROUP BY d.id, n.name HAVING count(*) > 1;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'host-dark',
	CASE WHEN f.total_ns >= 5000000000 THEN 'critical' ELSE 'warning' END,
	CASE WHEN f.alive_by = 'silence to everyone' THEN 0.8 WHEN f.alive THEN 0.97 ELSE 0.85 END,
	f.host_id, CASE f.direction WHEN 'tx' THEN f.vantage_id END,
	CASE f.direction WHEN 'tx' THEN NULL ELSE f.vantage_id END,
	CASE f.direction WHEN 'tx' THEN a.ip END, CASE f.direction WHEN 'tx' THEN NULL ELSE a.ip END,
	f.from_ns, f.to_ns, f.spans, NULL,
	CASE WHEN f.direction = 'rx' THEN h.name || ' received nothing'
			WHEN f.direction = 'tx' THEN 'nothing ' || h.name || ' sent arrived anywhere'
			WHEN f.own_frames = 0 AND f.alive IS NOT 0 THEN h.name || ' received nothing and sent nothing'
			ELSE h.name || ' received nothing, and nothing it sent arrived anywhere,' END
		|| CASE f.spans WHEN 1 THEN ' for ' || span(f.longest_ns)
			ELSE ' ' || f.spans || ' times, for up to ' || span(f.longest_ns) || ', ' || span(f.total_ns) || ' in total' END
		|| CASE WHEN NOT f.returned THEN ', and did not come back' ELSE '' END
		|| CASE WHEN f.direction = 'tx' THEN '; it sent ' || f.frames || ' frames to ' || f.peers || iif(f.peers = 1, ' other', ' others')
			WHEN f.peers > 0 THEN '; ' || f.peers || iif(f.peers = 1, ' other', ' others') || ' sent ' || f.frames || ' frames to it' ELSE '' END
		|| CASE WHEN f.logged > 0 THEN '; the flow log accepted ' || f.logged || ' packets for it' ELSE '' END
		|| CASE WHEN f.alive AND f.direction != 'tx' THEN '; it was up all the time ('
				|| iif(f.alive_by = 'its own frames', 'it went on sending', f.alive_by) || ')'
			WHEN f.alive = 0 THEN '; it gave no sign of life' ELSE '' END
		|| coalesce('; its kernel says: ' || (SELECT l.message FROM hd_line l JOIN dark_span d ON d.id = l.span_id
			WHERE d.host_id = f.host_id AND d.direction = f.direction
			ORDER BY (l.message NOT LIKE '%WATCHDOG%'), l.at_ns LIMIT 1), ''),
	CASE WHEN f.alive = 0 THEN 'look at the console of ' || h.name || '; before others like it are restarted: '
			|| '`bothends query DB --saved exposure`'
		WHEN f.direction = 'rx' THEN 'on ' || h.name || ', look at the receive side: driver version (`ethtool -i ' || coalesce(nullif(pv.interface, 'any'), 'INTERFACE')
			|| '`), ring and missed counters (`ethtool -S ' || coalesce(nullif(pv.interface, 'any'), 'INTERFACE') || '`), /proc/interrupts'
		WHEN f.direction = 'tx' THEN 'on ' || h.name || ', look at the transmit side: kernel log, tx_timeout and carrier '
			|| 'counters (`ethtool -S ' || coalesce(nullif(pv.interface, 'any'), 'INTERFACE') || '`), driver'
		ELSE 'look at the link and the driver of ' || h.name || ', and at the host beneath it' END,
	json_patch('{}', json_object('direction', f.direction, 'alive', CASE f.alive WHEN 1 THEN json('true')
			WHEN 0 THEN json('false') END,
		'alive_by', f.alive_by, 'returned', f.returned, 'seconds', f.total_ns / 1e9, 'peers', f.peers,
		'frames', f.frames, 'logged', f.logged, 'own_frames', f.own_frames,
		'counters', (SELECT json_group_object(name, grew) FROM (SELECT c.name, sum(c.grew) AS grew
			FROM hd_counter c JOIN dark_span d ON d.id = c.span_id
			WHERE d.host_id = f.host_id AND d.direction = f.direction GROUP BY c.name ORDER BY c.name)),
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_patch('{}', json_object('from_ns', d.from_ns, 'to_ns', d.to_ns, 'peers', d.peers,
				'frames', d.frames, 'logged', d.logged, 'own_frames', d.own_frames, 'kernel', l.message)) AS w
			FROM dark_span d LEFT JOIN hd_line l ON l.span_id = d.id
			WHERE d.host_id = f.host_id AND d.direction = f.direction ORDER BY d.from_ns LIMIT 500))))
FROM hd_found f JOIN host h ON h.id = f.host_id
LEFT JOIN vantage pv ON pv.id = f.vantage_id
LEFT JOIN (SELECT host_id, min(ip) AS ip FROM dk_ip GROUP BY host_id HAVING count(*) = 1) a ON a.host_id = f.host_id
ORDER BY f.key;

-- Proof: lost segments of those spans, and what each other place counts.
CREATE TEMP TABLE hd_event AS
SELECT f.key, e.id AS event_id, row_number() OVER (PARTITION BY f.key ORDER BY e.sent_ns, e.id) AS n
FROM hd_found f
CROSS JOIN dark_span d ON d.host_id = f.host_id AND d.direction = f.direction
CROSS JOIN vantage o ON o.host_id = f.host_id
CROSS JOIN segment_event e ON e.kind = 'lost' AND ((f.direction != 'tx' AND e.to_vantage_id = o.id)
	OR (f.direction != 'rx' AND e.from_vantage_id = o.id))
WHERE ref_ns(e.from_vantage_id, e.sent_ns) BETWEEN d.from_ns AND d.to_ns
GROUP BY f.key, e.id;
INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, CASE WHEN (SELECT direction FROM hd_found f WHERE f.key = hd_event.key)
	= 'tx' THEN 'sent in that time' ELSE 'sent to it in that time' END
FROM hd_event WHERE n <= 20 ORDER BY key, n;

INSERT INTO new_evidence (key, host_file_id, line, note)
SELECT f.key, l.host_file_id, l.line, 'kernel log, ' || iso(l.at_ns) || ': ' || l.message
FROM hd_found f
JOIN dark_span d ON d.host_id = f.host_id AND d.direction = f.direction
JOIN hd_line l ON l.span_id = d.id AND l.host_file_id IS NOT NULL
ORDER BY f.key, l.at_ns LIMIT 20;

-- A line for each other, with the capture that shows its frames.
INSERT INTO new_evidence (key, capture_file_id, note)
SELECT key, (SELECT min(i.capture_file_id) FROM capture_interface i WHERE i.vantage_id = shown_at),
	frames || ' frames ' || CASE direction WHEN 'tx' THEN 'to ' ELSE 'from ' END || peer_ip || ' in that time'
FROM (
	SELECT f.key, f.direction, t.peer_ip, sum(t.frames) AS frames,
		(SELECT min(l.vantage_id) FROM dk_ip d JOIN dk_place l ON l.host_id = d.host_id WHERE d.ip = t.peer_ip)
			AS shown_at
	FROM hd_found f
	JOIN dark_span d ON d.host_id = f.host_id AND d.direction = f.direction
	CROSS JOIN dk_toward t ON t.host_id = d.host_id AND t.ref_ns >= d.from_ns AND t.ref_ns < d.to_ns
	WHERE f.direction != 'tx' GROUP BY f.key, t.peer_ip
	UNION ALL
	SELECT f.key, f.direction, t.peer_ip, sum(t.frames), f.vantage_id
	FROM hd_found f
	JOIN dark_span d ON d.host_id = f.host_id AND d.direction = f.direction
	CROSS JOIN dk_sent t ON t.host_id = d.host_id AND t.ref_ns >= d.from_ns AND t.ref_ns < d.to_ns
	WHERE f.direction = 'tx' GROUP BY f.key, t.peer_ip)
ORDER BY key, peer_ip;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, packets || ' packets accepted, and none arrived' FROM (
	SELECT f.key, x.log_file_id, x.line, x.packets,
		row_number() OVER (PARTITION BY f.key ORDER BY x.id) AS n
	FROM hd_found f
	JOIN dark_span d ON d.host_id = f.host_id AND d.direction = f.direction AND d.logged > 0
	JOIN dk_ip a ON a.host_id = f.host_id
	JOIN flow_log x ON coalesce(x.pkt_dst_ip, x.dst_ip) = a.ip AND x.start_ns >= d.from_ns AND x.end_ns <= d.to_ns
	WHERE x.action = 'ACCEPT' AND x.packets > 0 AND EXISTS (SELECT 1 FROM dark_span WHERE logged > 0))
WHERE n <= 20 ORDER BY key, n;
