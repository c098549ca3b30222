-- Segments are lost at a rate that differs from the other direction's (asymmetric-loss), or in both alike (symmetric-loss)
-- if: SELECT 1 FROM loss_verdict WHERE kind IN ('asymmetric-loss', 'symmetric-loss')
-- The losses of all flows between two vantage points are added up, but for lost handshakes that are a finding of
-- their own and what a path MTU explains (prepare.sql: loss_part). A rate is lost segments of those that were judged,
-- with its Wilson interval at 95 %. both: the intervals of the two directions overlap; count and total are then the
-- sums of both directions.
CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY v.kind, v.from_vantage_id, v.to_vantage_id) AS key, v.*,
	v.kind = 'symmetric-loss' AS both
FROM loss_verdict v
WHERE v.kind = 'asymmetric-loss' OR v.kind = 'symmetric-loss'
	-- a symmetric loss has a row for each direction: the one from the lower vantage point becomes the finding
	AND (v.from_vantage_id < v.to_vantage_id OR NOT EXISTS (SELECT 1 FROM loss_verdict o
		WHERE o.from_vantage_id = v.to_vantage_id AND o.to_vantage_id = v.from_vantage_id
			AND o.kind = 'symmetric-loss'))
	-- where the other direction is an asymmetric loss, that finding says it
	AND NOT EXISTS (SELECT 1 FROM loss_verdict o
		WHERE o.from_vantage_id = v.to_vantage_id AND o.to_vantage_id = v.from_vantage_id
			AND o.kind = 'asymmetric-loss');

-- The first of its events, and the last (prepare.sql): there may be any number.
CREATE TEMP TABLE proof AS
SELECT v.key, v.lost + iif(v.both, v.back_lost, 0) AS lost, p.at_ns, p.event_id,
	row_number() OVER (PARTITION BY v.key ORDER BY p.at_ns, p.event_id) AS n
FROM verdict v
JOIN loss_proof p ON p.from_vantage_id = v.from_vantage_id AND p.to_vantage_id = v.to_vantage_id
	OR v.both AND p.from_vantage_id = v.to_vantage_id AND p.to_vantage_id = v.from_vantage_id;
CREATE INDEX temp.proof_by_key ON proof(key, at_ns);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, v.kind,
	CASE WHEN max(v.rate_low, iif(v.both, v.back_low, 0))
			>= (SELECT value FROM setting WHERE key = 'loss_critical_rate') THEN 'critical'
		WHEN max(v.rate, iif(v.both, v.back_rate, 0))
			>= (SELECT value FROM setting WHERE key = 'loss_warning_rate') THEN 'warning'
		ELSE 'notice' END,
	v.certainty * v.trusted, NULL, v.from_vantage_id, v.to_vantage_id, v.src_ip, v.dst_ip,
	coalesce((SELECT min(at_ns) FROM proof p WHERE p.key = v.key), v.first_ns),
	coalesce((SELECT max(at_ns) FROM proof p WHERE p.key = v.key), v.last_ns),
	v.lost + iif(v.both, v.back_lost, 0), v.sent + iif(v.both, v.back_sent, 0),
	-- who loses, which way, how many, how sure; then the other way
	percent(v.rate) || ' of what ' || f.name || ' sends never reaches ' || t.name || ' (' || v.lost || ' of ' || max(v.sent - v.unjudged, v.lost)
		|| ' packets' || iif(v.unjudged > 0, ', ' || v.unjudged || ' more not judged', '') || '; 95 % interval '
		|| percent(v.rate_low) || ' to ' || percent(v.rate_high) || '); '
		|| CASE WHEN v.back_sent = 0 THEN 'nothing was sent from ' || t.name || ' to ' || f.name
			WHEN v.back_sent = v.back_unjudged THEN t.name || ' to ' || f.name || ': none of ' || v.back_sent || ' packets could be judged'
			ELSE t.name || ' to ' || f.name || ': ' || CASE WHEN v.back_lost = 0 THEN 'no loss in ' || (v.back_sent - v.back_unjudged)
				ELSE percent(v.back_rate) || ' (' || v.back_lost || ' of ' || max(v.back_sent - v.back_unjudged, v.back_lost) || ')' END
				|| iif(v.back_unjudged > 0, ', ' || v.back_unjudged || ' more not judged', '') END
		|| CASE WHEN v.both THEN ': both directions lose alike (the difference is not significant)'
			WHEN v.certainty < 0.9 THEN '; too few packets to be sure that only this direction loses' ELSE '' END,
	CASE WHEN v.both THEN 'check what both directions share between ' || f.name || ' and ' || t.name
			|| ': a link with errors, a full queue, half duplex, an overloaded hop'
		ELSE 'check what only this direction uses, from ' || f.name || ' to ' || t.name
			|| ': drop counters of the ports on the way and of ' || t.name || '''s receive side (`ethtool -S '
			|| coalesce(nullif(t.interface, 'any'), 'INTERFACE') || '`), policers, one member of a bundle' END,
	json_object('flows', v.flows, 'bytes', v.bytes, 'rate', round(v.rate, 6),
		'rate_low', round(v.rate_low, 6), 'rate_high', round(v.rate_high, 6),
		'unjudged', v.unjudged, 'estimated', v.estimated, 'back_count', v.back_lost,
		'back_total', v.back_sent, 'back_rate', round(v.back_rate, 6),
		'back_rate_low', round(v.back_low, 6), 'back_rate_high', round(v.back_high, 6))
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'packet ' || n || ' of ' || lost FROM proof
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
