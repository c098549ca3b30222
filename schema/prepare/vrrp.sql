-- Virtual routers: who was master when, and how regularly the others heard it. Fills vrrp_term and
-- if: SELECT 1 FROM vrrp_advert
-- vrrp_watch; the temporary tables serve the rules vrrp-*. Computed columns are cast: without a type an index on them is
-- not used.
DELETE FROM vrrp_term;
DELETE FROM vrrp_watch;

-- Adverts on the reference clock. own: sent by the host at whose place it was seen.
CREATE TEMP TABLE vrrp_seen AS
SELECT a.vantage_id, v.host_id, a.vrid, CAST(CASE WHEN instr(a.src_ip, ':') THEN 6 ELSE 4 END AS INTEGER) AS family,
	CAST(coalesce(a.vlan, 0) AS INTEGER) AS vlan, a.src_ip, a.at_ns,
	CAST(ref_ns(a.vantage_id, a.at_ns) AS INTEGER) AS ref_ns,
	coalesce(a.outgoing, EXISTS (SELECT 1 FROM host_address h WHERE h.host_id = v.host_id
		AND h.ip = a.src_ip)) AS own,
	a.version, a.priority, a.interval_ns, a.addresses, a.ip_id, a.src_mac, a.capture_file_id, a.frame
FROM vrrp_advert a
JOIN vantage v ON v.id = a.vantage_id AND v.kind = 'nic';
CREATE INDEX temp.vrrp_seen_by_router ON vrrp_seen(vantage_id, vrid, family, src_ip, ref_ns);

-- Routers that hear each other, or serve the same addresses, are on one link. The same VRID in
-- another network is another virtual router.
CREATE TEMP TABLE vrrp_place AS
SELECT DISTINCT vrid, family, src_ip, 'v' || vantage_id || '/' || vlan AS place FROM vrrp_seen
UNION
SELECT DISTINCT vrid, family, src_ip, 'a' || addresses FROM vrrp_seen WHERE addresses != '';
CREATE INDEX temp.vrrp_place_by_router ON vrrp_place(vrid, family, src_ip);
CREATE INDEX temp.vrrp_place_by_place ON vrrp_place(vrid, family, place);
CREATE TEMP TABLE vrrp_segment AS
WITH RECURSIVE reach(vrid, family, src_ip, peer) AS (
	SELECT DISTINCT vrid, family, src_ip, src_ip FROM vrrp_place
	UNION
	SELECT r.vrid, r.family, r.src_ip, b.src_ip
	FROM reach r
	CROSS JOIN vrrp_place a ON a.vrid = r.vrid AND a.family = r.family AND a.src_ip = r.peer
	CROSS JOIN vrrp_place b ON b.vrid = r.vrid AND b.family = r.family AND b.place = a.place)
SELECT vrid, family, src_ip, CAST(min(peer) AS TEXT) AS segment FROM reach GROUP BY vrid, family, src_ip;
CREATE INDEX temp.vrrp_segment_by_router ON vrrp_segment(vrid, family, src_ip);

-- The place that tells a router's adverts best: its own, else where most were seen.
CREATE TEMP TABLE vrrp_source AS
SELECT vrid, family, src_ip, segment, vantage_id, own,
	CASE WHEN own THEN host_id ELSE (SELECT min(h.host_id) FROM host_address h WHERE h.ip = src_ip) END
		AS host_id,
	mac, version, interval_ns, addresses, priority
FROM (
	SELECT s.vrid, s.family, s.src_ip, g.segment, s.vantage_id, s.host_id, max(s.own) AS own,
		row_number() OVER (PARTITION BY s.vrid, s.family, s.src_ip
			ORDER BY max(s.own) DESC, count(*) DESC, s.vantage_id) AS place,
		max(CASE WHEN s.priority > 0 THEN s.at_ns END), s.src_mac AS mac, s.version, s.interval_ns,
		s.addresses, max(s.priority) AS priority
	FROM vrrp_seen s
	JOIN vrrp_segment g ON g.vrid = s.vrid AND g.family = s.family AND g.src_ip = s.src_ip
	JOIN vantage v ON v.id = s.vantage_id AND v.trust != 'unfit'
	GROUP BY s.vrid, s.family, s.src_ip, s.vantage_id)
