-- What several rules need, made once before they run: temporary tables, gone when the connection
-- closes. Each reads a large table from one end to the other at most once.
DELETE FROM evidence;
DELETE FROM finding;
-- Connects these table functions: afterwards rules may make no tables in main, and SQLite would take
-- the connecting for that.
SELECT 1 FROM json_each('[]'), json_tree('[]');

CREATE TEMP TABLE pair_total AS SELECT * FROM path_total;
CREATE INDEX temp.pair_total_by_ends
	ON pair_total(client_ip, server_ip, direction, from_vantage_id, to_vantage_id);

-- Resets that answered a SYN in the server's name, though the server's own capture, which goes on, shows neither:
-- another device spoke (injected-segment). The capture must have run then. That it would have recorded the flow the
-- join says, and nothing speaks against the capture; else a hop limit of another class than the one that this server
-- answers others with says it.
CREATE TEMP TABLE foreign_reset AS
SELECT f.id AS flow_id, e.id AS event_id, e.from_vantage_id, e.to_vantage_id, f.client_ip, f.server_ip,
	ref_ns(e.to_vantage_id, e.received_ns) AS at_ns, e.reason, e.segments,
	e.reason = 'no-proof' AND v.trust = 'sound' AS is_shown
FROM flow f
CROSS JOIN segment_event e ON e.flow_id = f.id AND e.direction = 's2c' AND e.kind = 'sender_missed' AND e.tcp_flags & 4
	AND e.reason IN ('no-proof', 'filter')
CROSS JOIN vantage v ON v.id = e.from_vantage_id AND v.trust != 'unfit'
CROSS JOIN flow_vantage a ON a.flow_id = f.id AND a.vantage_id = e.to_vantage_id
WHERE f.outcome = 'refused' AND f.outcome NOT IN ('established', 'closed') -- in the index
	AND f.pairing NOT IN ('ambiguous', 'proxy')
	AND NOT EXISTS (SELECT 1 FROM flow_vantage b WHERE b.flow_id = f.id AND b.vantage_id = e.from_vantage_id);
-- The class of the hop limits that each server answers with, where it is one; a sender begins with 64, 128 or 255.
CREATE TEMP TABLE answer_ttl AS
SELECT o.vantage_id, o.server_ip, min(o.class) AS class
FROM (SELECT x.vantage_id, x.server_ip, (x.ttl_s2c > 64) + (x.ttl_s2c > 128) AS class
	FROM (SELECT DISTINCT client_ip, server_ip FROM foreign_reset WHERE NOT is_shown) r
	CROSS JOIN flow f INDEXED BY flow_by_client ON f.client_ip = r.client_ip AND f.server_ip = r.server_ip
	CROSS JOIN flow_vantage x ON x.flow_id = f.id AND x.syn_s2c > 0) o
GROUP BY o.vantage_id, o.server_ip HAVING min(o.class) = max(o.class);
CREATE INDEX temp.answer_ttl_by_server ON answer_ttl(server_ip, vantage_id);
DELETE FROM foreign_reset WHERE NOT is_shown AND NOT EXISTS (
	SELECT 1 FROM flow_vantage a JOIN answer_ttl o ON o.server_ip = a.server_ip AND o.vantage_id = a.vantage_id
	WHERE a.flow_id = foreign_reset.flow_id AND a.vantage_id = foreign_reset.to_vantage_id
		AND (a.ttl_s2c > 64) + (a.ttl_s2c > 128) != o.class);
CREATE INDEX temp.foreign_reset_by_flow ON foreign_reset(flow_id);
CREATE INDEX temp.foreign_reset_by_leg ON foreign_reset(from_vantage_id, to_vantage_id);

-- Resets that arrived and that their alleged sender's capture lacks, where it lacks nothing else: no capture misses resets
-- alone, as far as chance goes, so they were never sent there.
CREATE TEMP TABLE lone_reset AS
SELECT e.id AS event_id, e.flow_id, e.direction, e.from_vantage_id, e.to_vantage_id, e.segments, e.reason,
	ref_ns(e.to_vantage_id, e.received_ns) AS at_ns
FROM (
	SELECT v.id, count(DISTINCT e.flow_id) AS resets
	FROM vantage v
	JOIN segment_event e ON e.kind = 'sender_missed' AND e.from_vantage_id = v.id AND e.reason NOT IN ('not-covered', 'filter')
	WHERE v.trust = 'sound' AND NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = v.id)
		AND NOT EXISTS (SELECT 1 FROM path_total p WHERE p.to_vantage_id = v.id AND p.capture_missed > 0)
		AND NOT EXISTS (SELECT 1 FROM segment_event b WHERE b.kind = 'both_missed' AND v.id IN (b.from_vantage_id, b.to_vantage_id))
	GROUP BY v.id
	HAVING min(e.tcp_flags & 4 != 0 AND e.reason = 'no-proof') AND count(DISTINCT e.flow_id) >= 2) l
CROSS JOIN segment_event e ON e.kind = 'sender_missed' AND e.from_vantage_id = l.id AND e.tcp_flags & 4 AND e.reason = 'no-proof'
WHERE e.id NOT IN (SELECT event_id FROM foreign_reset)
	AND l.resets * ln(1.0 * l.resets / (SELECT sum(p.received) FROM path_total p WHERE p.from_vantage_id = l.id))
		<= ln((SELECT value FROM setting WHERE key = 'pattern_max_chance'));

-- Directions of flows in which segments were lost between two vantage points. The addresses are the
-- ones seen where the segments were sent (NAT). An unfit capture supports no verdict: not here. There
-- may be as many as flows: only those are looked at one by one that a rule has something to say about
-- (lossy); the rest of them are sums (loss_rest, of all: loss_sum).
CREATE TEMP VIEW lossy_path AS
SELECT p.flow_id, p.leg, p.direction, p.from_vantage_id, p.to_vantage_id,
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
WHERE (p.lost > 0 OR p.misaddressed > 0) AND f.pairing NOT IN ('ambiguous', 'proxy')
	AND NOT EXISTS (SELECT 1 FROM foreign_reset r WHERE r.flow_id = f.id);

