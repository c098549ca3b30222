-- What several rules need, made once before they run: temporary tables, gone when the connection
-- closes. Each reads a large table from one end to the other at most once.
DELETE FROM evidence;
DELETE FROM finding;
-- Connects these table functions: afterwards rules may make no tables in main, and SQLite would take
-- the connecting for that.
SELECT 1 FROM json_each('[]'), json_tree('[]');

-- Directions of flows in which segments were lost between two vantage points. The addresses are the
-- ones seen where the segments were sent (NAT). An unfit capture supports no verdict: not here.
CREATE TEMP TABLE lossy AS
SELECT p.rowid AS path_id, p.flow_id, p.direction, p.from_vantage_id, p.to_vantage_id,
	f.protocol, f.client_ip, f.server_ip, f.outcome, f.first_ns, f.last_ns,
	CASE p.direction WHEN 'c2s' THEN s.client_ip ELSE s.server_ip END AS src_ip,
	CASE p.direction WHEN 'c2s' THEN s.server_ip ELSE s.client_ip END AS dst_ip,
	s.server_port,
	p.sent, p.delivered, p.unjudged, p.lost + p.misaddressed AS lost, p.syn_sent, p.syn_lost,
	p.bytes_lost + p.bytes_misaddressed AS bytes, p.smallest_lost, p.largest_delivered,
	p.estimated, 0 AS pmtu,
	CASE WHEN vf.trust = 'sound' AND vt.trust = 'sound' THEN 1.0 ELSE 0.8 END AS trusted
FROM path p
CROSS JOIN vantage vf ON vf.id = p.from_vantage_id AND vf.trust != 'unfit'
CROSS JOIN vantage vt ON vt.id = p.to_vantage_id AND vt.trust != 'unfit'
CROSS JOIN flow f ON f.id = p.flow_id
CROSS JOIN flow_vantage s ON s.flow_id = p.flow_id AND s.vantage_id = p.from_vantage_id
WHERE (p.lost > 0 OR p.misaddressed > 0) AND f.pairing NOT IN ('ambiguous', 'proxy');
CREATE INDEX temp.lossy_by_flow ON lossy(flow_id, from_vantage_id);

-- Ends between which anything was lost, with all that passed between them: also the flows that lost
-- nothing. The ends are those of the flow table.
CREATE TEMP TABLE lossy_pair AS
SELECT from_vantage_id, to_vantage_id, direction, client_ip, server_ip,
	0 AS syn_sent, 0 AS delivered, 0 AS largest_delivered, 0 AS flows
FROM lossy
GROUP BY from_vantage_id, to_vantage_id, direction, client_ip, server_ip;
UPDATE lossy_pair SET (syn_sent, delivered, largest_delivered, flows) = (
	SELECT sum(p.syn_sent), sum(p.delivered), coalesce(max(p.largest_delivered), 0), count(*)
	FROM flow f INDEXED BY flow_by_client
	CROSS JOIN path p INDEXED BY path_by_flow ON p.flow_id = f.id
	WHERE f.client_ip = lossy_pair.client_ip AND f.server_ip = lossy_pair.server_ip
		AND p.direction = lossy_pair.direction AND p.from_vantage_id = lossy_pair.from_vantage_id
		AND p.to_vantage_id = lossy_pair.to_vantage_id);
CREATE INDEX temp.lossy_pair_by_ends
	ON lossy_pair(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);

-- Ends of which only the large packets are lost: at least pmtu_min_lost transmissions of payload, all
-- of them larger than everything that ever arrived between these ends, and something did arrive.
CREATE TEMP TABLE pmtu_pair AS
SELECT l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip,
	sum(l.lost - l.syn_lost) AS lost, sum(l.sent) AS sent, count(*) AS flows,
	min(l.smallest_lost) AS smallest_lost, w.largest_delivered
FROM lossy l
CROSS JOIN lossy_pair w USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
WHERE l.smallest_lost IS NOT NULL AND l.protocol = 'tcp'
GROUP BY l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip
HAVING min(l.smallest_lost) >= (SELECT value FROM setting WHERE key = 'pmtu_min_bytes')
	AND min(l.smallest_lost) > w.largest_delivered AND w.largest_delivered > 0
	AND sum(l.lost - l.syn_lost) >= (SELECT value FROM setting WHERE key = 'pmtu_min_lost');
CREATE INDEX temp.pmtu_pair_by_ends
	ON pmtu_pair(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);
UPDATE lossy SET pmtu = 1
WHERE (from_vantage_id, to_vantage_id, direction, client_ip, server_ip) IN (
	SELECT from_vantage_id, to_vantage_id, direction, client_ip, server_ip FROM pmtu_pair)
	AND smallest_lost IS NOT NULL;

