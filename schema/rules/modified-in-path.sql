-- Segments arrived changed: what was received differs from what was sent
-- if: SELECT 1 FROM leg WHERE modified > 0
-- The first word of an event's detail names what changed (mss, options, dscp, ecn, ttl, payload,
-- sequence ...). What address translation and each hop do by nature is no change: addresses, ports,
-- the TTL by the number of hops.
CREATE TEMP TABLE proof AS
SELECT *, row_number() OVER (PARTITION BY from_vantage_id, to_vantage_id, what ORDER BY at_ns, event_id) AS n
FROM (SELECT e.id AS event_id, e.from_vantage_id, e.to_vantage_id, e.flow_id, e.segments, e.at_ns, e.detail,
		CASE WHEN e.detail IS NULL THEN 'content'
			ELSE lower(substr(e.detail, 1, instr(replace(replace(e.detail, ':', ' '), ',', ' ') || ' ',
				' ') - 1)) END AS what
	FROM leg g
	CROSS JOIN event e ON e.kind = 'modified' AND e.from_vantage_id = g.from_vantage_id
		AND e.to_vantage_id = g.to_vantage_id
	CROSS JOIN flow f ON f.id = e.flow_id
	WHERE g.modified > 0 AND f.pairing NOT IN ('ambiguous', 'proxy'))
WHERE what NOT IN ('address', 'addresses', 'port', 'ports', 'nat');

CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY p.from_vantage_id, p.to_vantage_id, p.what) AS key,
	p.from_vantage_id, p.to_vantage_id, p.what,
	-- events are cut at a limit; one kind of change has all that the leg counted
	CASE WHEN k.kinds = 1 AND k.all_rows THEN g.modified ELSE sum(p.segments) END AS modified,
	count(DISTINCT p.flow_id) AS flows, min(p.at_ns) AS first_ns, max(p.at_ns) AS last_ns,
	CASE WHEN min(p.detail) = max(p.detail) THEN min(p.detail) END AS same, min(p.detail) AS example
FROM proof p
JOIN leg g ON g.from_vantage_id = p.from_vantage_id AND g.to_vantage_id = p.to_vantage_id
JOIN (SELECT from_vantage_id, to_vantage_id, count(DISTINCT what) AS kinds,
		sum(segments) = (SELECT sum(e.segments) FROM segment_event e WHERE e.kind = 'modified'
			AND e.from_vantage_id = q.from_vantage_id AND e.to_vantage_id = q.to_vantage_id) AS all_rows
	FROM proof q GROUP BY from_vantage_id, to_vantage_id) k
	ON k.from_vantage_id = p.from_vantage_id AND k.to_vantage_id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id, p.what;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'modified-in-path',
	CASE WHEN v.what IN ('mss', 'dscp', 'ecn', 'tos', 'ttl', 'options', 'wscale', 'timestamp', 'sack')
		THEN 'notice' ELSE 'warning' END,
	CASE WHEN f.trust = 'sound' AND t.trust = 'sound' THEN 0.95 ELSE 0.8 END,
	NULL, v.from_vantage_id, v.to_vantage_id, v.first_ns, v.last_ns, v.modified, g.sent,
	v.modified || iif(v.modified = 1, ' packet', ' packets') || ' from ' || f.name || ' to ' || t.name || ' changed on the way: '
		|| CASE v.what WHEN 'payload' THEN 'other payload' WHEN 'content' THEN 'other content' ELSE '' END
		|| iif(v.what IN ('payload', 'content'), iif(v.same IN ('payload', 'content'), '', coalesce(' (' || v.same || ')', '')),
			-- the join writes small what the field writes large
			replace(replace(replace(replace(replace(coalesce(v.same, v.what || iif(v.example IS NULL, '', ', such as ' || v.example)),
				'mss', 'MSS'), 'dscp', 'DSCP'), 'ecn', 'ECN'), 'ttl', 'TTL'), 'sack', 'SACK')),
	CASE v.what
		WHEN 'mss' THEN 'expected where a tunnel or PPPoE lies on the way; otherwise find the device that '
			|| 'clamps the MSS'
		WHEN 'dscp' THEN 'expected at a border that does not trust markings; otherwise check the QoS policy'
		WHEN 'ecn' THEN 'ECT to CE is a congestion mark; anything else is a device that clears ECN'
		ELSE 'find the device between ' || f.name || ' and ' || t.name || ' that rewrites segments' END,
	json_object('flows', v.flows, 'what', v.what, 'example', v.example)
FROM verdict v
JOIN leg g ON g.from_vantage_id = v.from_vantage_id AND g.to_vantage_id = v.to_vantage_id
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, event_id, note)
SELECT v.key, p.event_id, 'packet ' || p.n || ' of ' || v.modified
FROM verdict v
JOIN proof p ON p.from_vantage_id = v.from_vantage_id AND p.to_vantage_id = v.to_vantage_id
	AND p.what = v.what
WHERE p.n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY v.key, p.n;
