-- Dark hosts: spans of whole seconds, from what each place recorded by second. Fills dark_span.
-- A host is dark when nothing arrives though at least two others (or a flow log) sent to it; or when
-- nobody hears it though it sends to at least two. The first and last second of a span are left out
-- when frames are counted: seconds of two clocks do not coincide.
DELETE FROM dark_span;
-- Computed columns are cast: without a type of their own an index on them is not used.

CREATE TEMP TABLE dk_ip AS
SELECT ip, CAST(min(host_id) AS INTEGER) AS host_id FROM host_address
WHERE ip IS NOT NULL AND ip NOT LIKE '127.%' AND ip NOT LIKE 'fe80:%' AND ip != '::1'
	AND ip NOT IN (SELECT ip FROM vrrp_vip)
GROUP BY ip HAVING count(DISTINCT host_id) = 1;
CREATE INDEX temp.dk_ip_by_ip ON dk_ip(ip);

-- Places that saw packets of their own and are fit; their clock as one number (a second is coarse).
CREATE TEMP TABLE dk_place AS
SELECT v.id AS vantage_id, v.host_id, v.first_ns, v.last_ns, c.valid_from, c.valid_to, c.offset_ns,
	EXISTS (SELECT 1 FROM capture_interface i WHERE i.vantage_id = v.id AND i.filter IS NOT NULL
		AND i.filter != '') AS filtered,
	(SELECT count(*) FROM vantage o WHERE o.host_id = v.host_id AND o.kind = 'nic') AS siblings
FROM vantage v JOIN clock_piece c ON c.vantage_id = v.id
WHERE v.kind = 'nic' AND v.trust != 'unfit';
CREATE INDEX temp.dk_place_by_vantage ON dk_place(vantage_id);

CREATE TEMP TABLE dk_pair AS
SELECT p.vantage_id, l.host_id AS place_host, s.host_id AS src_host, d.host_id AS dst_host, p.src_ip, p.dst_ip,
	CAST(ref_ns(p.vantage_id, p.second_ns) AS INTEGER)
		AS ref_ns,
	p.frames
FROM peer_activity p
CROSS JOIN dk_place l ON l.vantage_id = p.vantage_id AND p.second_ns >= l.valid_from AND p.second_ns < l.valid_to
LEFT JOIN dk_ip s ON s.ip = p.src_ip
LEFT JOIN dk_ip d ON d.ip = p.dst_ip
WHERE s.host_id IS NOT NULL OR d.host_id IS NOT NULL;

-- Sent to a host, seen where it was sent or on the way; heard from a host at another's place; sent by
-- a host to captured others, at its own place; and what each place is known to get to see.
CREATE TEMP TABLE dk_toward AS
SELECT host_id, peer_ip, ref_ns, max(frames) AS frames FROM (
	SELECT dst_host AS host_id, src_ip AS peer_ip, ref_ns, frames FROM dk_pair
	WHERE dst_host IS NOT NULL AND place_host != dst_host AND src_host IS NOT dst_host
	UNION ALL
	-- who has lost its MAC can only ask for it; and answers that it asked for are sent to it
	SELECT d.host_id, a.sender_ip, CAST(ref_ns(a.vantage_id, a.at_ns) / 1000000000 * 1000000000 AS INTEGER), 1
	FROM arp a
	CROSS JOIN dk_place p ON p.vantage_id = a.vantage_id AND a.at_ns >= p.valid_from AND a.at_ns < p.valid_to
	CROSS JOIN dk_ip d ON d.ip = a.target_ip
	WHERE a.operation IN ('request', 'reply') AND a.sender_ip IS NOT NULL AND p.host_id != d.host_id
		AND a.sender_ip != a.target_ip)
