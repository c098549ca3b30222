-- A capture missed packets while it ran: the other end proves that they passed, or the capture says so itself
-- if: SELECT 1 FROM vantage WHERE tcp_missed > 0 UNION ALL SELECT 1 FROM capture_file WHERE dropped_kernel > 0 UNION ALL SELECT 1 FROM path WHERE capture_missed > 0 OR sender_missed > 0
-- Proof is a segment that was acknowledged, or seen elsewhere, and is not in this capture; a middle
-- vantage point counts a segment once, though both its legs miss it. What arrived without other proof than its
-- arrival is told apart from what is proven. A capture that counted its own
-- drops is believed where that is more. What passed before it began or after it ended is no loss.
CREATE TEMP TABLE missed AS
SELECT vantage_id, max(sum_in, sum_out) AS missed, flow_id
FROM (SELECT vantage_id, flow_id, sum(is_in * n) AS sum_in, sum((1 - is_in) * n) AS sum_out
	FROM (SELECT to_vantage_id AS vantage_id, flow_id, direction, 1 AS is_in, capture_missed AS n
		FROM path WHERE capture_missed > 0
		UNION ALL
		SELECT from_vantage_id, flow_id, direction, 0, sender_missed FROM path WHERE sender_missed > 0
		UNION ALL
		SELECT to_vantage_id, flow_id, direction, 1, segments FROM segment_event WHERE kind = 'both_missed'
		UNION ALL
		SELECT from_vantage_id, flow_id, direction, 0, segments FROM segment_event WHERE kind = 'both_missed')
	GROUP BY vantage_id, flow_id, direction);
-- A place that never saw the flow at all had a filter, or the proof of the rest is in tcp_missed.
DELETE FROM missed WHERE NOT EXISTS (SELECT 1 FROM flow_vantage w WHERE w.flow_id = missed.flow_id
	AND w.vantage_id = missed.vantage_id);
-- Resets that it alone lacks were never sent there: injected-segment.
DELETE FROM missed WHERE vantage_id IN (SELECT from_vantage_id FROM lone_reset);

-- When each capture ran, on the reference clock.
CREATE TEMP TABLE ran AS
SELECT v.id, ref_ns(v.id, v.first_ns)
		AS first_ns,
	ref_ns(v.id, v.last_ns) AS last_ns
FROM vantage v
WHERE v.kind NOT IN ('flowlog', 'kernel') AND v.first_ns IS NOT NULL;

-- And when it did not: more than a second between one of its files and the next.
CREATE TEMP TABLE pause AS
SELECT p.vantage_id, ref_ns(p.vantage_id, p.from_ns) AS from_ns, ref_ns(p.vantage_id, p.to_ns) AS to_ns
FROM (SELECT i.vantage_id, c.first_ns AS to_ns,
		lag(c.last_ns) OVER (PARTITION BY i.vantage_id ORDER BY c.first_ns) AS from_ns
	FROM (SELECT DISTINCT vantage_id, capture_file_id FROM capture_interface) i
	JOIN capture_file c ON c.id = i.capture_file_id WHERE c.first_ns IS NOT NULL) p
WHERE p.to_ns - p.from_ns > 1000000000;

-- An arrival was sent before, by no more than the round trip, which is what two clocks are uncertain by.
CREATE TEMP TABLE blur AS
SELECT v.id AS vantage_id, (SELECT coalesce(max(c.offset_high_ns - c.offset_low_ns), 0) FROM clock c
	WHERE c.vantage_id = v.id) AS ns
FROM vantage v;

-- A clock that jumps shows times twice or not at all: which of them a capture ran at is not told by the clock.
CREATE TEMP TABLE turned AS
SELECT EXISTS (SELECT 1 FROM clock GROUP BY vantage_id HAVING count(*) > 1) AS any;

CREATE TEMP TABLE missing AS
SELECT r.id AS vantage_id, e.id AS event_id, e.flow_id, e.direction, e.segments, e.kind, e.at_ns,
	(e.outside AND t.any) OR e.at_ns NOT BETWEEN r.first_ns AND r.last_ns OR EXISTS (SELECT 1 FROM pause p
		WHERE p.vantage_id = r.id AND e.at_ns BETWEEN p.from_ns AND p.to_ns) AS outside
FROM ran r
CROSS JOIN turned t
CROSS JOIN vantage o
CROSS JOIN event e ON e.kind = 'capture_missed' AND e.from_vantage_id = o.id AND e.to_vantage_id = r.id
UNION ALL
SELECT r.id, e.id, e.flow_id, e.direction, e.segments, e.kind, e.at_ns,
	(e.outside AND t.any) OR e.at_ns NOT BETWEEN r.first_ns + max(b.ns, m.ns) AND r.last_ns OR EXISTS (SELECT 1 FROM pause p
		WHERE p.vantage_id = r.id AND e.at_ns BETWEEN p.from_ns AND p.to_ns)