CREATE TEMP TABLE lossy AS SELECT * FROM lossy_path LIMIT 0;
CREATE TEMP TABLE loss_sum AS
SELECT t.*, CASE WHEN vf.trust = 'sound' AND vt.trust = 'sound' THEN 1.0 ELSE 0.8 END AS trusted
FROM loss_total t
JOIN vantage vf ON vf.id = t.from_vantage_id AND vf.trust != 'unfit'
JOIN vantage vt ON vt.id = t.to_vantage_id AND vt.trust != 'unfit';
-- Whoever answered a SYN kept it: that was not lost on the way.
CREATE TEMP TABLE kept_syn AS
SELECT p.from_vantage_id, p.to_vantage_id, r.client_ip, r.server_ip, s.server_port, count(*) AS flows,
	sum(p.lost + p.misaddressed) AS lost, sum(p.syn_lost) AS syn_lost
FROM foreign_reset r
CROSS JOIN path p ON p.flow_id = r.flow_id AND p.direction = 'c2s' AND p.syn_lost > 0
CROSS JOIN flow_vantage s ON s.flow_id = p.flow_id AND s.vantage_id = p.from_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id, r.client_ip, r.server_ip, s.server_port;
CREATE INDEX temp.kept_syn_by_ends ON kept_syn(from_vantage_id, to_vantage_id, client_ip, server_ip, server_port);
UPDATE loss_sum SET (flows, lost, syn_lost) = (
	SELECT loss_sum.flows - k.flows, loss_sum.lost - k.lost, loss_sum.syn_lost - k.syn_lost FROM kept_syn k
	WHERE k.from_vantage_id = loss_sum.from_vantage_id AND k.to_vantage_id = loss_sum.to_vantage_id
		AND k.client_ip = loss_sum.client_ip AND k.server_ip = loss_sum.server_ip
		AND k.server_port = loss_sum.server_port)
WHERE syn AND direction = 'c2s' AND EXISTS (SELECT 1 FROM kept_syn k
	WHERE k.from_vantage_id = loss_sum.from_vantage_id AND k.to_vantage_id = loss_sum.to_vantage_id
		AND k.client_ip = loss_sum.client_ip AND k.server_ip = loss_sum.server_ip
		AND k.server_port = loss_sum.server_port);
DELETE FROM loss_sum WHERE syn AND flows = 0;
CREATE INDEX temp.loss_sum_by_ends ON loss_sum(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);
CREATE TEMP TABLE loss_rest AS SELECT * FROM loss_sum;

-- Ends between which anything was lost, with all that passed between them: also the flows that lost
-- nothing. The ends are those of the flow table.
CREATE TEMP TABLE lossy_pair AS
SELECT from_vantage_id, to_vantage_id, direction, client_ip, server_ip,
	0 AS sent, 0 AS unjudged, 0 AS syn_sent, 0 AS largest_delivered, min(smallest_lost) AS smallest_lost
FROM loss_sum
GROUP BY from_vantage_id, to_vantage_id, direction, client_ip, server_ip;
UPDATE lossy_pair SET (sent, unjudged, syn_sent, largest_delivered) = (
	SELECT sum(p.sent), sum(p.unjudged), sum(p.syn_sent), max(p.largest_delivered)
	FROM pair_total p
	WHERE p.client_ip = lossy_pair.client_ip AND p.server_ip = lossy_pair.server_ip
		AND p.direction = lossy_pair.direction AND p.from_vantage_id = lossy_pair.from_vantage_id
		AND p.to_vantage_id = lossy_pair.to_vantage_id);
CREATE INDEX temp.lossy_pair_by_ends
	ON lossy_pair(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);

-- Ends of which only the large packets are lost: at least pmtu_min_lost transmissions of payload, all
-- of them larger than everything that ever arrived between these ends, and something did arrive. Lost
-- handshakes beside them (a fourth as many) speak for an outage instead.
CREATE TEMP TABLE pmtu_candidate AS
SELECT * FROM lossy_pair
WHERE smallest_lost > largest_delivered AND largest_delivered > 0
	AND smallest_lost >= (SELECT value FROM setting WHERE key = 'pmtu_min_bytes');
CREATE INDEX temp.pmtu_candidate_by_ends
	ON pmtu_candidate(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);
-- Their flows are looked at one by one.
INSERT INTO lossy SELECT * FROM lossy_path
WHERE (flow_id, leg, direction) IN (
	SELECT p.flow_id, p.leg, p.direction FROM pmtu_candidate w
	CROSS JOIN flow f INDEXED BY flow_by_client ON f.client_ip = w.client_ip AND f.server_ip = w.server_ip
	CROSS JOIN path p ON p.flow_id = f.id AND p.direction = w.direction
		AND p.from_vantage_id = w.from_vantage_id AND p.to_vantage_id = w.to_vantage_id);
DELETE FROM loss_rest WHERE EXISTS (SELECT 1 FROM pmtu_candidate w
	WHERE w.from_vantage_id = loss_rest.from_vantage_id AND w.to_vantage_id = loss_rest.to_vantage_id
		AND w.direction = loss_rest.direction AND w.client_ip = loss_rest.client_ip
		AND w.server_ip = loss_rest.server_ip);