WHERE place = 1;
CREATE INDEX temp.vrrp_source_by_router ON vrrp_source(vrid, family, src_ip);

-- A term ends with priority 0, or when the next advert is later than any backup would wait: three
-- intervals and the largest skew (a second in version 2, an interval in version 3).
CREATE TEMP TABLE vrrp_step AS
SELECT s.*, o.segment, o.host_id AS router_host, o.own AS own_place,
	sum(starts) OVER (PARTITION BY s.vrid, s.family, s.src_ip ORDER BY s.ref_ns, s.frame) AS term
FROM (
	SELECT *, coalesce(lag(priority) OVER w = 0 OR ref_ns - lag(ref_ns) OVER w > 3 * interval_ns
		+ CASE version WHEN 2 THEN 1000000000 ELSE interval_ns END, 1) AS starts
	FROM vrrp_seen
	WINDOW w AS (PARTITION BY vrid, family, src_ip, vantage_id ORDER BY ref_ns, frame)) s
JOIN vrrp_source o ON o.vrid = s.vrid AND o.family = s.family AND o.src_ip = s.src_ip
	AND o.vantage_id = s.vantage_id;
INSERT INTO vrrp_term (vrid, family, segment, src_ip, host_id, vantage_id, own, priority, interval_ns,
	from_ns, to_ns, adverts, resigned, began, capture_file_id, frame)
SELECT vrid, family, segment, src_ip, router_host, vantage_id, own_place, priority, interval_ns, from_ns,
	to_ns, adverts, resigned, 'first', capture_file_id, frame
FROM (
	SELECT vrid, family, segment, src_ip, router_host, vantage_id, own_place,
		max(CASE WHEN starts THEN priority END) AS priority,
		max(CASE WHEN starts THEN interval_ns END) AS interval_ns,
		max(CASE WHEN starts THEN capture_file_id END) AS capture_file_id,
		max(CASE WHEN starts THEN frame END) AS frame,
		min(ref_ns) AS from_ns, max(ref_ns) AS to_ns, count(*) AS adverts, min(priority) = 0 AS resigned
	FROM vrrp_step GROUP BY vrid, family, src_ip, term)
-- A lone priority 0 is a farewell of one who was not master here.
WHERE priority > 0
ORDER BY from_ns, vrid, family, src_ip;

-- Who was master before: the other router's term that began before and lasted longest.
CREATE TEMP TABLE vrrp_before AS
SELECT t.id, p.id AS before_id, p.src_ip, p.priority, p.to_ns, p.resigned, p.own,
	row_number() OVER (PARTITION BY t.id ORDER BY p.to_ns DESC, p.id DESC) AS place
FROM vrrp_term t
JOIN vrrp_term p ON p.vrid = t.vrid AND p.family = t.family AND p.segment = t.segment
	AND p.src_ip != t.src_ip AND p.from_ns < t.from_ns
	AND p.to_ns > t.from_ns - 100 * t.interval_ns - 60000000000;
DELETE FROM vrrp_before WHERE place > 1;
CREATE INDEX temp.vrrp_before_by_id ON vrrp_before(id);
-- The last advert of the one before that the new master's own place heard; NULL: none, or no capture.
CREATE TEMP TABLE vrrp_heard AS
SELECT b.id, max(s.ref_ns) AS ref_ns
FROM vrrp_before b
JOIN vrrp_term t ON t.id = b.id AND t.own
JOIN vrrp_seen s ON s.vantage_id = t.vantage_id AND s.vrid = t.vrid AND s.family = t.family
	AND s.src_ip = b.src_ip AND s.ref_ns < t.from_ns AND s.ref_ns > t.from_ns - 10 * t.interval_ns
