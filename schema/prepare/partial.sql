-- Partly dark: some flows of a host are out while others go on, at once, with the same peers and for
-- if: SELECT 1 FROM flow_outage
-- the same service. Packets are spread over receive (transmit) queues, and over parallel paths, by a hash
-- of addresses and ports; a firewall chooses by service, a MTU by size, a loss rate by chance. Fills
-- partial_span. What tells a queue of the host from a path: several peers at once, and no other host.
DELETE FROM partial_span;

-- Outages of flows on the reference clock. One of more than 15 minutes was there before what others suffer.
CREATE TEMP TABLE pt_ref AS
SELECT o.flow_id, o.direction, o.from_vantage_id, o.to_vantage_id, o.least, o.transmissions,
	CASE o.direction WHEN 'c2s' THEN s.client_ip ELSE s.server_ip END AS src_ip,
	CASE o.direction WHEN 'c2s' THEN s.server_ip ELSE s.client_ip END AS dst_ip,
	l.host_id AS from_host, t.host_id AS to_host, o.until_ns IS NOT NULL AS returned,
	o.at_from_ns AS from_ns, o.at_to_ns AS to_ns
FROM flow_outage o
CROSS JOIN dk_place l ON l.vantage_id = o.from_vantage_id AND o.from_ns >= l.valid_from AND o.from_ns < l.valid_to
CROSS JOIN (SELECT DISTINCT vantage_id, host_id FROM dk_place) t ON t.vantage_id = o.to_vantage_id
CROSS JOIN flow f ON f.id = o.flow_id
CROSS JOIN flow_vantage s ON s.flow_id = o.flow_id AND s.vantage_id = o.from_vantage_id
WHERE o.at_to_ns - o.at_from_ns <= 900000000000 AND f.pairing NOT IN ('ambiguous', 'proxy');

CREATE INDEX temp.pt_ref_by_flow ON pt_ref(flow_id, direction);

-- Each from its receiver's side and from its sender's, as far as they were captured.
CREATE TEMP TABLE pt_out AS
SELECT d.host_id, 'rx' AS way, r.src_ip AS peer_ip, r.* FROM pt_ref r
CROSS JOIN dk_ip d ON d.ip = r.dst_ip AND d.host_id = r.to_host
UNION ALL
SELECT d.host_id, 'tx', r.dst_ip, r.* FROM pt_ref r
CROSS JOIN dk_ip d ON d.ip = r.src_ip AND d.host_id = r.from_host;

-- Those that overlap in time are one cluster.
CREATE TEMP TABLE pt_step AS
SELECT q.*, CAST(sum(starts) OVER (ORDER BY host_id, way, from_ns, flow_id, least ROWS UNBOUNDED PRECEDING) AS INTEGER)
	AS cluster