-- Totals from one vantage point to the next, over all flows.
CREATE TEMP TABLE leg AS
SELECT p.from_vantage_id, p.to_vantage_id, count(*) AS flows, sum(p.sent) AS sent,
	sum(p.delivered) AS delivered, sum(p.lost) AS lost, sum(p.misaddressed) AS misaddressed,
	sum(p.capture_missed) AS capture_missed, sum(p.unjudged) AS unjudged,
	sum(p.received) AS received, sum(p.duplicated) AS duplicated, sum(p.injected) AS injected,
	sum(p.sender_missed) AS sender_missed, sum(p.modified) AS modified,
	sum(p.reordered) AS reordered, sum(p.retransmitted) AS retransmitted,
	sum(p.syn_sent) AS syn_sent, sum(p.syn_lost) AS syn_lost, max(p.estimated) AS estimated,
	0 AS other_lost, 0 AS random
FROM path p
GROUP BY p.from_vantage_id, p.to_vantage_id;

-- other_lost: what neither a lost handshake nor a path MTU explains. random: it is enough of it to
-- speak of a loss rate.
UPDATE leg SET other_lost = coalesce((
	SELECT sum(l.lost - l.syn_lost) FROM lossy l
	WHERE l.from_vantage_id = leg.from_vantage_id AND l.to_vantage_id = leg.to_vantage_id
		AND NOT l.pmtu), 0);
UPDATE leg SET random = 1
WHERE other_lost >= (SELECT value FROM setting WHERE key = 'loss_min_segments')
	AND other_lost >= (SELECT value FROM setting WHERE key = 'loss_min_rate')
		* (sent - unjudged - syn_sent);

-- Ends between which SYNs (c2s) or SYN-ACKs (s2c) were lost. broken: connections that never came
-- about. own: more of them than the loss rate of the leg lets expect, so a story of its own.
CREATE TEMP TABLE handshake_pair AS
SELECT l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip,
	sum(l.syn_lost) AS lost, w.syn_sent AS sent, count(*) AS flows,
	sum(l.outcome IN ('unanswered', 'half_open')) AS broken,
	NOT g.random OR (sum(l.syn_lost) >= 3 AND wilson_low(sum(l.syn_lost), w.syn_sent)
		> 2 * wilson_high(g.other_lost, g.sent - g.unjudged - g.syn_sent)) AS own
FROM lossy l
CROSS JOIN lossy_pair w USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
JOIN leg g ON g.from_vantage_id = l.from_vantage_id AND g.to_vantage_id = l.to_vantage_id
WHERE l.syn_lost > 0
GROUP BY l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip;

-- The same by finding: ends of their own as long as they are few, else by server, else all of the
-- leg in one. What the loss rate explains is one for the leg.
CREATE TEMP TABLE handshake_key AS
WITH crowd AS (
	SELECT from_vantage_id, to_vantage_id, direction, count(*) AS pairs,
		count(DISTINCT server_ip) AS servers,
		(SELECT value FROM setting WHERE key = 'pairs_max') AS pairs_max
	FROM handshake_pair WHERE own GROUP BY from_vantage_id, to_vantage_id, direction)
SELECT h.*, dense_rank() OVER (ORDER BY h.from_vantage_id, h.to_vantage_id, h.direction, h.own DESC,
		CASE WHEN h.own AND c.pairs <= c.pairs_max THEN h.client_ip END,
		CASE WHEN h.own AND (c.pairs <= c.pairs_max OR c.servers <= c.pairs_max) THEN h.server_ip
		END) AS finding_key
FROM handshake_pair h
LEFT JOIN crowd c USING (from_vantage_id, to_vantage_id, direction);
CREATE INDEX temp.handshake_key_by_ends
	ON handshake_key(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);

-- The flows behind each of them.
CREATE TEMP TABLE handshake_flow AS
SELECT k.finding_key, l.*
FROM lossy l
CROSS JOIN handshake_key k USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
WHERE l.syn_lost > 0;
CREATE INDEX temp.handshake_flow_by_key ON handshake_flow(finding_key);

-- And the groups, counted.
CREATE TEMP TABLE handshake_group AS
SELECT k.*, min(f.trusted) AS trusted, min(f.first_ns) AS first_ns, max(f.last_ns) AS last_ns,
	CASE WHEN min(f.src_ip) = max(f.src_ip) THEN min(f.src_ip) END AS src_ip,
	CASE WHEN min(f.dst_ip) = max(f.dst_ip) THEN min(f.dst_ip) END AS dst_ip,
	CASE WHEN min(f.server_port) = max(f.server_port) THEN min(f.server_port) END AS port,
	count(DISTINCT f.src_ip) AS sources, count(DISTINCT f.dst_ip) AS destinations
FROM (SELECT finding_key, from_vantage_id, to_vantage_id, direction, own, sum(lost) AS lost,
		sum(sent) AS sent, sum(flows) AS flows, sum(broken) AS broken
	FROM handshake_key GROUP BY finding_key) k
CROSS JOIN handshake_flow f USING (finding_key)
GROUP BY k.finding_key;

-- Segment events that prove a finding. A rule adds rows; link.sql turns them into frames in evidence.
CREATE TEMP TABLE cite (
	finding_id INTEGER NOT NULL,
	event_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- order within the finding, from 1
	what TEXT NOT NULL -- what the segment is: "SYN-ACK 3 of 12"
);