GROUP BY b.id;
CREATE INDEX temp.vrrp_heard_by_id ON vrrp_heard(id);
UPDATE vrrp_term SET began = coalesce((
	SELECT CASE
		WHEN b.resigned AND b.to_ns <= vrrp_term.from_ns THEN 'planned'
		WHEN b.to_ns < vrrp_term.from_ns - 3 * vrrp_term.interval_ns + 50000000 THEN 'failure'
		WHEN vrrp_term.priority > b.priority THEN 'preemption'
		WHEN h.ref_ns < vrrp_term.from_ns - 3 * vrrp_term.interval_ns + 50000000
			OR (vrrp_term.own AND h.ref_ns IS NULL) THEN 'unheard'
		WHEN vrrp_term.priority = b.priority THEN 'preemption'
		ELSE 'early' END
	FROM vrrp_before b LEFT JOIN vrrp_heard h ON h.id = b.id
	WHERE b.id = vrrp_term.id), 'first');

-- The listeners of a link: routers that advertise themselves; where none was captured, everyone.
CREATE TEMP TABLE vrrp_listener AS
SELECT DISTINCT s.vantage_id, s.vrid, s.family, g.segment, CASE WHEN s.own THEN s.src_ip END AS router
FROM vrrp_seen s
JOIN vrrp_segment g ON g.vrid = s.vrid AND g.family = s.family AND g.src_ip = s.src_ip
JOIN vantage v ON v.id = s.vantage_id AND v.trust != 'unfit';
CREATE TEMP TABLE vrrp_role AS
SELECT l.vantage_id, l.vrid, l.family, l.segment, max(l.router) AS router, 0 AS spare,
	(SELECT max(s.priority) FROM vrrp_seen s WHERE s.vantage_id = l.vantage_id AND s.vrid = l.vrid
		AND s.family = l.family AND s.own AND s.priority > 0) AS priority
FROM vrrp_listener l GROUP BY l.vantage_id, l.vrid, l.family, l.segment;
DELETE FROM vrrp_role WHERE router IS NULL AND EXISTS (SELECT 1 FROM vrrp_role r
	WHERE r.vrid = vrrp_role.vrid AND r.family = vrrp_role.family AND r.segment = vrrp_role.segment
		AND r.router IS NOT NULL
		-- a router's own place listens to the others only
		AND (SELECT count(*) FROM vrrp_source o WHERE o.vrid = r.vrid AND o.family = r.family
			AND o.segment = r.segment) > 1);

-- Onlookers see the same: the one that saw most speaks. The others are spare: they tell of what they lack though that
-- one has it.
UPDATE vrrp_role SET spare = 1 WHERE router IS NULL AND vantage_id != (
	SELECT w.vantage_id FROM vrrp_role w
	WHERE w.vrid = vrrp_role.vrid AND w.family = vrrp_role.family AND w.segment = vrrp_role.segment
		AND w.router IS NULL
	ORDER BY (SELECT count(*) FROM vrrp_seen s WHERE s.vantage_id = w.vantage_id AND s.vrid = w.vrid
		AND s.family = w.family) DESC, w.vantage_id LIMIT 1);

-- Silences at a listener: from an advert of another router to the next advert of anyone (its own too:
-- then it took over). Priority 0 is no promise of a next one. limit: the master-down time of the
-- listener (RFC 3768 6.1, RFC 9568 6.1); for an onlooker that of the router that took over, else the
-- one of the lowest priority.
CREATE TEMP TABLE vrrp_silence AS
SELECT q.*, 3 * q.interval_ns + (256 - coalesce(q.listener_priority,
		CASE WHEN q.taken_over THEN NULLIF(q.end_priority, 0) END, 1)) *
	CASE q.version WHEN 2 THEN 1000000000 ELSE q.interval_ns END / 256 AS limit_ns
