-- A vantage point's clock jumped against the reference's
-- if: SELECT 1 FROM clock GROUP BY vantage_id HAVING count(*) > 1
-- Two pieces of the clock model whose intervals do not meet, though between them the clocks drift apart by
-- 1000 ppm, the most that they may. Where most clocks jump at one time by the same amount it was the
-- reference that jumped, and it is said once. Pieces follow each other on the reference clock: a clock that is set
-- back shows the later ones first.
CREATE TEMP TABLE step AS
SELECT *
FROM (SELECT c.vantage_id, c.reference_vantage_id, p.to_ns AS last_ns, c.from_ns,
		c.offset_low_ns - CAST(p.offset_high_ns + (p.to_ns - p.from_ns) * p.skew_ppm / 1e6
			+ max(c.from_ns - p.to_ns, 0) / 1e3 AS INTEGER) AS above_ns,
		CAST(p.offset_low_ns + (p.to_ns - p.from_ns) * p.skew_ppm / 1e6
			- max(c.from_ns - p.to_ns, 0) / 1e3 AS INTEGER) - c.offset_high_ns AS below_ns,
		c.offset_ns - CAST(p.offset_ns + (p.to_ns - p.from_ns) * p.skew_ppm / 1e6 AS INTEGER) AS jump_ns,
		c.from_ns - c.offset_ns AS at_ns
	FROM clock c
	JOIN clock p ON p.vantage_id = c.vantage_id AND p.rowid = (SELECT b.rowid FROM clock b
		WHERE b.vantage_id = c.vantage_id AND b.from_ns - b.offset_ns < c.from_ns - c.offset_ns
		ORDER BY b.from_ns - b.offset_ns DESC, b.rowid DESC LIMIT 1)
	WHERE c.method NOT IN ('reference', 'same host') AND c.vantage_id != c.reference_vantage_id)
WHERE (above_ns > 0 OR below_ns > 0)
	AND abs(jump_ns) >= 1e6 * (SELECT value FROM setting WHERE key = 'clock_step_min_ms');

-- The clocks that can say whether the vantage point's clock or the reference jumped: those with both bounds (with one bound
-- alone the offset could have jumped unseen) whose offset is known before and after the jump.
CREATE TEMP TABLE witness AS
SELECT s.rowid AS step_id, c.vantage_id,
	EXISTS (SELECT 1 FROM step o WHERE o.vantage_id = c.vantage_id AND abs(o.at_ns - s.at_ns) <= 1000000000
		AND abs(o.jump_ns - s.jump_ns) <= 0.1 * abs(s.jump_ns)) AS jumped
FROM step s
JOIN clock c ON c.reference_vantage_id = s.reference_vantage_id AND c.vantage_id != c.reference_vantage_id
	AND c.method = 'both directions'
GROUP BY s.rowid, c.vantage_id
HAVING min(c.from_ns - c.offset_ns) < s.at_ns + 1000000000 AND max(c.to_ns - c.offset_ns) > s.at_ns;

-- The reference jumped where most of them show the step within a second, and at least two do.
CREATE TEMP TABLE shared AS
SELECT w.step_id, min(o.rowid) AS spokesman
FROM (SELECT step_id FROM witness GROUP BY step_id HAVING sum(jumped) >= 2 AND sum(jumped) > count(*) / 2.0) w
JOIN step s ON s.rowid = w.step_id
JOIN step o ON o.reference_vantage_id = s.reference_vantage_id AND abs(o.at_ns - s.at_ns) <= 1000000000
	AND abs(o.jump_ns - s.jump_ns) <= 0.1 * abs(s.jump_ns)
GROUP BY w.step_id;
DELETE FROM step WHERE rowid IN (SELECT step_id FROM shared WHERE step_id != spokesman);

CREATE TEMP TABLE jumped AS
SELECT s.*, CASE WHEN h.step_id IS NULL THEN s.vantage_id ELSE s.reference_vantage_id END AS whose,
	CASE WHEN h.step_id IS NULL THEN s.jump_ns ELSE -s.jump_ns END AS step_ns, h.step_id IS NOT NULL AS all_saw,
	-- a clock that agrees with the reference all the while says that it was not the reference
	h.step_id IS NOT NULL OR EXISTS (SELECT 1 FROM witness w WHERE w.step_id = s.rowid AND NOT w.jumped) AS is_known
FROM step s LEFT JOIN shared h ON h.step_id = s.rowid;

CREATE TEMP TABLE verdict AS
SELECT whose AS key, whose, count(*) AS steps, min(at_ns) AS first_ns, max(at_ns) AS last_ns, max(abs(step_ns)) AS largest,
	min(reference_vantage_id) AS reference_vantage_id, max(all_saw) AS all_saw, max(is_known) AS is_known
