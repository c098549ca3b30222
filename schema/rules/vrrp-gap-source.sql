-- Adverts came later than the master-down time because their router did not send them
-- if: SELECT 1 FROM vrrp_advert
-- prepare/vrrp.sql finds the silences that reached the listener's own master-down time and says which
-- of them are stops: a resignation, an end, a restart are none of this.
CREATE TEMP TABLE vg_found AS
SELECT row_number() OVER (ORDER BY min(g.ref_ns), g.vrid, g.src_ip, g.vantage_id) AS key,
	g.vantage_id, g.vrid, g.family, g.segment, g.src_ip, g.listener, o.host_id AS source_host,
	o.vantage_id AS source_place, o.own, count(*) AS gaps, max(g.until_ns - g.ref_ns) AS longest_ns,
	max(g.limit_ns) AS limit_ns, min(g.limit_ns) AS limit_min_ns, sum(g.taken_over) AS takeovers,
	sum(g.sent) AS sent, sum(g.late) AS late, min(g.confidence) AS confidence, min(g.ref_ns) AS from_ns,
	max(g.until_ns) AS to_ns, sum(g.verdict = 'unknown') AS unknown, min(g.listener_priority) AS priority
FROM vrrp_verdict g
JOIN vrrp_source o ON o.vrid = g.vrid AND o.family = g.family AND o.src_ip = g.src_ip
WHERE g.verdict = 'source'
GROUP BY g.vantage_id, g.vrid, g.family, g.segment, g.src_ip;

CREATE TEMP TABLE vg_window AS
SELECT f.key, json_group_array(json(w.entry)) AS windows
FROM vg_found f
JOIN (SELECT vantage_id, vrid, family, src_ip, json_object('from_ns', ref_ns, 'to_ns', until_ns,
		'silence_ns', until_ns - ref_ns, 'limit_ns', limit_ns, 'taken_over', taken_over,
		'sent', sent, 'late', late) AS entry
	FROM vrrp_verdict WHERE verdict = 'source' ORDER BY id) w
	ON w.vantage_id = f.vantage_id AND w.vrid = f.vrid AND w.family = f.family AND w.src_ip = f.src_ip
GROUP BY f.key;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'vrrp-gap-source', CASE WHEN f.takeovers > 0 THEN 'warning' ELSE 'notice' END, f.confidence,
	f.source_host, CASE WHEN f.own THEN f.source_place END, f.vantage_id, f.src_ip, f.listener,
	f.from_ns, f.to_ns, f.gaps, NULL,
	coalesce(sh.name || ' (' || f.src_ip || ')', f.src_ip) || ' sent no VRRP advert for up to '
		|| span(f.longest_ns) || ' (VRID ' || f.vrid || ', ' || CASE f.gaps WHEN 1 THEN 'once' ELSE
		f.gaps || ' times' END || '); the limit is ' || span(f.limit_min_ns)
		|| CASE WHEN f.takeovers > 0 THEN ', and another took over' ELSE '' END,
	'find what stalls ' || coalesce(sh.name, f.src_ip)
		|| ' (CPU starvation, a paused or migrating guest, its log of keepalived timers); a longer '
		|| 'advert interval rides over short stalls',
	json_patch('{}', json_object('vrid', f.vrid, 'router', f.src_ip, 'longest_ns', f.longest_ns,
		'limit_ns', f.limit_min_ns, 'takeovers', f.takeovers, 
		'windows', json(w.windows)))
FROM vg_found f
JOIN vantage v ON v.id = f.vantage_id
LEFT JOIN host sh ON sh.id = f.source_host
JOIN vg_window w ON w.key = f.key
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, file_id, frame, note FROM (
	SELECT f.key, g.ref_ns AS at, 1 AS part, g.capture_file_id AS file_id, g.frame,
		'the last advert of ' || g.src_ip || ' before the silence' AS note
	FROM vg_found f JOIN vrrp_verdict g ON g.vantage_id = f.vantage_id AND g.vrid = f.vrid
		AND g.family = f.family AND g.src_ip = f.src_ip AND g.verdict = 'source'
	UNION ALL
	SELECT f.key, g.ref_ns, 3, g.end_file_id, g.end_frame,
		CASE WHEN g.taken_over THEN g.end_ip || ' takes over after '
			ELSE 'the next one after ' END || span(g.end_at_ns - g.at_ns)
	FROM vg_found f JOIN vrrp_verdict g ON g.vantage_id = f.vantage_id AND g.vrid = f.vrid
		AND g.family = f.family AND g.src_ip = f.src_ip AND g.verdict = 'source'
	UNION ALL
	SELECT f.key, g.ref_ns, 2, w.capture_file_id, w.frame, 'sent, the next one ' || span(w.next_ns - w.ref_ns) || ' later'
	FROM vg_found f JOIN vrrp_verdict g ON g.vantage_id = f.vantage_id AND g.vrid = f.vrid
		AND g.family = f.family AND g.src_ip = f.src_ip AND g.verdict = 'source'
	JOIN vrrp_own w ON w.vantage_id = g.source_vantage AND w.vrid = g.vrid AND w.family = g.family
		AND w.src_ip = g.src_ip AND w.ref_ns > g.ref_ns - g.interval_ns / 2 AND w.ref_ns < g.end_ns AND w.next_ns - w.ref_ns = g.source_gap_ns)
ORDER BY key, at, part, frame;