CREATE INDEX temp.loss_rest_by_leg ON loss_rest(from_vantage_id, to_vantage_id);
CREATE INDEX temp.lossy_by_leg ON lossy(from_vantage_id, to_vantage_id);
CREATE TEMP TABLE pmtu_pair AS
SELECT l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip,
	sum(CASE WHEN l.smallest_lost IS NOT NULL THEN l.lost - l.syn_lost END) AS lost, w.sent,
	sum(l.bytes) AS bytes, count(l.smallest_lost) AS flows,
	min(l.smallest_lost) AS smallest_lost, w.largest_delivered, min(l.src_ip) AS src_ip,
	min(l.dst_ip) AS dst_ip, min(l.first_ns) AS first_ns, max(l.last_ns) AS last_ns,
	min(l.trusted) AS trusted
FROM lossy l
CROSS JOIN pmtu_candidate w USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
WHERE l.protocol = 'tcp' AND EXISTS (SELECT 1 FROM pmtu_candidate)
GROUP BY l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip
HAVING 4 * sum(l.syn_lost) < sum(CASE WHEN l.smallest_lost IS NOT NULL THEN l.lost - l.syn_lost END)
	AND min(l.smallest_lost) >= (SELECT value FROM setting WHERE key = 'pmtu_min_bytes')
	AND min(l.smallest_lost) > w.largest_delivered AND w.largest_delivered > 0
	AND sum(CASE WHEN l.smallest_lost IS NOT NULL THEN l.lost - l.syn_lost END)
		>= (SELECT value FROM setting WHERE key = 'pmtu_min_lost');
CREATE INDEX temp.pmtu_pair_by_ends
	ON pmtu_pair(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);
UPDATE lossy SET pmtu = 1
WHERE smallest_lost IS NOT NULL AND EXISTS (SELECT 1 FROM pmtu_pair)
	AND (from_vantage_id, to_vantage_id, direction, client_ip, server_ip) IN (
	SELECT from_vantage_id, to_vantage_id, direction, client_ip, server_ip FROM pmtu_pair);

-- Totals from one vantage point to the next, over all flows.
CREATE TEMP TABLE leg AS
SELECT p.from_vantage_id, p.to_vantage_id, sum(p.flows) AS flows, sum(p.sent) AS sent,
	sum(p.delivered) AS delivered, sum(p.lost) AS lost, sum(p.misaddressed) AS misaddressed,
	sum(p.capture_missed) AS capture_missed, sum(p.unjudged) AS unjudged,
	sum(p.received) AS received, sum(p.duplicated) AS duplicated, sum(p.injected) AS injected,
	sum(p.sender_missed) AS sender_missed, sum(p.modified) AS modified,
	sum(p.reordered) AS reordered, sum(p.retransmitted) AS retransmitted,
	sum(p.syn_sent) AS syn_sent, sum(p.syn_lost) AS syn_lost, max(p.estimated) AS estimated,
	0 AS other_lost, 0 AS random
FROM path_total p
GROUP BY p.from_vantage_id, p.to_vantage_id;

-- other_lost: what neither a lost handshake nor a path MTU explains. random: it is enough of it to
-- speak of a loss rate.
UPDATE leg SET other_lost = coalesce((
	SELECT sum(l.lost - l.syn_lost) FROM lossy l
	WHERE l.from_vantage_id = leg.from_vantage_id AND l.to_vantage_id = leg.to_vantage_id
		AND NOT l.pmtu), 0) + coalesce((
	SELECT sum(r.lost - r.syn_lost) FROM loss_rest r
	WHERE r.from_vantage_id = leg.from_vantage_id AND r.to_vantage_id = leg.to_vantage_id), 0);
UPDATE leg SET random = 1
WHERE other_lost >= (SELECT value FROM setting WHERE key = 'loss_min_segments')
	AND other_lost >= (SELECT value FROM setting WHERE key = 'loss_min_rate')
		* (sent - unjudged - syn_sent);

-- SYNs (SYN-ACKs) between ends of which some were lost, to the ports of those alone: what goes to other ports
-- says nothing about a port that is cut off. What another device answered is left out, as above.
CREATE TEMP TABLE foreign_syn AS
SELECT p.from_vantage_id, p.to_vantage_id, p.direction, r.client_ip, r.server_ip, s.server_port,
	sum(p.syn_sent) AS syn_sent
FROM (SELECT DISTINCT flow_id, client_ip, server_ip FROM foreign_reset) r
CROSS JOIN path p ON p.flow_id = r.flow_id AND p.syn_sent > 0
CROSS JOIN flow_vantage s ON s.flow_id = p.flow_id AND s.vantage_id = p.from_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id, p.direction, r.client_ip, r.server_ip, s.server_port;
CREATE INDEX temp.foreign_syn_by_ends
	ON foreign_syn(from_vantage_id, to_vantage_id, direction, client_ip, server_ip, server_port);
CREATE TEMP TABLE handshake_sent AS
SELECT h.from_vantage_id, h.to_vantage_id, h.direction, h.client_ip, h.server_ip,
	sum(h.syn_sent - coalesce((SELECT k.syn_sent FROM foreign_syn k
		WHERE k.from_vantage_id = h.from_vantage_id AND k.to_vantage_id = h.to_vantage_id
			AND k.direction = h.direction AND k.client_ip = h.client_ip
			AND k.server_ip = h.server_ip AND k.server_port = h.server_port), 0)) AS syn_sent
FROM (SELECT from_vantage_id, to_vantage_id, direction, client_ip, server_ip, server_port,
		max(port_syn_sent) AS syn_sent
	FROM loss_sum WHERE syn
	GROUP BY from_vantage_id, to_vantage_id, direction, client_ip, server_ip, server_port) h
GROUP BY h.from_vantage_id, h.to_vantage_id, h.direction, h.client_ip, h.server_ip;
CREATE INDEX temp.handshake_sent_by_ends
	ON handshake_sent(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);