FROM (
	SELECT s.vantage_id, s.vrid, s.family, g.segment, s.src_ip, s.own, s.priority, s.interval_ns, s.version,
		s.at_ns, s.ref_ns, s.ip_id, s.capture_file_id, s.frame, r.priority AS listener_priority,
		r.router AS listener, r.spare,
		lead(s.at_ns) OVER w AS end_at_ns, lead(s.ref_ns) OVER w AS end_ns,
		lead(s.src_ip) OVER w != s.src_ip AND (lead(s.own) OVER w OR r.router IS NULL) AS taken_over,
		lead(s.priority) OVER w AS end_priority, lead(s.src_ip) OVER w AS end_ip, lead(s.capture_file_id) OVER w AS end_file_id,
		lead(s.frame) OVER w AS end_frame,
		lead(s.ref_ns) OVER same AS next_ns, lead(s.at_ns) OVER same AS next_at_ns,
		lead(s.ip_id) OVER same AS next_ip_id,
		lead(s.capture_file_id) OVER same AS next_file_id, lead(s.frame) OVER same AS next_frame
	FROM vrrp_seen s
	JOIN vrrp_segment g ON g.vrid = s.vrid AND g.family = s.family AND g.src_ip = s.src_ip
	JOIN vrrp_role r ON r.vantage_id = s.vantage_id AND r.vrid = s.vrid AND r.family = s.family
		AND r.segment = g.segment
	WINDOW w AS (PARTITION BY s.vantage_id, s.vrid, s.family, g.segment ORDER BY s.at_ns, s.frame),
		same AS (PARTITION BY s.vantage_id, s.vrid, s.family, s.src_ip ORDER BY s.at_ns, s.frame)) q
WHERE (NOT q.own OR q.listener IS NULL) AND q.priority > 0 AND q.end_ns IS NOT NULL;

INSERT INTO vrrp_watch
SELECT vantage_id, vrid, family, segment, src_ip, count(*) + 1, interval_ns, listener_priority,
	limit_ns, max(end_at_ns - at_ns), at_ns, sum(end_at_ns - at_ns >= limit_ns - interval_ns / 50)
FROM vrrp_silence WHERE NOT spare
GROUP BY vantage_id, vrid, family, segment, src_ip
ORDER BY vrid, family, segment, src_ip, vantage_id;

-- Silences that reached the limit. Excused are those in which the listener's capture lost frames or
-- was not running (no frame in the meantime and another file after it).
CREATE TEMP TABLE vrrp_gap AS
SELECT row_number() OVER (ORDER BY s.ref_ns, s.vantage_id, s.vrid, s.src_ip) AS id, s.*,
	o.vantage_id AS source_vantage, 0 AS sent, 0 AS late, CAST(NULL AS INTEGER) AS source_gap_ns,
	CAST(NULL AS INTEGER) AS source_next_ns, 0 AS restarted,
	-- the router heard again, where that is soon: to there its adverts were due
	CASE WHEN s.next_ns BETWEEN s.end_ns AND s.ref_ns + 10 * s.limit_ns THEN s.next_ns ELSE s.end_ns END AS heard_ns
FROM vrrp_silence s
LEFT JOIN vrrp_source o ON o.vrid = s.vrid AND o.family = s.family AND o.src_ip = s.src_ip AND (o.own OR s.spare)
	AND o.vantage_id != s.vantage_id
WHERE s.end_at_ns - s.at_ns >= s.limit_ns - s.interval_ns / 50
	AND NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = s.vantage_id
		AND d.from_ns < s.end_at_ns AND d.to_ns > s.at_ns)
	AND (s.capture_file_id = s.end_file_id OR EXISTS (SELECT 1 FROM activity a
		WHERE a.vantage_id = s.vantage_id AND a.second_ns > s.at_ns
			AND a.second_ns < s.end_at_ns - 1000000000));