FROM jumped GROUP BY whose;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'clock-step', CASE WHEN v.largest >= 1000000000 THEN 'warning' ELSE 'notice' END,
	iif(v.is_known, 0.95, 0.8), iif(v.is_known, h.host_id, NULL), v.whose,
	iif(v.is_known, NULL, v.reference_vantage_id),
	v.first_ns, v.last_ns, v.steps, NULL,
	CASE WHEN v.is_known THEN 'the clock of ' || h.name || ' jumped '
		ELSE 'the clock of ' || h.name || ' or that of ' || r.name || ' jumped: against each other, ' || h.name || '''s went ' END
		|| iif(v.steps = 1, '', v.steps || ' times, at most ')
		|| (SELECT CASE WHEN j.step_ns > 0 THEN 'forward by ' ELSE 'back by ' END || span(abs(j.step_ns))
			FROM jumped j WHERE j.whose = v.whose ORDER BY abs(j.step_ns) DESC, j.at_ns LIMIT 1)
		|| '; the counts in this report do not depend on it',
	'on ' || h.name || iif(v.is_known, '', ' and ' || r.name)
		|| ': let chrony or ntpd slew instead of stepping, and see why the clock was off',
	json_object('step_ns', (SELECT j.step_ns FROM jumped j WHERE j.whose = v.whose
			ORDER BY abs(j.step_ns) DESC, j.at_ns LIMIT 1),
		'windows', (SELECT json_group_array(json_object('from_ns', at_ns, 'to_ns', at_ns, 'step_ns', step_ns))
			FROM (SELECT * FROM jumped j WHERE j.whose = v.whose ORDER BY at_ns LIMIT 50)))
FROM verdict v
JOIN vantage h ON h.id = v.whose
JOIN vantage r ON r.id = v.reference_vantage_id;

-- Proof: the packets on both sides of the jump (the join keeps them), else the captures that show it. A clock that
-- steps back shows a time twice: the last packet before the jump stands first in the file, the first one after it last.
CREATE TEMP TABLE beside AS
SELECT v.key, j.vantage_id, j.at_ns AS step_ns, 0 AS is_after, j.last_ns AS at_ns, j.jump_ns
FROM verdict v JOIN jumped j ON j.whose = v.whose
UNION ALL
SELECT v.key, j.vantage_id, j.at_ns, 1, j.from_ns, j.jump_ns
FROM verdict v JOIN jumped j ON j.whose = v.whose;
CREATE INDEX temp.beside_by_time ON beside(vantage_id, at_ns);
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, iif(is_after, 'from here on this clock is ' || span(abs(jump_ns))
	|| iif(jump_ns > 0, ' further ahead', ' further behind'), 'the last packet before the jump')
FROM (SELECT b.*, p.capture_file_id, p.frame, p.flow_id, row_number() OVER (PARTITION BY b.key, b.step_ns, b.is_after
		ORDER BY iif(b.is_after, -1, 1) * p.capture_file_id, iif(b.is_after, -1, 1) * p.frame) AS n
	FROM (SELECT 1 FROM beside LIMIT 1) once
	CROSS JOIN packet p
	CROSS JOIN beside b ON b.vantage_id = p.vantage_id AND b.at_ns = p.at_ns)
WHERE n = 1
ORDER BY key, step_ns, is_after;
INSERT INTO new_evidence (key, capture_file_id, note)
SELECT v.key, c.id, 'from ' || iso(j.from_ns) || ' on this clock it is ' || span(abs(j.jump_ns))
	|| iif(j.jump_ns > 0, ' further ahead', ' further behind')
FROM verdict v
JOIN jumped j ON j.whose = v.whose
JOIN capture_file c ON c.id = (SELECT min(f.id) FROM capture_file f
	JOIN capture_interface i ON i.capture_file_id = f.id AND i.vantage_id = j.vantage_id
	WHERE f.first_ns <= j.from_ns AND f.last_ns >= j.from_ns)
WHERE NOT EXISTS (SELECT 1 FROM new_evidence e WHERE e.key = v.key)
ORDER BY v.key, j.at_ns;
INSERT INTO new_evidence (key, capture_file_id, note)
SELECT v.key, c.id, 'the capture whose times jump'
FROM verdict v
JOIN jumped j ON j.whose = v.whose
JOIN capture_interface i ON i.vantage_id = j.vantage_id
JOIN capture_file c ON c.id = i.capture_file_id
WHERE NOT EXISTS (SELECT 1 FROM new_evidence e WHERE e.key = v.key)
GROUP BY v.key, c.id
ORDER BY v.key, c.id;