UPDATE lossy_pair SET syn_sent = coalesce((SELECT s.syn_sent FROM handshake_sent s
	WHERE s.from_vantage_id = lossy_pair.from_vantage_id AND s.to_vantage_id = lossy_pair.to_vantage_id
		AND s.direction = lossy_pair.direction AND s.client_ip = lossy_pair.client_ip
		AND s.server_ip = lossy_pair.server_ip), syn_sent);

-- Ends between which SYNs (c2s) or SYN-ACKs (s2c) were lost. broken: connections that never came
-- about. own: more of them than the loss rate of the leg lets expect, so a story of its own.
CREATE TEMP TABLE handshake_pair AS
SELECT l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip,
	sum(l.syn_lost) AS lost, w.syn_sent AS sent, sum(l.flows) AS flows, sum(l.broken) AS broken,
	NOT g.random OR (sum(l.syn_lost) >= 3 AND wilson_low(sum(l.syn_lost), w.syn_sent)
		> 2 * wilson_high(g.other_lost, g.sent - g.unjudged - g.syn_sent)) AS own
FROM loss_sum l
CROSS JOIN lossy_pair w USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
JOIN leg g ON g.from_vantage_id = l.from_vantage_id AND g.to_vantage_id = l.to_vantage_id
WHERE l.syn
GROUP BY l.from_vantage_id, l.to_vantage_id, l.direction, l.client_ip, l.server_ip;

-- Handshakes lost in the moments in which everything was lost have no story of their own: where the other losses of
-- a leg stand in a small part of its time, and nearly all lost handshakes stand there too, the loss rate explains them.
CREATE INDEX temp.handshake_pair_by_ends
	ON handshake_pair(from_vantage_id, to_vantage_id, direction, client_ip, server_ip);
CREATE TEMP TABLE loss_moment AS
SELECT DISTINCT l.from_vantage_id, l.to_vantage_id, e.sent_ns / 500000000 AS half_second
FROM (SELECT DISTINCT h.from_vantage_id, h.to_vantage_id FROM handshake_pair h
	JOIN leg g ON g.from_vantage_id = h.from_vantage_id AND g.to_vantage_id = h.to_vantage_id
	WHERE h.own AND g.random) l
CROSS JOIN (VALUES ('lost'), ('misaddressed')) k
CROSS JOIN segment_event e ON e.kind = k.column1 AND e.from_vantage_id = l.from_vantage_id
	AND e.to_vantage_id = l.to_vantage_id
WHERE NOT e.tcp_flags & 2;
CREATE INDEX temp.loss_moment_by_time ON loss_moment(from_vantage_id, to_vantage_id, half_second);
CREATE TEMP TABLE burst_leg AS
SELECT m.from_vantage_id, m.to_vantage_id
FROM loss_moment m JOIN vantage v ON v.id = m.from_vantage_id
GROUP BY m.from_vantage_id, m.to_vantage_id
-- with the half seconds beside them, at most a fifth of the time
HAVING 1.5 * count(*) * 500000000 <= (max(v.last_ns) - max(v.first_ns)) / 5;
CREATE TEMP TABLE burst_handshake AS
SELECT h.rowid AS pair_id, count(*) AS events, sum(EXISTS (SELECT 1 FROM loss_moment m
	WHERE m.from_vantage_id = e.from_vantage_id AND m.to_vantage_id = e.to_vantage_id
		AND m.half_second BETWEEN e.sent_ns / 500000000 - 1 AND e.sent_ns / 500000000 + 1)) AS inside
FROM burst_leg l
CROSS JOIN (VALUES ('lost'), ('misaddressed')) k
CROSS JOIN segment_event e ON e.kind = k.column1 AND e.from_vantage_id = l.from_vantage_id
	AND e.to_vantage_id = l.to_vantage_id AND e.tcp_flags & 2
CROSS JOIN flow f ON f.id = e.flow_id
CROSS JOIN handshake_pair h ON h.from_vantage_id = l.from_vantage_id AND h.to_vantage_id = l.to_vantage_id
	AND h.direction = e.direction AND h.client_ip = f.client_ip AND h.server_ip = f.server_ip
-- ends between which none got through are no matter of a moment
WHERE h.own AND h.lost < h.sent
GROUP BY h.rowid;
UPDATE handshake_pair SET own = 0
WHERE rowid IN (SELECT pair_id FROM burst_handshake WHERE inside >= 0.8 * events);

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

-- And the groups, counted.
CREATE TEMP TABLE handshake_group AS
SELECT k.*, t.trusted, t.first_ns, t.last_ns, t.src_ip, t.dst_ip, t.port, t.sources, t.destinations
FROM (SELECT finding_key, from_vantage_id, to_vantage_id, direction, own, sum(lost) AS lost,
		sum(sent) AS sent, sum(flows) AS flows, sum(broken) AS broken
	FROM handshake_key GROUP BY finding_key) k
JOIN (SELECT h.finding_key, min(l.trusted) AS trusted, min(l.first_ns) AS first_ns, max(l.last_ns) AS last_ns,
		CASE WHEN min(l.src_ip) = max(l.src_ip) THEN min(l.src_ip) END AS src_ip,
		CASE WHEN min(l.dst_ip) = max(l.dst_ip) THEN min(l.dst_ip) END AS dst_ip,
		CASE WHEN min(l.server_port) = max(l.server_port) THEN min(l.server_port) END AS port,
		count(DISTINCT l.src_ip) AS sources, count(DISTINCT l.dst_ip) AS destinations
	FROM handshake_key h
	CROSS JOIN loss_sum l USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
	WHERE l.syn GROUP BY h.finding_key) t USING (finding_key);

