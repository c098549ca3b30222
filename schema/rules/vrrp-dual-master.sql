-- Two routers of one virtual address were master at the same time
-- if: SELECT 1 FROM vrrp_advert
-- Terms of two routers that overlap by more than one and a half intervals: the handover of a
-- preemption takes less. Seen at two places, the clocks must be known to one another.
CREATE TEMP TABLE vd_clock AS
SELECT v.id AS vantage_id,
	coalesce((SELECT max(c.offset_high_ns - c.offset_low_ns) FROM clock c WHERE c.vantage_id = v.id
		AND c.reference_vantage_id != c.vantage_id), 0) AS width_ns,
	NOT EXISTS (SELECT 1 FROM clock c WHERE c.vantage_id = v.id AND c.reference_vantage_id != c.vantage_id
		AND (c.offset_low_ns IS NULL OR c.offset_high_ns IS NULL)) AS known
FROM vantage v;

CREATE TEMP TABLE vd_span AS
SELECT a.vrid, a.family, a.segment, min(a.src_ip, b.src_ip) AS low_ip, max(a.src_ip, b.src_ip) AS high_ip,
	max(a.from_ns, b.from_ns) AS from_ns, min(a.to_ns, b.to_ns) AS to_ns,
	max(a.interval_ns, b.interval_ns) AS interval_ns,
	b.capture_file_id, b.frame, a.capture_file_id AS other_file_id, a.frame AS other_frame,
	a.src_ip AS before_ip, b.src_ip AS after_ip, b.began
FROM vrrp_term a
JOIN vrrp_term b ON b.vrid = a.vrid AND b.family = a.family AND b.segment = a.segment
	AND b.src_ip != a.src_ip AND (b.from_ns > a.from_ns OR (b.from_ns = a.from_ns AND b.src_ip > a.src_ip))
	AND b.from_ns < a.to_ns
JOIN vd_clock ca ON ca.vantage_id = a.vantage_id
JOIN vd_clock cb ON cb.vantage_id = b.vantage_id
WHERE (a.vantage_id = b.vantage_id OR (ca.known AND cb.known))
	AND min(a.to_ns, b.to_ns) - b.from_ns - CASE WHEN a.vantage_id = b.vantage_id THEN 0
		ELSE ca.width_ns + cb.width_ns END > max(a.interval_ns, b.interval_ns) * 3 / 2;

CREATE TEMP TABLE vd_found AS
SELECT row_number() OVER (ORDER BY min(s.from_ns), s.vrid, s.low_ip, s.high_ip) AS key,
	s.vrid, s.family, s.segment, s.low_ip, s.high_ip, count(*) AS spans, sum(s.to_ns - s.from_ns) AS total_ns,
	max(s.to_ns - s.from_ns) AS longest_ns, min(s.from_ns) AS from_ns, max(s.to_ns) AS to_ns,
	lo.host_id AS low_host, hi.host_id AS high_host, lo.vantage_id AS low_place, hi.vantage_id AS high_place,
	lo.own AS low_own, hi.own AS high_own
FROM vd_span s
JOIN vrrp_source lo ON lo.vrid = s.vrid AND lo.family = s.family AND lo.src_ip = s.low_ip
JOIN vrrp_source hi ON hi.vrid = s.vrid AND hi.family = s.family AND hi.src_ip = s.high_ip
GROUP BY s.vrid, s.family, s.segment, s.low_ip, s.high_ip;

-- Whether each heard the other meanwhile: NULL where its own place was not captured.
CREATE TEMP TABLE vd_heard AS
SELECT f.key,
	CASE WHEN f.low_own THEN (SELECT count(*) FROM vd_span s JOIN vrrp_seen r
		ON r.vantage_id = f.low_place AND r.vrid = f.vrid AND r.family = f.family AND r.src_ip = f.high_ip
			AND r.ref_ns BETWEEN s.from_ns AND s.to_ns
		WHERE s.vrid = f.vrid AND s.family = f.family AND s.low_ip = f.low_ip AND s.high_ip = f.high_ip) END
		AS by_low,
	CASE WHEN f.high_own THEN (SELECT count(*) FROM vd_span s JOIN vrrp_seen r
		ON r.vantage_id = f.high_place AND r.vrid = f.vrid AND r.family = f.family AND r.src_ip = f.low_ip
			AND r.ref_ns BETWEEN s.from_ns AND s.to_ns
		WHERE s.vrid = f.vrid AND s.family = f.family AND s.low_ip = f.low_ip AND s.high_ip = f.high_ip) END
		AS by_high
FROM vd_found f;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'vrrp-dual-master', 'critical', CASE WHEN f.low_place = f.high_place THEN 1 ELSE 0.95 END,
	coalesce(f.low_host, f.high_host), CASE WHEN f.low_own THEN f.low_place END,
	CASE WHEN f.high_own THEN f.high_place END, f.low_ip, f.high_ip, f.from_ns, f.to_ns, f.spans, NULL,
	coalesce(lh.name || ' (' || f.low_ip || ')', f.low_ip) || ' and '
		|| coalesce(hh.name || ' (' || f.high_ip || ')', f.high_ip) || ' were both master of VRID ' || f.vrid
		|| ' for ' || span(f.longest_ns)
		|| CASE WHEN f.spans > 1 THEN ' at most, ' || f.spans || ' times' ELSE '' END
		|| CASE WHEN h.by_low = 0 AND h.by_high = 0 THEN '; neither heard the other'
			WHEN h.by_low = 0 AND h.by_high > 0 THEN '; ' || f.low_ip || ' did not hear ' || f.high_ip
			WHEN h.by_high = 0 AND h.by_low > 0 THEN '; ' || f.high_ip || ' did not hear ' || f.low_ip
			WHEN h.by_low > 1 AND h.by_high > 1 THEN '; each received the other''s adverts and did not act '
				|| 'on them' ELSE '' END,
	CASE WHEN h.by_low > 1 AND h.by_high > 1
		THEN 'compare the two configurations: version, interval, authentication, addresses; and the logs'
		ELSE 'restore the way of the adverts between them: multicast filters, IGMP snooping, firewall rules '
			|| 'for protocol 112' END,
	json_patch('{}', json_object('vrid', f.vrid, 'longest_ns', f.longest_ns, 'seconds', f.total_ns / 1e9,
		'heard', json_object(f.low_ip, h.by_low, f.high_ip, h.by_high),
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', s.from_ns, 'to_ns', s.to_ns, 'began', s.began) AS w FROM vd_span s
			WHERE s.vrid = f.vrid AND s.family = f.family AND s.low_ip = f.low_ip AND s.high_ip = f.high_ip
			ORDER BY s.from_ns LIMIT 200))))
FROM vd_found f
JOIN vd_heard h ON h.key = f.key
LEFT JOIN host lh ON lh.id = f.low_host
LEFT JOIN host hh ON hh.id = f.high_host
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, s.capture_file_id, s.frame, s.after_ip || ' advertises while ' || s.before_ip || ' does'
FROM vd_found f JOIN vd_span s ON s.vrid = f.vrid AND s.family = f.family AND s.low_ip = f.low_ip
	AND s.high_ip = f.high_ip
ORDER BY f.key, s.from_ns;