-- The sender's own place says nothing while its capture lost frames, or before and after it ran.
UPDATE vrrp_gap SET source_vantage = NULL
WHERE EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = source_vantage
		AND ref_ns(d.vantage_id, d.from_ns) < end_ns AND ref_ns(d.vantage_id, d.to_ns) > vrrp_gap.ref_ns)
	OR NOT EXISTS (SELECT 1 FROM vantage v WHERE v.id = source_vantage
		AND ref_ns(v.id, v.first_ns) <= vrrp_gap.ref_ns AND ref_ns(v.id, v.last_ns) >= end_ns);

-- What the sender's own place shows of that time: adverts sent, and its longest pause. Where nobody's place is known,
-- the one that saw most shows what was on the link.
CREATE TEMP TABLE vrrp_own AS
SELECT s.vantage_id, s.vrid, s.family, s.src_ip, s.ref_ns, s.ip_id, s.capture_file_id, s.frame,
	lead(s.ref_ns) OVER (PARTITION BY s.vantage_id, s.vrid, s.family, s.src_ip ORDER BY s.ref_ns, s.frame)
		AS next_ns,
	lead(s.ip_id) OVER (PARTITION BY s.vantage_id, s.vrid, s.family, s.src_ip ORDER BY s.ref_ns, s.frame)
		AS next_ip_id
FROM vrrp_seen s
WHERE s.priority > 0 AND (s.own OR EXISTS (SELECT 1 FROM vrrp_source o WHERE NOT o.own AND o.vrid = s.vrid
	AND o.family = s.family AND o.src_ip = s.src_ip AND o.vantage_id = s.vantage_id));
CREATE INDEX temp.vrrp_own_by_router ON vrrp_own(vantage_id, vrid, family, src_ip, ref_ns);
UPDATE vrrp_gap SET
	sent = (SELECT count(*) FROM vrrp_own w WHERE w.vantage_id = source_vantage AND w.vrid = vrrp_gap.vrid
		AND w.family = vrrp_gap.family AND w.src_ip = vrrp_gap.src_ip
		AND w.ref_ns > vrrp_gap.ref_ns + interval_ns / 3 AND w.ref_ns < heard_ns - interval_ns / 20),
	(source_gap_ns, source_next_ns, restarted) = (
		SELECT max(w.next_ns - w.ref_ns), w.next_ns, w.next_ip_id NOT BETWEEN w.ip_id AND w.ip_id + 1000
			AND w.ip_id < 64000
		FROM vrrp_own w WHERE w.vantage_id = source_vantage AND w.vrid = vrrp_gap.vrid
			AND w.family = vrrp_gap.family AND w.src_ip = vrrp_gap.src_ip
			AND w.ref_ns > vrrp_gap.ref_ns - interval_ns / 2 AND w.ref_ns < end_ns)
WHERE source_vantage IS NOT NULL;
DELETE FROM vrrp_gap WHERE spare AND NOT (source_vantage IS NOT NULL AND sent > 0
	AND coalesce(source_gap_ns, 0) < limit_ns - interval_ns / 50);
-- Without its own place, the identification numbers that the listener saw tell a restart.
UPDATE vrrp_gap SET restarted = 1
WHERE source_vantage IS NULL AND ip_id IS NOT NULL AND next_ip_id IS NOT NULL AND ip_id < 64000
	AND next_ip_id NOT BETWEEN ip_id AND ip_id + 1000;
-- Without numbers, a silence of half a minute (and of ten limits) is taken for a stop.
UPDATE vrrp_gap SET restarted = 1
WHERE sent = 0 AND (ip_id IS NULL OR ip_id = next_ip_id)
	AND coalesce(source_next_ns, next_ns) - ref_ns > max(30000000000, 10 * limit_ns);
