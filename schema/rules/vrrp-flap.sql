-- A virtual address goes back and forth between routers
-- if: SELECT 1 FROM vrrp_advert
-- Changes of master at one link, planned ones (priority 0, and the return after one) left out. An
-- episode is three or more of them, none further from the next than a minute or ten intervals, in which one who had
-- been master before becomes it again: routers that take over one after another go nowhere back.
CREATE TEMP TABLE vf_change AS
SELECT t.vrid, t.family, t.segment, t.from_ns AS at_ns, t.src_ip AS router, t.began AS how, t.interval_ns,
	t.capture_file_id, t.frame
FROM vrrp_term t WHERE t.began != 'first'
UNION ALL
-- A router that had taken over though the master went on sending gives way to it again.
SELECT t.vrid, t.family, t.segment, t.to_ns, m.src_ip, 'return', t.interval_ns, t.capture_file_id, t.frame
FROM vrrp_term t
JOIN vrrp_term m ON m.vrid = t.vrid AND m.family = t.family AND m.segment = t.segment
	AND m.src_ip != t.src_ip AND m.from_ns < t.from_ns AND m.to_ns > t.to_ns + t.interval_ns
WHERE t.began IN ('unheard', 'early', 'failure') AND NOT t.resigned;

CREATE TEMP TABLE vf_step AS
SELECT *, sum(starts) OVER (PARTITION BY vrid, family, segment ORDER BY at_ns, router) AS episode
FROM (
	SELECT *, coalesce(at_ns - lag(at_ns) OVER w > max(60000000000, 10 * interval_ns), 1) AS starts
	FROM (
		SELECT *, lag(how) OVER v AS how_before FROM vf_change
		WINDOW v AS (PARTITION BY vrid, family, segment ORDER BY at_ns, router))
	WHERE how != 'planned' AND NOT (how = 'preemption' AND how_before IS 'planned')
	WINDOW w AS (PARTITION BY vrid, family, segment ORDER BY at_ns, router));

CREATE TEMP TABLE vf_episode AS
SELECT vrid, family, segment, episode, count(*) AS changes, min(at_ns) AS from_ns, max(at_ns) AS to_ns
FROM vf_step s GROUP BY vrid, family, segment, episode
HAVING count(*) >= 3 AND max(how = 'return' OR EXISTS (SELECT 1 FROM vrrp_term t WHERE t.vrid = s.vrid
	AND t.family = s.family AND t.segment = s.segment AND t.src_ip = s.router AND t.from_ns < s.at_ns));

CREATE TEMP TABLE vf_found AS
SELECT row_number() OVER (ORDER BY min(e.from_ns), e.vrid, e.segment) AS key,
	e.vrid, e.family, e.segment, sum(e.changes) AS changes, count(*) AS episodes, min(e.from_ns) AS from_ns,
	max(e.to_ns) AS to_ns
FROM vf_episode e GROUP BY e.vrid, e.family, e.segment;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'vrrp-flap', 'critical', 0.95,
	(SELECT min(o.host_id) FROM vrrp_source o WHERE o.vrid = f.vrid AND o.family = f.family
		AND o.segment = f.segment),
	NULL, NULL, NULL, NULL, f.from_ns, f.to_ns, f.changes, NULL,
	'the master of VRID ' || f.vrid || ' changed ' || f.changes || ' times in '
		|| span(f.to_ns - f.from_ns) || ' between '
		|| (SELECT group_concat(name, ' and ') FROM (
			SELECT DISTINCT coalesce(h.name || ' (' || t.src_ip || ')', t.src_ip) AS name
			FROM vrrp_term t LEFT JOIN host h ON h.id = t.host_id
			WHERE t.vrid = f.vrid AND t.family = f.family AND t.segment = f.segment ORDER BY 1)),
	'until the cause is gone: a longer advert interval, or nopreempt, on both routers',
	json_object('vrid', f.vrid,
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', e.from_ns, 'to_ns', e.to_ns, 'changes', e.changes) AS w
			FROM vf_episode e WHERE e.vrid = f.vrid AND e.family = f.family AND e.segment = f.segment
			ORDER BY e.from_ns)),
		'changes', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('at_ns', s.at_ns, 'router', s.router, 'how', s.how) AS w
			FROM vf_step s JOIN vf_episode e USING (vrid, family, segment, episode)
			WHERE s.vrid = f.vrid AND s.family = f.family AND s.segment = f.segment
			ORDER BY s.at_ns, s.router LIMIT 200)),
		'shortest_ns', (SELECT min(gap) FROM (
			SELECT s.at_ns - lag(s.at_ns) OVER (PARTITION BY s.episode ORDER BY s.at_ns) AS gap
			FROM vf_step s JOIN vf_episode e USING (vrid, family, segment, episode)
			WHERE s.vrid = f.vrid AND s.family = f.family AND s.segment = f.segment)))
FROM vf_found f ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, s.capture_file_id, s.frame,
	CASE s.how WHEN 'return' THEN 'first advert of the router that gave way to ' || s.router || ' later'
		ELSE s.router || ' becomes master (' || s.how || ')' END
FROM vf_found f
JOIN vf_step s ON s.vrid = f.vrid AND s.family = f.family AND s.segment = f.segment
JOIN vf_episode e ON e.vrid = s.vrid AND e.family = s.family AND e.segment = s.segment AND e.episode = s.episode
ORDER BY f.key, s.at_ns, s.router;