-- The flows behind those of their own are looked at one by one.
INSERT INTO lossy
SELECT l.* FROM (SELECT 1 FROM handshake_key WHERE own LIMIT 1) once
CROSS JOIN lossy_path l
CROSS JOIN handshake_key k USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
WHERE l.syn_lost > 0 AND k.own AND NOT EXISTS (SELECT 1 FROM pmtu_candidate w
	WHERE w.from_vantage_id = l.from_vantage_id AND w.to_vantage_id = l.to_vantage_id
		AND w.direction = l.direction AND w.client_ip = l.client_ip AND w.server_ip = l.server_ip);
DELETE FROM loss_rest WHERE syn AND EXISTS (SELECT 1 FROM handshake_key k
	WHERE k.own AND k.from_vantage_id = loss_rest.from_vantage_id AND k.to_vantage_id = loss_rest.to_vantage_id
		AND k.direction = loss_rest.direction AND k.client_ip = loss_rest.client_ip
		AND k.server_ip = loss_rest.server_ip);
CREATE TEMP TABLE handshake_flow AS
SELECT k.finding_key, l.*
FROM lossy l
CROSS JOIN handshake_key k USING (from_vantage_id, to_vantage_id, direction, client_ip, server_ip)
WHERE l.syn_lost > 0 AND k.own;
CREATE INDEX temp.handshake_flow_by_key ON handshake_flow(finding_key);

-- What makes up a loss rate: what neither a story of its own about handshakes nor a path MTU explains.
-- n is how many of the lost ones count.
CREATE TEMP TABLE loss_part AS
SELECT l.from_vantage_id, l.to_vantage_id, l.client_ip, l.server_ip, l.src_ip, l.dst_ip, 1 AS flows,
	l.lost - CASE WHEN k.own THEN l.syn_lost ELSE 0 END AS n, l.bytes, l.trusted, l.first_ns, l.last_ns,
	l.estimated
FROM lossy l
JOIN leg g ON g.from_vantage_id = l.from_vantage_id AND g.to_vantage_id = l.to_vantage_id AND g.random
LEFT JOIN handshake_key k ON k.from_vantage_id = l.from_vantage_id AND k.to_vantage_id = l.to_vantage_id
	AND k.direction = l.direction AND k.client_ip = l.client_ip AND k.server_ip = l.server_ip
WHERE NOT l.pmtu AND l.lost > CASE WHEN k.own THEN l.syn_lost ELSE 0 END
UNION ALL
SELECT r.from_vantage_id, r.to_vantage_id, r.client_ip, r.server_ip, r.src_ip, r.dst_ip, r.flows, r.lost,
	r.bytes, r.trusted, r.first_ns, r.last_ns, r.estimated
FROM loss_rest r
JOIN leg g ON g.from_vantage_id = r.from_vantage_id AND g.to_vantage_id = r.to_vantage_id AND g.random;

-- Directions of flows that lost something of which no loss rate speaks.
CREATE TEMP TABLE loss_apart AS
SELECT l.flow_id, l.direction, l.from_vantage_id, l.to_vantage_id
FROM lossy l
LEFT JOIN handshake_key k ON k.from_vantage_id = l.from_vantage_id AND k.to_vantage_id = l.to_vantage_id
	AND k.direction = l.direction AND k.client_ip = l.client_ip AND k.server_ip = l.server_ip
WHERE l.pmtu OR l.lost <= CASE WHEN k.own THEN l.syn_lost ELSE 0 END
UNION ALL
SELECT p.flow_id, p.direction, p.from_vantage_id, p.to_vantage_id
FROM flow f CROSS JOIN path p ON p.flow_id = f.id
WHERE f.pairing IN ('ambiguous', 'proxy') AND (p.lost > 0 OR p.misaddressed > 0);
CREATE INDEX temp.loss_apart_by_flow ON loss_apart(flow_id, direction);

-- Legs with a loss rate, and what went the other way. Where one pair of addresses has all of the loss,
-- the rate is that pair's (client_ip, server_ip), not the leg's.
CREATE TEMP TABLE loss_leg AS
SELECT g.from_vantage_id, g.to_vantage_id, sum(l.n) AS lost, g.sent, g.unjudged, 0 AS back_lost,
	coalesce(b.sent, 0) AS back_sent, coalesce(b.unjudged, 0) AS back_unjudged,
	CASE WHEN min(l.client_ip) = max(l.client_ip) AND min(l.server_ip) = max(l.server_ip)
		THEN min(l.client_ip) END AS client_ip,
	CASE WHEN min(l.client_ip) = max(l.client_ip) AND min(l.server_ip) = max(l.server_ip)
		THEN min(l.server_ip) END AS server_ip,
	CASE WHEN min(l.src_ip) = max(l.src_ip) THEN min(l.src_ip) END AS src_ip,
	CASE WHEN min(l.dst_ip) = max(l.dst_ip) THEN min(l.dst_ip) END AS dst_ip,
	sum(l.flows) AS flows, sum(l.bytes) AS bytes, min(l.trusted) AS trusted,
	min(l.first_ns) AS first_ns, max(l.last_ns) AS last_ns, max(l.estimated) AS estimated
FROM loss_part l
JOIN leg g ON g.from_vantage_id = l.from_vantage_id AND g.to_vantage_id = l.to_vantage_id
LEFT JOIN leg b ON b.from_vantage_id = l.to_vantage_id AND b.to_vantage_id = l.from_vantage_id
GROUP BY g.from_vantage_id, g.to_vantage_id;
UPDATE loss_leg SET (sent, unjudged, back_sent, back_unjudged) = (
	SELECT coalesce(sum(p.sent) FILTER (WHERE p.from_vantage_id = loss_leg.from_vantage_id
			AND p.to_vantage_id = loss_leg.to_vantage_id), 0),
		coalesce(sum(p.unjudged) FILTER (WHERE p.from_vantage_id = loss_leg.from_vantage_id
			AND p.to_vantage_id = loss_leg.to_vantage_id), 0),
		coalesce(sum(p.sent) FILTER (WHERE p.from_vantage_id = loss_leg.to_vantage_id
			AND p.to_vantage_id = loss_leg.from_vantage_id), 0),
		coalesce(sum(p.unjudged) FILTER (WHERE p.from_vantage_id = loss_leg.to_vantage_id
			AND p.to_vantage_id = loss_leg.from_vantage_id), 0)
	FROM pair_total p
	WHERE p.client_ip = loss_leg.client_ip AND p.server_ip = loss_leg.server_ip)
