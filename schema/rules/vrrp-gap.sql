-- Adverts came later than the master-down time: not sent (vrrp-gap-source), or sent and lost or late (vrrp-gap-path)
-- if: SELECT 1 FROM vrrp_advert
-- prepare/vrrp.sql finds the silences that reached the listener's own master-down time and says which
-- of them are stops: a resignation, an end, a restart are none of this. Where it cannot be told whether they were
-- sent, vrrp-gap-path says so.
CREATE TEMP TABLE vg_gap AS
SELECT *, iif(verdict = 'source', 'vrrp-gap-source', 'vrrp-gap-path') AS kind,
	-- which of the router's own adverts are proof
	iif(verdict = 'source', ref_ns - interval_ns / 2, ref_ns + interval_ns / 3) AS proof_from_ns,
	iif(verdict = 'source', end_ns, heard_ns - interval_ns / 20) AS proof_to_ns
FROM vrrp_verdict WHERE verdict IN ('source', 'path', 'unknown') ORDER BY id;

CREATE TEMP TABLE vg_found AS
SELECT row_number() OVER (ORDER BY g.kind, min(g.ref_ns), g.vrid, g.src_ip, g.vantage_id) AS key, g.kind,
	g.vantage_id, g.vrid, g.family, g.segment, g.src_ip, g.listener, o.host_id AS source_host,
	o.vantage_id AS source_place, o.own, count(*) AS gaps, max(g.until_ns - g.ref_ns) AS longest_ns,
	max(g.limit_ns) AS limit_ns, min(g.limit_ns) AS limit_min_ns, sum(g.taken_over) AS takeovers,
	sum(g.sent) AS sent, sum(g.late) AS late, min(g.confidence) AS confidence, min(g.ref_ns) AS from_ns,
	max(g.until_ns) AS to_ns, sum(g.verdict = 'unknown') AS unknown, min(g.listener_priority) AS priority
FROM vg_gap g
JOIN vrrp_source o ON o.vrid = g.vrid AND o.family = g.family AND o.src_ip = g.src_ip
GROUP BY g.kind, g.vantage_id, g.vrid, g.family, g.segment, g.src_ip;

-- The silences of each, in order of time.
CREATE TEMP TABLE vg_of AS
SELECT f.key, g.*
FROM vg_gap g
JOIN vg_found f ON f.kind = g.kind AND f.vantage_id = g.vantage_id AND f.vrid = g.vrid AND f.family = g.family
	AND f.src_ip = g.src_ip
ORDER BY g.id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, f.kind, CASE WHEN f.takeovers > 0 THEN 'warning' ELSE 'notice' END, f.confidence,
	iif(f.kind = 'vrrp-gap-source', f.source_host, v.host_id), CASE WHEN f.own THEN f.source_place END, f.vantage_id,
	f.src_ip, f.listener, f.from_ns, f.to_ns, f.gaps, NULL,
	CASE WHEN f.kind = 'vrrp-gap-source' THEN
		coalesce(sh.name || ' (' || f.src_ip || ')', f.src_ip) || ' sent no VRRP advert for ' || iif(f.gaps = 1, '', 'up to ')
			|| span(f.longest_ns) || ' (VRID ' || f.vrid || ', ' || CASE f.gaps WHEN 1 THEN 'once' ELSE
			f.gaps || ' times' END || '); the limit is ' || span(f.limit_min_ns)
			|| CASE WHEN f.takeovers > 0 THEN ', and another took over' ELSE '' END
	WHEN f.unknown = f.gaps THEN
		v.name || ' heard no VRRP advert of ' || f.src_ip || ' for ' || iif(f.gaps = 1, '', 'up to ') || span(f.longest_ns)
			|| ' (VRID ' || f.vrid || ', limit ' || span(f.limit_min_ns)
			|| '); whether they were sent cannot be told from this side'
	ELSE
		v.name || ' heard no VRRP advert of ' || coalesce(sh.name || ' (' || f.src_ip || ')', f.src_ip)
			|| ' for ' || iif(f.gaps = 1, '', 'up to ') || span(f.longest_ns) || ' (VRID ' || f.vrid || ', '
			|| CASE f.gaps WHEN 1 THEN 'once' ELSE f.gaps || ' times' END || '; limit '
			|| span(f.limit_min_ns) || ') though it sent them: '
			|| CASE WHEN f.sent = 0 THEN 'the next ones show that some are missing or came in a burst'
				ELSE (f.sent - f.late) || ' lost on the way, ' || f.late || ' late' END
			|| CASE WHEN f.takeovers > 0 THEN '; another took over' ELSE '' END
	END,
	CASE WHEN f.kind = 'vrrp-gap-source' THEN 'find what stalls ' || coalesce(sh.name, f.src_ip)
			|| ' (CPU starvation, a paused or migrating guest, its log of keepalived timers); a longer '
			|| 'advert interval rides over short stalls'
		WHEN f.unknown = f.gaps THEN 'capture on ' || f.src_ip || ' as well'
		ELSE 'look at the way from ' || coalesce(sh.name, f.src_ip) || ' to ' || v.name || ': hypervisor (is vhost_net in use?), IGMP '
			|| 'snooping, storm control, and at what ' || v.name || ' drops on receive (`ip -s -s link`)' END,
	json_patch('{}', json_object('vrid', f.vrid, 'router', f.src_ip, 'longest_ns', f.longest_ns,
		'limit_ns', f.limit_min_ns, 'takeovers', f.takeovers,
		'sent', iif(f.kind = 'vrrp-gap-path', f.sent, NULL),
		'lost', iif(f.kind = 'vrrp-gap-path', f.sent - f.late, NULL),
		'late', iif(f.kind = 'vrrp-gap-path', f.late, NULL),
		'windows', (SELECT json_group_array(json_object('from_ns', g.ref_ns, 'to_ns', g.until_ns,
				'silence_ns', g.until_ns - g.ref_ns, 'limit_ns', g.limit_ns, 'taken_over', g.taken_over,
				'sent', g.sent, 'late', g.late))
			FROM vg_of g WHERE g.key = f.key)))
FROM vg_found f
JOIN vantage v ON v.id = f.vantage_id
LEFT JOIN host sh ON sh.id = f.source_host;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, file_id, frame, note FROM (
	SELECT g.key, g.ref_ns AS at, 1 AS part, g.capture_file_id AS file_id, g.frame,
		'the last advert of ' || g.src_ip || ' before the silence' AS note
	FROM vg_of g
	UNION ALL
	SELECT g.key, g.ref_ns, 3, g.end_file_id, g.end_frame,
		CASE WHEN g.taken_over THEN g.end_ip || ' takes over after '
			ELSE 'the next one after ' END || span(g.end_at_ns - g.at_ns)
	FROM vg_of g
	UNION ALL
	SELECT g.key, g.ref_ns, 2, w.capture_file_id, w.frame,
		CASE g.kind WHEN 'vrrp-gap-source' THEN 'sent, the next one ' || span(w.next_ns - w.ref_ns) || ' later'
			ELSE 'sent in the meantime' END
	FROM vg_of g
	JOIN vrrp_own w ON w.vantage_id = g.source_vantage AND w.vrid = g.vrid AND w.family = g.family
		AND w.src_ip = g.src_ip AND w.ref_ns > g.proof_from_ns AND w.ref_ns < g.proof_to_ns
		AND (g.kind = 'vrrp-gap-path' OR w.next_ns - w.ref_ns = g.source_gap_ns))
ORDER BY key, at, part, frame;