FROM (SELECT *, coalesce(from_ns > max(to_ns) OVER (PARTITION BY host_id, way ORDER BY from_ns, flow_id, least
		ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 1) AS starts FROM pt_out) q;
CREATE INDEX temp.pt_step_by_flow ON pt_step(cluster, flow_id, direction);
CREATE TEMP TABLE pt_cluster AS
SELECT cluster, host_id, way, min(from_ns) AS from_ns, max(to_ns) AS to_ns, count(DISTINCT flow_id) AS flows,
	max(returned) AS returned, min(from_vantage_id) AS from_vantage_id, min(to_vantage_id) AS to_vantage_id
FROM pt_step GROUP BY cluster
HAVING max(to_ns) - min(from_ns) >= (SELECT value FROM setting WHERE key = 'dark_min_s') * 1000000000
	AND count(DISTINCT flow_id) >= 2;

-- What the flows of those hosts sent and received by second.
CREATE TEMP TABLE pt_second AS
SELECT d.host_id, CASE WHEN d.ip = q.dst_ip THEN 'rx' ELSE 'tx' END AS way, q.flow_id, q.direction,
	CASE WHEN d.ip = q.dst_ip THEN q.src_ip ELSE q.dst_ip END AS peer_ip, q.ref_ns, q.frames, q.largest,
	-- for what the host receives its own place tells of arrival, for what it sends any other
	CAST((q.place_host = d.host_id) = (d.ip = q.dst_ip) AS INTEGER) AS arrived
FROM (SELECT a.flow_id, a.direction, a.frames, a.largest, l.host_id AS place_host,
		CASE a.direction WHEN 'c2s' THEN s.client_ip ELSE s.server_ip END AS src_ip,
		CASE a.direction WHEN 'c2s' THEN s.server_ip ELSE s.client_ip END AS dst_ip,
		a.at_ns AS ref_ns
	FROM flow_activity a
	CROSS JOIN dk_place l ON l.vantage_id = a.vantage_id AND a.second_ns >= l.valid_from AND a.second_ns < l.valid_to
	CROSS JOIN flow_vantage s ON s.flow_id = a.flow_id AND s.vantage_id = a.vantage_id
	WHERE EXISTS (SELECT 1 FROM pt_cluster)) q
CROSS JOIN dk_ip d ON d.ip IN (q.src_ip, q.dst_ip) AND q.src_ip != q.dst_ip;
CREATE INDEX temp.pt_second_by_time ON pt_second(host_id, way, ref_ns);

-- Each flow in the whole seconds of a cluster.
CREATE TEMP TABLE pt_flow AS
SELECT c.cluster, s.flow_id, s.direction, s.peer_ip, f.protocol || ' ' || f.server_ip || ' ' || f.server_port AS service,
	f.first_ns < c.from_ns AS old, sum(CASE WHEN s.arrived THEN s.frames ELSE 0 END) AS arrived,
	max(CASE WHEN s.arrived THEN s.largest END) AS largest, c.from_ns, c.to_ns,
	0 AS lost, CAST(NULL AS INTEGER) AS smallest_lost, CAST('on' AS TEXT) AS state
FROM pt_cluster c
CROSS JOIN pt_second s ON s.host_id = c.host_id AND s.way = c.way AND s.ref_ns >= c.from_ns
	AND s.ref_ns + 1000000000 <= c.to_ns
CROSS JOIN flow f ON f.id = s.flow_id
GROUP BY c.cluster, s.flow_id, s.direction;
UPDATE pt_flow SET (lost, smallest_lost) = (
	SELECT count(*), min(e.length) FROM segment_event e
	CROSS JOIN dk_place l ON l.vantage_id = e.from_vantage_id AND e.sent_ns >= l.valid_from AND e.sent_ns < l.valid_to
	WHERE e.flow_id = pt_flow.flow_id AND e.direction = pt_flow.direction AND e.kind = 'lost'
		AND ref_ns(e.from_vantage_id, e.sent_ns)
			BETWEEN pt_flow.from_ns AND pt_flow.to_ns);
-- out: nothing arrived. partly: nothing large did. mute: nothing did, of too little to tell. mixed: some of
-- it was lost, as chance has it.
UPDATE pt_flow SET state = CASE
	WHEN NOT EXISTS (SELECT 1 FROM pt_step o WHERE o.cluster = pt_flow.cluster AND o.flow_id = pt_flow.flow_id
		AND o.direction = pt_flow.direction) THEN
		CASE WHEN arrived = 0 THEN 'mute' WHEN lost * 10 <= arrived THEN 'on' ELSE 'mixed' END
	WHEN lost = 0 THEN 'mute'
	WHEN arrived = 0 THEN 'out'
	WHEN EXISTS (SELECT 1 FROM pt_step o WHERE o.cluster = pt_flow.cluster AND o.flow_id = pt_flow.flow_id
		AND o.direction = pt_flow.direction AND o.least > 0) THEN 'partly'
	ELSE 'mixed' END;
CREATE INDEX temp.pt_flow_by_cluster ON pt_flow(cluster, flow_id);

-- Peers that have flows of both kinds for one service.
CREATE TEMP TABLE pt_peer AS
SELECT cluster, peer_ip, max(outs > 0 AND ons > 0) AS both, max(partly > 0) AS partly
FROM (SELECT cluster, peer_ip, service, sum(state = 'out') AS outs, sum(state = 'on') AS ons,
		sum(state IN ('out', 'partly')) AS partly
	FROM pt_flow GROUP BY cluster, peer_ip, service)
GROUP BY cluster, peer_ip;
CREATE INDEX temp.pt_peer_by_cluster ON pt_peer(cluster);
CREATE TEMP TABLE pt_sum AS
SELECT c.*, sum(f.state = 'out') AS outs, sum(f.state = 'on') AS ons, sum(f.state = 'mixed') AS mixed,
	sum(f.state IN ('out', 'partly')) AS partly, sum(CASE WHEN f.state IN ('out', 'partly') THEN f.lost END) AS lost,
	min(CASE WHEN f.lost > 0 THEN f.smallest_lost END) AS smallest_lost,
	coalesce(max(f.largest), 0) AS largest_arrived, sum(f.arrived) AS arrived,
	(SELECT sum(both) FROM pt_peer p WHERE p.cluster = c.cluster) AS peers_both,
	(SELECT sum(partly) FROM pt_peer p WHERE p.cluster = c.cluster) AS peers_partly,
	(SELECT min(peer_ip) FROM pt_peer p WHERE p.cluster = c.cluster AND p.both) AS peer_ip,
	-- flows that began before are out, those that began since go on: a lost state, not a queue
	min(CASE f.state WHEN 'out' THEN f.old END) = 1 AND max(CASE f.state WHEN 'on' THEN f.old END) = 0 AS by_age,
	-- the other direction of the same flows
	(SELECT count(DISTINCT o.flow_id) FROM pt_step m CROSS JOIN pt_flow o ON o.cluster = m.cluster
			AND o.flow_id = m.flow_id AND o.state = 'out'
		CROSS JOIN pt_ref b ON b.flow_id = m.flow_id AND b.direction != m.direction AND b.least = 0
			AND b.from_ns < c.to_ns AND b.to_ns > c.from_ns
		WHERE m.cluster = c.cluster) AS outs_back
FROM pt_cluster c CROSS JOIN pt_flow f ON f.cluster = c.cluster
GROUP BY c.cluster;

-- Ends between which anything larger arrived at another time: no path MTU.
CREATE TEMP TABLE pt_verdict AS
SELECT s.*, CASE
	WHEN smallest_lost > largest_arrived AND smallest_lost >= 512 THEN CASE
		WHEN partly >= 2 AND arrived >= 3 AND peers_partly >= 2 AND (
			SELECT count(DISTINCT o.peer_ip) FROM pt_step o
			CROSS JOIN pair_total t ON t.client_ip IN (o.src_ip, o.dst_ip) AND t.server_ip IN (o.src_ip, o.dst_ip)
				AND t.from_vantage_id = o.from_vantage_id AND t.to_vantage_id = o.to_vantage_id
			WHERE o.cluster = s.cluster AND t.largest_delivered > s.smallest_lost) >= 2
		THEN 'size' END
	WHEN outs >= (SELECT value FROM setting WHERE key = 'partial_min_flows')
		AND ons >= (SELECT value FROM setting WHERE key = 'partial_min_flows')
		AND mixed * 10 <= outs AND peers_both > 0 AND NOT by_age
	THEN 'queue' END AS partial
FROM pt_sum s;

INSERT INTO partial_span (host_id, direction, scope, partial, peer_ip, from_vantage_id, to_vantage_id, from_ns, to_ns,
	returned, flows_out, flows_on, peers, lost, smallest_lost, largest_arrived)
SELECT v.host_id, v.way,
	CASE WHEN v.partial = 'size' THEN 'host'
		WHEN v.peers_both < (SELECT value FROM setting WHERE key = 'dark_min_peers') OR 2 * v.outs_back >= v.outs
			OR EXISTS (SELECT 1 FROM pt_verdict w WHERE w.partial = 'queue' AND w.host_id != v.host_id AND w.way = v.way
				AND w.from_ns < v.to_ns AND w.to_ns > v.from_ns)
		THEN 'path' ELSE 'host' END,
	v.partial, CASE WHEN v.peers_both = 1 THEN v.peer_ip END, v.from_vantage_id, v.to_vantage_id, v.from_ns, v.to_ns, v.returned,
	CASE v.partial WHEN 'size' THEN v.partly ELSE v.outs END,
	-- with one peer: those with it
	CASE WHEN v.partial = 'queue' AND v.peers_both = 1 THEN (SELECT count(*) FROM pt_flow o
		WHERE o.cluster = v.cluster AND o.state = 'on' AND o.peer_ip = v.peer_ip) ELSE v.ons END,
	CASE v.partial WHEN 'size' THEN v.peers_partly ELSE v.peers_both END, v.lost, v.smallest_lost, v.largest_arrived
FROM pt_verdict v
WHERE v.partial IS NOT NULL
ORDER BY v.from_ns, v.host_id, v.way;
-- One flow is sent by one host and received by another: what is a queue of one of them, or is told of the
-- receiver, is not told again of the other.
DELETE FROM partial_span WHERE scope = 'path' AND EXISTS (
	SELECT 1 FROM partial_span h WHERE h.id != partial_span.id AND h.direction != partial_span.direction
		AND h.from_ns < partial_span.to_ns AND h.to_ns > partial_span.from_ns
		AND (h.scope = 'host' OR partial_span.direction = 'tx'));

-- The lost transmissions of what is told: proof.
CREATE TEMP TABLE pt_lost AS
SELECT v.host_id, v.way, v.partial, e.id AS event_id, e.sent_ns
FROM pt_verdict v
CROSS JOIN pt_flow o ON o.cluster = v.cluster AND o.state IN ('out', 'partly')
CROSS JOIN event e ON e.flow_id = o.flow_id AND e.direction = o.direction AND e.kind = 'lost'
	AND e.at_ns BETWEEN v.from_ns AND v.to_ns
WHERE v.partial IS NOT NULL AND EXISTS (SELECT 1 FROM partial_span p WHERE p.host_id = v.host_id AND p.direction = v.way
	AND p.from_ns = v.from_ns);
CREATE INDEX temp.pt_lost_by_host ON pt_lost(host_id, way, partial);