WHERE client_ip IS NOT NULL;
-- Lost on the way back, also where that is too little for a rate of its own.
UPDATE loss_leg SET back_lost = coalesce((
	SELECT sum(l.lost) FROM lossy l
	LEFT JOIN handshake_key k ON k.from_vantage_id = l.from_vantage_id
		AND k.to_vantage_id = l.to_vantage_id AND k.direction = l.direction
		AND k.client_ip = l.client_ip AND k.server_ip = l.server_ip
	WHERE l.from_vantage_id = loss_leg.to_vantage_id AND l.to_vantage_id = loss_leg.from_vantage_id
		AND NOT l.pmtu AND NOT coalesce(k.own AND l.lost = l.syn_lost, 0)
		AND (loss_leg.client_ip IS NULL
			OR l.client_ip = loss_leg.client_ip AND l.server_ip = loss_leg.server_ip)), 0) + coalesce((
	SELECT sum(r.lost) FROM loss_rest r
	WHERE r.from_vantage_id = loss_leg.to_vantage_id AND r.to_vantage_id = loss_leg.from_vantage_id
		AND (loss_leg.client_ip IS NULL
			OR r.client_ip = loss_leg.client_ip AND r.server_ip = loss_leg.server_ip)), 0);

-- Their events, of which there may be very many: the first ones and the last, each found by the index on
-- the time of sending. That orders times on the reference clock within a piece of the sender's clock, but
-- for a microsecond of rounding.
CREATE TEMP TABLE loss_span AS
SELECT g.from_vantage_id, g.to_vantage_id, k.column1 AS kind, c.valid_from, c.valid_to,
	0 AS first_ns, 0 AS last_ns
FROM loss_leg g
CROSS JOIN (VALUES ('lost'), ('misaddressed')) k
CROSS JOIN clock_piece c ON c.vantage_id = g.from_vantage_id;
UPDATE loss_span SET
	-- as many as are cited
	first_ns = coalesce((SELECT e.sent_ns FROM segment_event e
		WHERE e.kind = loss_span.kind AND e.from_vantage_id = loss_span.from_vantage_id
			AND e.to_vantage_id = loss_span.to_vantage_id AND e.sent_ns >= loss_span.valid_from
			AND e.sent_ns < loss_span.valid_to
			AND NOT EXISTS (SELECT 1 FROM loss_apart x WHERE x.flow_id = e.flow_id
				AND x.direction = e.direction AND x.from_vantage_id = e.from_vantage_id
				AND x.to_vantage_id = e.to_vantage_id)
		ORDER BY e.sent_ns
		LIMIT 1 OFFSET (SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'evidence_max') - 1),
		valid_to - 1001),
	last_ns = (SELECT e.sent_ns FROM segment_event e
		WHERE e.kind = loss_span.kind AND e.from_vantage_id = loss_span.from_vantage_id
			AND e.to_vantage_id = loss_span.to_vantage_id AND e.sent_ns >= loss_span.valid_from
			AND e.sent_ns < loss_span.valid_to
			AND NOT EXISTS (SELECT 1 FROM loss_apart x WHERE x.flow_id = e.flow_id
				AND x.direction = e.direction AND x.from_vantage_id = e.from_vantage_id
				AND x.to_vantage_id = e.to_vantage_id)
		ORDER BY e.sent_ns DESC LIMIT 1);
CREATE TEMP TABLE loss_proof AS
SELECT s.from_vantage_id, s.to_vantage_id, e.id AS event_id,
	ref_ns(s.from_vantage_id, e.sent_ns) AS at_ns
FROM (
	SELECT *, valid_from AS low_ns, min(first_ns + 1000, valid_to - 1) AS high_ns FROM loss_span
	UNION ALL
	SELECT *, max(last_ns - 1000, valid_from, first_ns + 1001), valid_to - 1 FROM loss_span
	WHERE last_ns > first_ns + 1000) s
CROSS JOIN segment_event e ON e.kind = s.kind AND e.from_vantage_id = s.from_vantage_id
	AND e.to_vantage_id = s.to_vantage_id AND e.sent_ns BETWEEN s.low_ns AND s.high_ns
WHERE NOT EXISTS (SELECT 1 FROM loss_apart x WHERE x.flow_id = e.flow_id AND x.direction = e.direction
	AND x.from_vantage_id = e.from_vantage_id AND x.to_vantage_id = e.to_vantage_id);

-- The same for handshakes that the loss rate explains: those of a leg and direction are one finding, and
-- may be many, too.
CREATE TEMP TABLE handshake_span AS
SELECT g.finding_key, g.from_vantage_id, g.to_vantage_id, g.direction, k.column1 AS kind, c.valid_from, c.valid_to,
	0 AS first_ns, 0 AS last_ns
FROM handshake_group g
CROSS JOIN (VALUES ('lost'), ('misaddressed')) k
CROSS JOIN clock_piece c ON c.vantage_id = g.from_vantage_id
WHERE NOT g.own;
CREATE TEMP VIEW handshake_event AS
SELECT e.id AS event_id, e.kind, e.from_vantage_id, e.to_vantage_id, e.direction, e.sent_ns
FROM segment_event e
WHERE e.tcp_flags & 2 AND EXISTS (SELECT 1 FROM flow f
	JOIN handshake_key k ON k.from_vantage_id = e.from_vantage_id AND k.to_vantage_id = e.to_vantage_id
		AND k.direction = e.direction AND k.client_ip = f.client_ip AND k.server_ip = f.server_ip
	WHERE f.id = e.flow_id AND NOT k.own AND f.pairing NOT IN ('ambiguous', 'proxy')
		AND NOT EXISTS (SELECT 1 FROM foreign_reset r WHERE r.flow_id = f.id));