FROM ran r
CROSS JOIN event e ON e.kind = 'sender_missed' AND e.from_vantage_id = r.id
JOIN temp.blur b ON b.vantage_id = e.to_vantage_id
JOIN temp.blur m ON m.vantage_id = r.id
CROSS JOIN turned t
UNION ALL
-- What neither has has no time but that of its proof; the join saw to it that both captures ran.
SELECT r.id, e.id, e.flow_id, e.direction, e.segments, e.kind, NULL, 0
FROM ran r
JOIN segment_event e ON e.kind = 'both_missed' AND r.id IN (e.from_vantage_id, e.to_vantage_id);

CREATE TEMP TABLE verdict AS
WITH outside AS (SELECT vantage_id, sum(max(n_in, n_out)) AS n
		FROM (SELECT vantage_id, sum(segments * (kind = 'capture_missed')) AS n_in,
				sum(segments * (kind = 'sender_missed')) AS n_out
			FROM missing WHERE outside GROUP BY vantage_id, flow_id, direction)
		GROUP BY vantage_id),
	proven AS (SELECT vantage_id, sum(missed) AS missed, count(DISTINCT flow_id) AS flows FROM missed
		GROUP BY vantage_id),
	-- nothing but their arrival speaks for these
	bare AS (SELECT m.vantage_id, sum(m.segments) AS n FROM missing m
		CROSS JOIN segment_event e ON e.id = m.event_id AND e.reason IN ('no-proof', 'filter')
		WHERE m.kind = 'sender_missed' AND NOT m.outside AND EXISTS (SELECT 1 FROM flow_vantage w
			WHERE w.flow_id = m.flow_id AND w.vantage_id = m.vantage_id)
		GROUP BY m.vantage_id),
	-- of the frames within --from, --to and --filter
	own AS (SELECT i.vantage_id, sum(c.frames - coalesce((SELECT sum(a.frames) FROM frame_account a
			WHERE a.capture_file_id = c.id AND a.disposition IN ('outside_time', 'filtered')), 0)) AS frames, sum(i.dropped_kernel) AS dropped
		FROM capture_drop_count i JOIN capture_file c ON c.id = i.capture_file_id GROUP BY i.vantage_id)
SELECT vantage_id AS key, *, max(passed, coalesce(dropped, 0)) AS missed, max(passed - bare, 0) AS proven
FROM (SELECT v.id AS vantage_id, v.host_id, v.name,
		max(coalesce(p.missed, 0), v.tcp_missed) - coalesce(x.n, 0) AS passed, coalesce(b.n, 0) AS bare,
		o.dropped, o.frames, p.flows, r.first_ns, r.last_ns
	FROM vantage v
	JOIN own o ON o.vantage_id = v.id
	JOIN ran r ON r.id = v.id
	LEFT JOIN proven p ON p.vantage_id = v.id
	LEFT JOIN bare b ON b.vantage_id = v.id
	LEFT JOIN outside x ON x.vantage_id = v.id)
WHERE passed > 0 OR dropped > 0;

CREATE TEMP TABLE proof AS
SELECT v.key, v.missed, m.event_id, row_number() OVER (PARTITION BY v.key ORDER BY m.at_ns, m.event_id) AS n
FROM missing m JOIN verdict v ON v.vantage_id = m.vantage_id
WHERE NOT m.outside;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'capture-loss',
	CASE WHEN 1.0 * v.missed / (v.frames + v.missed)
		>= (SELECT value FROM setting WHERE key = 'capture_loss_warning_rate') THEN 'warning'
		ELSE 'notice' END,
	CASE WHEN v.proven > 0 OR v.dropped > 0 THEN 1 ELSE 0.8 END, v.host_id, v.vantage_id, NULL, v.first_ns, v.last_ns, v.missed, v.frames + v.missed,
	v.name || '''s capture is missing ' || v.missed || ' of ' || (v.frames + v.missed) || ' frames ('
		|| percent(1.0 * v.missed / (v.frames + v.missed)) || '): '
		|| CASE WHEN v.proven > 0 THEN 'the other captures or acknowledgments prove that ' || v.proven || ' passed here' ELSE '' END
		|| CASE WHEN v.passed > v.proven THEN iif(v.proven > 0, ', ', '') || (v.passed - v.proven)
			|| iif(v.passed - v.proven = 1, ' was', ' were') || ' seen only where ' || iif(v.passed - v.proven = 1, 'it', 'they')
			|| ' arrived' ELSE '' END
		|| CASE WHEN v.passed > 0 AND v.dropped > 0 THEN ', ' ELSE '' END
		|| CASE WHEN v.dropped > 0 THEN 'its own counter says that it dropped ' || v.dropped ELSE '' END
		|| '; this is no loss on the network',
	'capture on ' || v.name || ' with a larger buffer (tcpdump -B), a smaller snap length (-s 128) or a '
		|| 'narrower filter',
	json_object('proven', v.proven, 'dropped_kernel', v.dropped, 'flows', v.flows)
FROM verdict v;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'frame ' || n || ' of ' || missed || ' missed' FROM proof
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
INSERT INTO new_evidence (key, capture_file_id, note)
SELECT v.key, i.capture_file_id, 'the file counts ' || i.dropped_kernel || ' frames dropped by the kernel'
FROM verdict v
JOIN capture_drop_count i ON i.vantage_id = v.vantage_id
WHERE i.dropped_kernel > 0
ORDER BY v.key, i.capture_file_id;