GROUP BY host_id, peer_ip, ref_ns;
CREATE INDEX temp.dk_toward_by_time ON dk_toward(host_id, ref_ns);
CREATE TEMP TABLE dk_heard AS
SELECT src_host AS host_id, dst_ip AS peer_ip, ref_ns FROM dk_pair
WHERE src_host IS NOT NULL AND place_host != src_host;
CREATE INDEX temp.dk_heard_by_time ON dk_heard(host_id, ref_ns);
CREATE TEMP TABLE dk_sent AS
SELECT src_host AS host_id, dst_ip AS peer_ip, dst_host AS peer_host, ref_ns, frames FROM dk_pair
WHERE place_host = src_host AND dst_host IS NOT NULL AND dst_host != src_host;
CREATE INDEX temp.dk_sent_by_time ON dk_sent(host_id, ref_ns);
CREATE TEMP TABLE dk_known AS
SELECT DISTINCT vantage_id, src_ip AS peer_ip FROM dk_pair WHERE dst_host = place_host;
CREATE INDEX temp.dk_known_by_place ON dk_known(vantage_id, peer_ip);
CREATE TEMP TABLE dk_answered AS
SELECT host_id, peer_ip, min(ref_ns) AS first_ns FROM dk_heard GROUP BY host_id, peer_ip;
CREATE INDEX temp.dk_answered_by_host ON dk_answered(host_id, peer_ip);

-- What each place received and sent by second. A capture that does not tell directions counts all as
-- received: there the addresses tell, as far as they belong to the host.
CREATE TEMP TABLE dk_second AS
SELECT a.vantage_id, a.second_ns, a.rx_frames, a.tx_frames FROM activity a
WHERE a.vantage_id IN (SELECT vantage_id FROM activity GROUP BY vantage_id HAVING sum(tx_frames) > 0)
UNION ALL
SELECT p.vantage_id, p.second_ns, sum(CASE WHEN d.host_id = l.host_id THEN p.frames ELSE 0 END),
	sum(CASE WHEN s.host_id = l.host_id THEN p.frames ELSE 0 END)
FROM peer_activity p
CROSS JOIN dk_place l ON l.vantage_id = p.vantage_id AND p.second_ns >= l.valid_from AND p.second_ns < l.valid_to
LEFT JOIN dk_ip s ON s.ip = p.src_ip
LEFT JOIN dk_ip d ON d.ip = p.dst_ip
WHERE p.vantage_id NOT IN (SELECT vantage_id FROM activity GROUP BY vantage_id HAVING sum(tx_frames) > 0)
GROUP BY p.vantage_id, p.second_ns;
CREATE INDEX temp.dk_second_by_time ON dk_second(vantage_id, second_ns);

-- Its own ARP, at its own place and where others heard it: a host that asks is alive.
CREATE TEMP TABLE dk_arp AS
SELECT l.host_id, a.vantage_id, CAST(p.host_id = l.host_id AS INTEGER) AS own,
	CAST(ref_ns(a.vantage_id, a.at_ns) AS INTEGER) AS ref_ns
FROM arp a
CROSS JOIN dk_place p ON p.vantage_id = a.vantage_id AND a.at_ns >= p.valid_from AND a.at_ns < p.valid_to
CROSS JOIN (SELECT DISTINCT host_id, mac FROM vantage WHERE mac IS NOT NULL AND kind = 'nic') l
	ON l.mac = a.sender_mac;
CREATE INDEX temp.dk_arp_by_time ON dk_arp(host_id, own, ref_ns);

-- Where a clock was set: from when on the piece behind it holds for certain, and since when it may.
CREATE TEMP TABLE dk_doubt AS
SELECT vantage_id, since_ns, from_ns FROM (
	SELECT vantage_id, from_ns, lag(to_ns) OVER w AS since_ns,
		coalesce(offset_ns, offset_low_ns, offset_high_ns)
			- lag(coalesce(offset_ns, offset_low_ns, offset_high_ns)) OVER w AS moved_ns
	FROM clock WINDOW w AS (PARTITION BY vantage_id ORDER BY from_ns))
WHERE abs(moved_ns) >= 1000000;
CREATE INDEX temp.dk_doubt_by_vantage ON dk_doubt(vantage_id);

-- Pauses of reception at each place, its own clock. The end of its capture ends one too.
CREATE TEMP TABLE dk_pause AS
SELECT q.*, l.host_id, l.filtered, l.siblings,
	-- whether its capture tells directions: then ARP is among what it sent
	EXISTS (SELECT 1 FROM activity a WHERE a.vantage_id = q.vantage_id AND a.tx_frames > 0) AS told,
	ref_ns(q.vantage_id, q.at_from_ns) AS from_ns,
	-- the clock may have jumped ahead meanwhile: by the next frame's own piece (its second's end is in it), and by
	-- a piece that had begun by then for all that is known: the one before it held for certain only until before
	min(ref_ns(q.vantage_id, q.at_from_ns) + q.at_to_ns - q.at_from_ns,
		ref_ns(q.vantage_id, q.at_to_ns + 999999999) - 999999999,
		coalesce((SELECT ref_ns(q.vantage_id, n.from_ns) - n.from_ns + q.at_to_ns FROM dk_doubt n
			WHERE n.vantage_id = q.vantage_id AND n.since_ns <= q.at_to_ns AND n.from_ns > q.at_from_ns), 9e18)) AS to_ns