UPDATE handshake_span SET
	first_ns = coalesce((SELECT e.sent_ns FROM handshake_event e
		WHERE e.kind = handshake_span.kind AND e.from_vantage_id = handshake_span.from_vantage_id
			AND e.to_vantage_id = handshake_span.to_vantage_id AND e.direction = handshake_span.direction
			AND e.sent_ns >= handshake_span.valid_from AND e.sent_ns < handshake_span.valid_to
		ORDER BY e.sent_ns
		LIMIT 1 OFFSET (SELECT CAST(value AS INTEGER) FROM setting WHERE key = 'evidence_max') - 1),
		valid_to - 1001),
	last_ns = (SELECT e.sent_ns FROM handshake_event e
		WHERE e.kind = handshake_span.kind AND e.from_vantage_id = handshake_span.from_vantage_id
			AND e.to_vantage_id = handshake_span.to_vantage_id AND e.direction = handshake_span.direction
			AND e.sent_ns >= handshake_span.valid_from AND e.sent_ns < handshake_span.valid_to
		ORDER BY e.sent_ns DESC LIMIT 1);
CREATE TEMP TABLE handshake_proof AS
SELECT s.finding_key, e.event_id, ref_ns(s.from_vantage_id, e.sent_ns) AS at_ns
FROM (
	SELECT *, valid_from AS low_ns, min(first_ns + 1000, valid_to - 1) AS high_ns FROM handshake_span
	UNION ALL
	SELECT *, max(last_ns - 1000, valid_from, first_ns + 1001), valid_to - 1 FROM handshake_span
	WHERE last_ns > first_ns + 1000) s
CROSS JOIN handshake_event e ON e.kind = s.kind AND e.from_vantage_id = s.from_vantage_id
	AND e.to_vantage_id = s.to_vantage_id AND e.direction = s.direction
	AND e.sent_ns BETWEEN s.low_ns AND s.high_ns;
INSERT INTO handshake_proof
SELECT l.finding_key, e.id, e.at_ns
FROM handshake_flow l
CROSS JOIN event e ON e.flow_id = l.flow_id AND e.direction = l.direction
	AND e.from_vantage_id = l.from_vantage_id AND e.to_vantage_id = l.to_vantage_id
WHERE e.kind IN ('lost', 'misaddressed') AND e.tcp_flags & 2;
CREATE INDEX temp.handshake_proof_by_key ON handshake_proof(finding_key);

-- The loss rates with their verdict. Intervals that do not overlap differ; so does a way that lost
-- something from one that lost nothing, though with less certainty while that one carried little.
CREATE TEMP TABLE loss_verdict AS
SELECT *, CASE WHEN rate_low > back_high THEN 'asymmetric-loss'
		WHEN back_low > rate_high THEN 'lesser'
		WHEN back_lost = 0 THEN 'asymmetric-loss' ELSE 'symmetric-loss' END AS kind,
	CASE WHEN rate_low > back_high OR back_low > rate_high THEN 0.97
		WHEN back_lost = 0 THEN 0.75
		WHEN back_lost >= (SELECT value FROM setting WHERE key = 'loss_min_segments') THEN 0.9
		ELSE 0.75 END AS certainty
FROM (SELECT g.*, 1.0 * lost / max(sent - unjudged, 1) AS rate,
		wilson_low(lost, max(sent - unjudged, lost, 1)) AS rate_low,
		wilson_high(lost, max(sent - unjudged, lost, 1)) AS rate_high,
		1.0 * back_lost / max(back_sent - back_unjudged, 1) AS back_rate,
		wilson_low(back_lost, max(back_sent - back_unjudged, back_lost, 1)) AS back_low,
		wilson_high(back_lost, max(back_sent - back_unjudged, back_lost, 1)) AS back_high
	FROM loss_leg g);

-- Flows that ended with a reset, or were refused, and who sent the RST: the end that the RST came from
-- as seen nearest to it. An RST that only the far side saw was not sent by that end: injected-segment.
-- complete: that end's own side was captured. A probe (handshake, then RST, no payload) is no failure.
CREATE TEMP TABLE ended AS
SELECT f.id AS flow_id, f.outcome, f.client_ip, f.server_ip, f.server_port, f.first_ns, f.last_ns,
	CASE WHEN f.outcome = 'refused' OR n.rst_s2c > 0 THEN 's2c' ELSE 'c2s' END AS direction,
	c.vantage_id AS client_vantage_id, n.vantage_id AS server_vantage_id,
	c.vantage_id != n.vantage_id AS complete
FROM flow f
CROSS JOIN flow_vantage c ON c.flow_id = f.id AND c.position = 0
CROSS JOIN flow_vantage n ON n.flow_id = f.id
	AND n.position = (SELECT max(z.position) FROM flow_vantage z WHERE z.flow_id = f.id)
WHERE f.outcome IN ('reset', 'refused') AND f.outcome NOT IN ('established', 'closed') -- in the index
	AND f.protocol = 'tcp'
	AND f.pairing NOT IN ('ambiguous', 'proxy')
	AND CASE f.outcome WHEN 'refused' THEN n.rst_s2c > 0
		ELSE n.rst_s2c > 0 OR (c.rst_c2s > 0 AND c.bytes_c2s + c.bytes_s2c > 0) END
	-- after a FIN an RST ends what was ending anyway
	AND c.fin_c2s + c.fin_s2c + n.fin_c2s + n.fin_s2c = 0
	AND NOT EXISTS (SELECT 1 FROM segment_event e WHERE e.flow_id = f.id AND e.kind = 'injected'
		AND e.tcp_flags & 4)
	AND NOT EXISTS (SELECT 1 FROM foreign_reset r WHERE r.flow_id = f.id);