-- Adverts sent in the silence that arrived after it: late, the others lost. Told by their numbers,
-- else by a burst at its end.
UPDATE vrrp_gap SET late = min(sent, (
	SELECT count(*) FROM vrrp_own w
	CROSS JOIN vrrp_seen r ON r.vantage_id = vrrp_gap.vantage_id AND r.vrid = w.vrid AND r.family = w.family
		AND r.src_ip = w.src_ip AND r.ip_id = w.ip_id AND r.ref_ns BETWEEN w.ref_ns + vrrp_gap.interval_ns / 3
			AND w.ref_ns + 60000000000
	WHERE w.vantage_id = vrrp_gap.source_vantage AND w.vrid = vrrp_gap.vrid AND w.family = vrrp_gap.family
		AND w.src_ip = vrrp_gap.src_ip AND w.ref_ns > vrrp_gap.ref_ns + vrrp_gap.interval_ns / 3
		AND w.ref_ns < vrrp_gap.heard_ns - vrrp_gap.interval_ns / 20))
WHERE sent > 0 AND ip_id IS NOT NULL AND ip_id IS NOT next_ip_id;
UPDATE vrrp_gap SET late = min(sent, (
	SELECT count(*) - 1 FROM vrrp_seen r WHERE r.vantage_id = vrrp_gap.vantage_id AND r.vrid = vrrp_gap.vrid
		AND r.family = vrrp_gap.family AND r.src_ip = vrrp_gap.src_ip
		AND r.ref_ns BETWEEN vrrp_gap.next_ns AND vrrp_gap.next_ns + vrrp_gap.interval_ns / 2))
WHERE sent > 0 AND (ip_id IS NULL OR ip_id = next_ip_id) AND vrrp_gap.next_ns IS NOT NULL;

-- A burst at the end of the silence, of nearly as many as were due: they waited on the way. A router
-- that wakes sends one or two at once.
ALTER TABLE vrrp_gap ADD COLUMN burst INTEGER;
UPDATE vrrp_gap SET burst = (
	SELECT count(*) >= 3 AND count(*) >= (vrrp_gap.next_ns - vrrp_gap.ref_ns) / vrrp_gap.interval_ns - 1 FROM vrrp_seen r
	WHERE r.vantage_id = vrrp_gap.vantage_id AND r.vrid = vrrp_gap.vrid AND r.family = vrrp_gap.family
		AND r.src_ip = vrrp_gap.src_ip AND r.ref_ns BETWEEN vrrp_gap.next_ns AND vrrp_gap.next_ns + vrrp_gap.interval_ns / 2);

-- The verdict on each: stop (it resigned without a word, crashed or was restarted: no gap), source,
-- path, or unknown (neither the sender's capture nor its numbers tell).
CREATE TEMP TABLE vrrp_verdict AS
SELECT g.*, CASE
	WHEN g.source_vantage IS NOT NULL THEN CASE
		WHEN g.sent > 0 AND coalesce(g.source_gap_ns, 0) < g.limit_ns - g.interval_ns / 50 THEN 'path'
		WHEN g.source_next_ns IS NULL OR g.restarted THEN 'stop'
		ELSE 'source' END
	WHEN g.next_ns IS NULL OR g.restarted THEN 'stop'
	WHEN g.ip_id IS NULL OR g.ip_id = g.next_ip_id THEN
		CASE WHEN g.burst THEN 'path' ELSE 'unknown' END
	WHEN g.next_ip_id = g.ip_id + 1 THEN
		CASE WHEN g.burst THEN 'path' ELSE 'source' END
	ELSE 'path' END AS verdict,
	CASE WHEN g.source_vantage IS NOT NULL THEN iif(g.spare, 0.9, 1.0) WHEN g.next_ip_id != g.ip_id THEN 0.85 ELSE 0.4 END
		AS confidence,
	-- to its next advert where that comes soon, else to the takeover
	CASE WHEN coalesce(g.source_next_ns, g.next_ns) BETWEEN g.end_ns AND g.ref_ns + 10 * g.limit_ns
			AND g.sent = 0 THEN coalesce(g.source_next_ns, g.next_ns)
		ELSE g.heard_ns END AS until_ns
FROM vrrp_gap g;