FROM (
	SELECT a.vantage_id, a.second_ns + 1000000000 AS at_from_ns,
		coalesce(lead(a.second_ns) OVER (PARTITION BY a.vantage_id ORDER BY a.second_ns), v.last_ns) AS at_to_ns,
		lead(a.second_ns) OVER (PARTITION BY a.vantage_id ORDER BY a.second_ns) IS NOT NULL AS returned
	FROM dk_second a JOIN vantage v ON v.id = a.vantage_id WHERE a.rx_frames > 0) q
CROSS JOIN dk_place l ON l.vantage_id = q.vantage_id AND q.at_from_ns >= l.valid_from AND q.at_from_ns < l.valid_to
WHERE q.at_to_ns - q.at_from_ns >= (SELECT value FROM setting WHERE key = 'dark_min_s') * 1000000000;
DELETE FROM dk_pause WHERE to_ns - from_ns < (SELECT value FROM setting WHERE key = 'dark_min_s') * 1000000000;

-- Running: a file reaches over the pause, or frames of its own, or heartbeats, stand in it.
CREATE TEMP TABLE dk_rx AS
SELECT p.*,
	(SELECT coalesce(sum(a.tx_frames), 0) FROM dk_second a WHERE a.vantage_id = p.vantage_id
		AND a.second_ns >= p.at_from_ns AND a.second_ns < p.at_to_ns)
	+ CASE WHEN p.told THEN 0 ELSE (SELECT count(*) FROM dk_arp a WHERE a.host_id = p.host_id AND a.own = 1
		AND a.ref_ns >= p.from_ns AND a.ref_ns < p.to_ns) END AS own_frames,
	(SELECT count(*) FROM host_fact b WHERE b.key = 'heartbeat' AND b.host_id = p.host_id
		AND b.at_ns > p.at_from_ns AND b.at_ns < p.at_to_ns) AS heartbeats,
	(SELECT count(*) FROM kernel_log k WHERE k.host_id = p.host_id AND k.at_ns > p.at_from_ns
		AND k.at_ns < p.at_to_ns) AS lines,
	EXISTS (SELECT 1 FROM capture_file f JOIN capture_interface i ON i.capture_file_id = f.id
		WHERE i.vantage_id = p.vantage_id AND f.first_ns <= p.at_from_ns AND f.last_ns >= p.at_to_ns
			-- stamps of two files of one place overlap where its clock was set back: then they tell no order
			AND NOT EXISTS (SELECT 1 FROM capture_file o JOIN capture_interface n ON n.capture_file_id = o.id
				WHERE n.vantage_id = p.vantage_id AND o.id != f.id AND o.first_ns < f.last_ns
					AND o.last_ns > f.first_ns)) AS covered,
	(SELECT count(DISTINCT t.peer_ip) FROM dk_toward t WHERE t.host_id = p.host_id
		AND t.ref_ns >= p.from_ns + 1000000000 AND t.ref_ns <= p.to_ns - 2000000000
		-- a place that sees only some of the traffic is asked only for what it is known to see
		AND (NOT p.filtered AND p.siblings = 1 OR EXISTS (SELECT 1 FROM dk_known k
			WHERE k.vantage_id = p.vantage_id AND k.peer_ip = t.peer_ip))) AS peers,
	(SELECT coalesce(sum(t.frames), 0) FROM dk_toward t WHERE t.host_id = p.host_id
		AND t.ref_ns >= p.from_ns + 1000000000 AND t.ref_ns <= p.to_ns - 2000000000
		AND (NOT p.filtered AND p.siblings = 1 OR EXISTS (SELECT 1 FROM dk_known k
			WHERE k.vantage_id = p.vantage_id AND k.peer_ip = t.peer_ip))) AS frames,
	-- how long the sending lasted: over long captures not every second has rows
	(SELECT max(t.ref_ns) - min(t.ref_ns) FROM dk_toward t WHERE t.host_id = p.host_id
		AND t.ref_ns >= p.from_ns + 1000000000 AND t.ref_ns <= p.to_ns - 2000000000) AS lasted_ns,
	(SELECT count(*) FROM dk_heard h WHERE h.host_id = p.host_id
		AND h.ref_ns >= p.from_ns + 1000000000 AND h.ref_ns <= p.to_ns - 2000000000)
	+ (SELECT count(*) FROM dk_arp a WHERE a.host_id = p.host_id AND a.own = 0
		AND a.ref_ns >= p.from_ns + 1000000000 AND a.ref_ns <= p.to_ns - 1000000000) AS heard,
	0 AS logged