CREATE TEMP TABLE ended_pair AS
SELECT outcome, direction, client_ip, server_ip, server_port, client_vantage_id, server_vantage_id,
	count(*) AS ended, min(first_ns) AS first_ns, max(last_ns) AS last_ns, min(complete) AS complete,
	min(flow_id) AS flow_id, 0 AS total
FROM ended
GROUP BY outcome, direction, client_ip, server_ip, server_port, client_vantage_id, server_vantage_id;
CREATE TEMP TABLE ended_total AS
SELECT client_ip, server_ip, server_port, (
	SELECT count(*) FROM flow f INDEXED BY flow_by_client
	WHERE f.client_ip = w.client_ip AND f.server_ip = w.server_ip AND f.server_port = w.server_port)
	AS total
FROM (SELECT DISTINCT client_ip, server_ip, server_port FROM ended_pair) w;
CREATE INDEX temp.ended_total_by_ends ON ended_total(client_ip, server_ip, server_port);
UPDATE ended_pair SET total = (SELECT t.total FROM ended_total t WHERE t.client_ip = ended_pair.client_ip
	AND t.server_ip = ended_pair.server_ip AND t.server_port = ended_pair.server_port);
-- One finding for each client and service; for each service where its clients are many; for each
-- server where the ports are many (a scan).
CREATE TEMP TABLE ended_group AS
WITH crowd AS (
	SELECT outcome, direction, server_ip, client_vantage_id, server_vantage_id,
		count(DISTINCT client_ip) AS clients, count(DISTINCT server_port) AS ports,
		(SELECT value FROM setting WHERE key = 'pairs_max') AS pairs_max
	FROM ended_pair GROUP BY outcome, direction, server_ip, client_vantage_id, server_vantage_id)
SELECT e.outcome, e.direction, e.server_ip, e.client_vantage_id, e.server_vantage_id,
	CASE WHEN c.clients <= c.pairs_max THEN e.client_ip END AS client_key,
	CASE WHEN c.ports <= c.pairs_max THEN e.server_port END AS port_key,
	CASE WHEN min(e.client_ip) = max(e.client_ip) THEN min(e.client_ip) END AS client_ip,
	CASE WHEN min(e.server_port) = max(e.server_port) THEN min(e.server_port) END AS server_port,
	count(DISTINCT e.client_ip) AS clients, count(DISTINCT e.server_port) AS ports,
	sum(e.ended) AS ended, sum(e.total) AS total, min(e.first_ns) AS first_ns,
	max(e.last_ns) AS last_ns, min(e.complete) AS complete
FROM ended_pair e
CROSS JOIN crowd c USING (outcome, direction, server_ip, client_vantage_id, server_vantage_id)
GROUP BY e.outcome, e.direction, e.server_ip, e.client_vantage_id, e.server_vantage_id, client_key, port_key;

-- Frames with RST, and SYNs, that have a row in packet, by flow.
CREATE TEMP TABLE reset_packet AS
SELECT flow_id, direction, capture_file_id, frame, tcp_flags & 4 != 0 AS is_reset
FROM (SELECT 1 FROM ended LIMIT 1) once CROSS JOIN packet
WHERE (tcp_flags & 4 OR tcp_flags & 18 = 2) AND flow_id IS NOT NULL;
CREATE INDEX temp.reset_packet_by_flow ON reset_packet(flow_id, direction);
CREATE INDEX temp.ended_by_ends ON ended(outcome, server_ip, direction, client_vantage_id);

-- What the rule at work has found. Its findings are told apart by a key of its own, whatever that is: a number, a
-- vantage point, a text. The judge numbers them in the order of their keys when the rule has ended (number.sql).
CREATE TEMP TABLE new_finding (
	key PRIMARY KEY NOT NULL,
	kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns,
	count, total, summary, remedy, cause_id, -- as in finding
	detail DEFAULT '{}'
);
-- And the proof of it, in order: a frame, a line of a flow log or of a host's file, a flow, or a segment event, which link.sql turns into
-- the frames that it was seen in.
CREATE TEMP TABLE new_evidence (
	key NOT NULL, -- of the finding
	capture_file_id, frame, log_file_id, line, flow_id, host_file_id, -- as in evidence
	event_id, -- of segment_event
	note -- as in evidence; of an event what the segment is: "SYN-ACK 3 of 12"
);
CREATE INDEX temp.new_evidence_by_key ON new_evidence(key);
-- Events that prove a finding with a number.
CREATE TEMP TABLE cite (
	finding_id INTEGER NOT NULL,
	event_id INTEGER NOT NULL,
	n INTEGER NOT NULL, -- order within the finding, from 1
	what TEXT NOT NULL
);

-- What counters of a host's interfaces counted in each span; prepare/counter.sql fills it.
CREATE TEMP TABLE counter_change (
	host_id INTEGER, interface TEXT, -- the interface; NULL: the whole host
	name TEXT, -- rx_packets, tx_packets, rx_bytes; cloud.NetworkPacketsIn
	kind TEXT, -- of the source, as in host_file.kind; agent
	sampled INTEGER, -- 1 the difference of two samples, 0 a rate or sum as the source gives it, rounded
	from_ns INTEGER, to_ns INTEGER, -- reference clock
	grew REAL, -- counted in that span
	host_file_id INTEGER, line INTEGER, before_file_id INTEGER, before_line INTEGER -- where its end and its start stand
);