FROM dk_pause p
WHERE NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = p.vantage_id
	AND d.from_ns < p.at_to_ns AND d.to_ns > p.at_from_ns);
-- What a flow log accepted for the host in windows that lie in the pause.
CREATE TEMP TABLE dk_log AS
SELECT d.host_id, l.start_ns, l.end_ns, l.packets
FROM (SELECT 1 FROM dk_rx LIMIT 1) once -- without a pause the records are not read at all
CROSS JOIN flow_log l
JOIN dk_ip d ON d.ip = coalesce(l.pkt_dst_ip, l.dst_ip)
WHERE l.action = 'ACCEPT' AND l.packets > 0 AND NOT l.sampled AND l.direction IS NOT 'egress';
CREATE INDEX temp.dk_log_by_time ON dk_log(host_id, start_ns);
UPDATE dk_rx SET logged = (SELECT coalesce(sum(l.packets), 0) FROM dk_log l WHERE l.host_id = dk_rx.host_id
	AND l.start_ns >= dk_rx.from_ns AND l.end_ns <= dk_rx.to_ns);

INSERT INTO dark_span (host_id, vantage_id, direction, from_ns, to_ns, returned, peers, frames, logged, own_frames,
	alive, alive_by)
SELECT host_id, vantage_id, CASE WHEN heard = 0 AND own_frames = 0 THEN 'both' ELSE 'rx' END, from_ns, to_ns,
	returned, peers, frames, logged, own_frames,
	CASE WHEN own_frames > 0 OR heard > 0 OR heartbeats > 0 OR lines > 0 THEN 1 END,
	CASE WHEN own_frames > 0 OR heard > 0 THEN 'its own frames' WHEN heartbeats > 0 THEN 'heartbeat'
		WHEN lines > 0 THEN 'kernel log' END
FROM dk_rx
WHERE (covered OR own_frames > 0 OR heartbeats > 0)
	AND ((peers >= (SELECT value FROM setting WHERE key = 'dark_min_peers')
		AND lasted_ns + 3000000000 >= (to_ns - from_ns) / 2) OR logged > 0)
ORDER BY from_ns, host_id, vantage_id;

-- Times in which no other place heard a host that others had heard before.
CREATE TEMP TABLE dk_silence AS
SELECT host_id, ref_ns + 1000000000 AS from_ns, coalesce(next_ns, end_ns) AS to_ns, next_ns IS NOT NULL AS returned
FROM (
	SELECT h.host_id, h.ref_ns, lead(h.ref_ns) OVER (PARTITION BY h.host_id ORDER BY h.ref_ns) AS next_ns,
		-- until the second last of the other places' captures ended: one alone proves nothing
		(SELECT max(t.ref_ns) FROM dk_toward t WHERE t.host_id = h.host_id) AS end_ns
	FROM (SELECT DISTINCT host_id, ref_ns FROM dk_heard) h)
WHERE coalesce(next_ns, end_ns) - ref_ns - 1000000000
	>= (SELECT value FROM setting WHERE key = 'dark_min_s') * 1000000000;

-- Transmit: it sent to at least two captured others, whose captures ran, and none of it arrived.
CREATE TEMP TABLE dk_tx AS
SELECT s.*, count(DISTINCT t.peer_host) AS peers, sum(t.frames) AS frames,
	max(t.ref_ns) - min(t.ref_ns) AS lasted_ns
FROM dk_silence s
JOIN dk_sent t ON t.host_id = s.host_id AND t.ref_ns >= s.from_ns + 1000000000 AND t.ref_ns <= s.to_ns - 2000000000
JOIN dk_answered k ON k.host_id = t.host_id AND k.peer_ip = t.peer_ip
WHERE EXISTS (SELECT 1 FROM dk_place l JOIN activity a ON a.vantage_id = l.vantage_id
	WHERE l.host_id = t.peer_host AND a.second_ns BETWEEN s.from_ns + l.offset_ns AND s.to_ns + l.offset_ns)
GROUP BY s.host_id, s.from_ns, s.to_ns;
CREATE INDEX temp.dk_tx_by_time ON dk_tx(host_id, from_ns);
DELETE FROM dk_tx WHERE lasted_ns + 3000000000 < (to_ns - from_ns) / 2;
-- Whoever's ARP was heard in the meantime was not silent to everybody.
DELETE FROM dk_tx WHERE EXISTS (SELECT 1 FROM dk_arp a WHERE a.host_id = dk_tx.host_id AND a.own = 0
	AND a.ref_ns >= dk_tx.from_ns + 1000000000 AND a.ref_ns <= dk_tx.to_ns - 1000000000);
UPDATE dark_span SET direction = 'both' WHERE direction = 'rx' AND EXISTS (SELECT 1 FROM dk_tx t
	WHERE t.host_id = dark_span.host_id AND t.from_ns < dark_span.to_ns
		AND t.peers >= (SELECT value FROM setting WHERE key = 'dark_min_peers')
		AND min(t.to_ns, dark_span.to_ns) - max(t.from_ns, dark_span.from_ns)
			> (dark_span.to_ns - dark_span.from_ns) / 2);
INSERT INTO dark_span (host_id, vantage_id, direction, from_ns, to_ns, returned, peers, frames, logged, own_frames,
	alive, alive_by)
SELECT t.host_id, (SELECT min(l.vantage_id) FROM dk_place l WHERE l.host_id = t.host_id), 'tx', t.from_ns, t.to_ns,
	t.returned, t.peers, t.frames, 0, t.frames, 1, 'its own frames'
FROM dk_tx t
WHERE t.peers >= (SELECT value FROM setting WHERE key = 'dark_min_peers')
	AND NOT EXISTS (SELECT 1 FROM dark_span d WHERE d.host_id = t.host_id AND d.direction = 'both'
		AND d.from_ns < t.to_ns AND d.to_ns > t.from_ns)
ORDER BY t.from_ns, t.host_id;

-- Gone: nobody hears it, its own capture does not run, and at least two others that it had answered
-- go on sending. Coming back with another boot, or with none of the old connections, is a reboot.
CREATE TEMP TABLE dk_ran AS -- seconds of a host's own captures: from when, or until when, where its clock leaves both open
SELECT host_id, CAST(min(ref_ns, doubt_ns) AS INTEGER) AS low_ns, CAST(max(ref_ns, doubt_ns) AS INTEGER) AS high_ns
FROM (
	SELECT l.host_id, ref_ns(a.vantage_id, a.second_ns) AS ref_ns,
		coalesce((SELECT ref_ns(n.vantage_id, n.from_ns) - n.from_ns + a.second_ns FROM dk_doubt n
			WHERE n.vantage_id = a.vantage_id AND n.since_ns < a.second_ns + 1000000000
				AND n.from_ns > a.second_ns), ref_ns(a.vantage_id, a.second_ns)) AS doubt_ns
	FROM (SELECT DISTINCT vantage_id, host_id FROM dk_place) l CROSS JOIN activity a ON a.vantage_id = l.vantage_id
	WHERE l.host_id IN (SELECT host_id FROM dk_silence WHERE to_ns - from_ns
		>= (SELECT value FROM setting WHERE key = 'dark_gone_s') * 1000000000));
CREATE INDEX temp.dk_ran_by_time ON dk_ran(host_id, low_ns);
CREATE TEMP TABLE dk_lone AS
SELECT s.* FROM dk_silence s
WHERE s.to_ns - s.from_ns >= (SELECT value FROM setting WHERE key = 'dark_gone_s') * 1000000000
	AND NOT EXISTS (SELECT 1 FROM dk_arp a WHERE a.host_id = s.host_id
		AND a.ref_ns >= s.from_ns + 1000000000 AND a.ref_ns <= s.to_ns - 1000000000)
	AND EXISTS (SELECT 1 FROM dk_place l WHERE l.host_id = s.host_id)
	AND NOT EXISTS (SELECT 1 FROM dk_ran r WHERE r.host_id = s.host_id AND r.low_ns > s.from_ns + 1000000000
		AND r.low_ns < s.to_ns - 1000000000 AND r.high_ns < s.to_ns - 1000000000)
	AND NOT EXISTS (SELECT 1 FROM dk_place l JOIN capture_interface i ON i.vantage_id = l.vantage_id
		JOIN capture_file f ON f.id = i.capture_file_id
		WHERE l.host_id = s.host_id AND ref_ns(l.vantage_id, f.first_ns) <= s.from_ns
			AND ref_ns(l.vantage_id, f.last_ns) >= s.to_ns);
CREATE TEMP TABLE dk_gone AS
SELECT s.*, count(DISTINCT t.peer_ip) AS peers, sum(t.frames) AS frames, max(t.ref_ns) AS last_sent_ns,
	min(t.ref_ns) AS first_sent_ns
FROM dk_lone s
JOIN dk_toward t ON t.host_id = s.host_id AND t.ref_ns >= s.from_ns + 1000000000 AND t.ref_ns <= s.to_ns
JOIN dk_answered k ON k.host_id = t.host_id AND k.peer_ip = t.peer_ip AND k.first_ns < s.from_ns
GROUP BY s.host_id, s.from_ns, s.to_ns;
-- Connections of those hosts that lived, to see whether any outlasts the span.
CREATE TEMP TABLE dk_flow AS
SELECT d.host_id, f.first_ns, f.last_ns
FROM (SELECT 1 FROM dk_gone LIMIT 1) once CROSS JOIN flow f CROSS JOIN dk_ip d ON d.ip = f.client_ip
WHERE f.protocol = 'tcp' AND f.outcome NOT IN ('reset', 'unanswered') AND d.host_id IN (SELECT host_id FROM dk_gone)
UNION ALL
SELECT d.host_id, f.first_ns, f.last_ns
FROM (SELECT 1 FROM dk_gone LIMIT 1) once CROSS JOIN flow f CROSS JOIN dk_ip d ON d.ip = f.server_ip
WHERE f.protocol = 'tcp' AND f.outcome NOT IN ('reset', 'unanswered') AND d.host_id IN (SELECT host_id FROM dk_gone);
CREATE INDEX temp.dk_flow_by_time ON dk_flow(host_id, first_ns);
INSERT INTO dark_span (host_id, vantage_id, direction, from_ns, to_ns, returned, peers, frames, logged, own_frames,
	alive, alive_by)
SELECT g.host_id, NULL, 'both', g.from_ns, g.to_ns, g.returned, g.peers, g.frames, 0, 0,
	CASE WHEN EXISTS (SELECT 1 FROM host_fact b WHERE b.key = 'heartbeat' AND b.host_id = g.host_id
		AND b.at_ns > g.from_ns + 2000000000 AND b.at_ns < g.to_ns - 2000000000) THEN 1 ELSE 0 END,
	CASE WHEN EXISTS (SELECT 1 FROM host_fact b WHERE b.key = 'heartbeat' AND b.host_id = g.host_id
		AND b.at_ns > g.from_ns + 2000000000 AND b.at_ns < g.to_ns - 2000000000) THEN 'heartbeat'
		ELSE 'silence to everyone' END
FROM dk_gone g
WHERE g.peers >= (SELECT value FROM setting WHERE key = 'dark_min_peers')
	-- they went on for most of the time, not only for the last words of a connection
	AND g.last_sent_ns - g.first_sent_ns + 3000000000 >= (g.to_ns - g.from_ns) / 2
	AND NOT (g.returned AND (
		(SELECT count(DISTINCT value) FROM host_fact b WHERE b.key = 'host.boot_id' AND b.host_id = g.host_id) > 1
		OR NOT EXISTS (SELECT 1 FROM dk_flow f WHERE f.host_id = g.host_id AND f.first_ns < g.from_ns
			AND f.last_ns > g.to_ns)))
	AND NOT EXISTS (SELECT 1 FROM dark_span d WHERE d.host_id = g.host_id AND d.from_ns < g.to_ns
		AND d.to_ns > g.from_ns)
ORDER BY g.from_ns, g.host_id;
