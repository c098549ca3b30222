-- What the packets that died on a way have in common and those that lived lack
-- if: SELECT 1 FROM loss_trait
-- Every trait of loss_trait is tried with every threshold and class that it has: nearly all that died must have it, at
-- most half of those that lived, and chance must not explain it (Fisher's exact test, one-sided, times the number
-- of splits tried on all ways: Bonferroni). Bursts count as one death (runs); of a trait of flows chance must explain
-- neither the packets nor the flows. Packets without the trait of which nobody knows are taken to have died.
CREATE TEMP TABLE lp_total AS
SELECT t.from_vantage_id, t.to_vantage_id, t.protocol, sum(t.died) AS died, sum(t.lived) AS lived,
	sum(t.unjudged) AS unjudged, sum(t.runs) AS runs, max(t.sampled) AS sampled,
	CASE WHEN vf.trust = 'sound' AND vt.trust = 'sound' THEN 1.0 ELSE 0.8 END AS trusted
FROM loss_trait t
JOIN vantage vf ON vf.id = t.from_vantage_id AND vf.trust != 'unfit'
JOIN vantage vt ON vt.id = t.to_vantage_id AND vt.trust != 'unfit'
WHERE t.trait = 'size'
GROUP BY t.from_vantage_id, t.to_vantage_id, t.protocol;
CREATE TEMP TABLE lp_flows AS
SELECT from_vantage_id, to_vantage_id, protocol, sum(flows_died) AS died, sum(flows_lived) AS lived
FROM loss_trait WHERE trait = 'source'
GROUP BY from_vantage_id, to_vantage_id, protocol;

-- Protocols against each other: the way as a group of its own (protocol -1).
CREATE TEMP TABLE lp_row AS
SELECT from_vantage_id, to_vantage_id, protocol, trait, bucket, label, low, high, died, lived, unjudged, runs,
	flows_died, flows_lived
FROM loss_trait
UNION ALL
SELECT from_vantage_id, to_vantage_id, -1, 'protocol', protocol,
	CASE protocol WHEN 6 THEN 'TCP' WHEN 17 THEN 'UDP' WHEN 1 THEN 'ICMP' WHEN 58 THEN 'ICMPv6'
		ELSE CAST(protocol AS TEXT) END, protocol, protocol, died, lived, unjudged, runs, NULL, NULL
FROM lp_total;
INSERT INTO lp_total
SELECT from_vantage_id, to_vantage_id, -1, sum(died), sum(lived), sum(unjudged), sum(runs), max(sampled), min(trusted)
FROM lp_total GROUP BY from_vantage_id, to_vantage_id;
CREATE INDEX temp.lp_total_by_way ON lp_total(from_vantage_id, to_vantage_id, protocol);
CREATE INDEX temp.lp_row_by_trait ON lp_row(from_vantage_id, to_vantage_id, protocol, trait, bucket);

-- Each split in two of a group: with a trait, and without. near: the value next to it among those without.
CREATE TEMP TABLE lp_split AS
SELECT r.from_vantage_id, r.to_vantage_id, r.protocol, r.trait, '>=' AS relation, r.bucket, NULL AS label, r.low AS value,
	lead(r.high) OVER down AS near, sum(r.died) OVER down AS died, sum(r.lived) OVER down AS lived,
	sum(r.unjudged) OVER down AS unjudged, sum(r.runs) OVER down AS runs, sum(r.flows_died) OVER down AS flows_died,
	sum(r.flows_lived) OVER down AS flows_lived
FROM lp_row r JOIN trait t ON t.name = r.trait AND t.at_least IS NOT NULL
WHERE r.bucket >= 0
WINDOW down AS (PARTITION BY r.from_vantage_id, r.to_vantage_id, r.protocol, r.trait ORDER BY r.bucket DESC)
UNION ALL
SELECT r.from_vantage_id, r.to_vantage_id, r.protocol, r.trait, '<=', r.bucket, NULL, r.high, lead(r.low) OVER up,
	sum(r.died) OVER up, sum(r.lived) OVER up, sum(r.unjudged) OVER up, sum(r.runs) OVER up,
	sum(r.flows_died) OVER up, sum(r.flows_lived) OVER up
FROM lp_row r JOIN trait t ON t.name = r.trait AND t.at_most IS NOT NULL
WHERE r.bucket >= 0
WINDOW up AS (PARTITION BY r.from_vantage_id, r.to_vantage_id, r.protocol, r.trait ORDER BY r.bucket)
UNION ALL
SELECT r.from_vantage_id, r.to_vantage_id, r.protocol, r.trait, '=', r.bucket, r.label, r.low, NULL, r.died, r.lived,
	r.unjudged, r.runs, r.flows_died, r.flows_lived
FROM lp_row r JOIN trait t ON t.name = r.trait AND t.is_value IS NOT NULL
WHERE r.bucket >= 0
UNION ALL
SELECT from_vantage_id, to_vantage_id, protocol, trait, '!=', bucket, label, low, NULL, all_died - died, all_lived - lived,
	all_unjudged - unjudged, all_runs - runs, all_flows_died - flows_died, all_flows_lived - flows_lived
FROM (SELECT r.*, count(*) OVER whole AS classes, sum(r.died) OVER whole AS all_died, sum(r.lived) OVER whole AS all_lived,
		sum(r.unjudged) OVER whole AS all_unjudged, sum(r.runs) OVER whole AS all_runs,
		sum(r.flows_died) OVER whole AS all_flows_died, sum(r.flows_lived) OVER whole AS all_flows_lived
	FROM lp_row r JOIN trait t ON t.name = r.trait AND t.is_not IS NOT NULL
	WHERE r.bucket >= 0
	WINDOW whole AS (PARTITION BY r.from_vantage_id, r.to_vantage_id, r.protocol, r.trait))
WHERE classes > 2;

-- Splits that part nothing are no tries.
CREATE TEMP TABLE lp_tried AS
SELECT max(count(*), 1) AS splits
FROM lp_split s JOIN lp_total g USING (from_vantage_id, to_vantage_id, protocol)
WHERE s.died + s.lived > 0 AND s.died + s.lived < g.died + g.lived AND g.died > 0 AND g.lived > 0;

CREATE TEMP TABLE lp_good AS
SELECT s.*, g.died AS all_died, g.lived AS all_lived, g.trusted, g.sampled, t.rank, t.family, t.unit,
	replace(replace(CASE s.relation WHEN '>=' THEN t.at_least WHEN '<=' THEN t.at_most WHEN '=' THEN t.is_value ELSE t.is_not END,
		'{}', CASE t.unit WHEN 'ns' THEN span(s.value) WHEN 'bytes' THEN s.value || ' bytes'
			WHEN 'moment' THEN substr(iso(ref_ns(s.from_vantage_id, v.first_ns + s.value)), 1, 26) || 'Z'
			ELSE coalesce(s.label, s.value, '') END), 'are among the first 1 packets', 'are the first packet') AS words,
	CASE t.unit WHEN 'ns' THEN span(s.near) WHEN 'bytes' THEN s.near || ' bytes'
		WHEN 'moment' THEN substr(iso(ref_ns(s.from_vantage_id, v.first_ns + s.near)), 1, 26) || 'Z' ELSE s.near END AS near_words,
	max(fisher(s.runs, g.runs - s.runs + g.unjudged - s.unjudged, s.lived, g.lived - s.lived),
		CASE WHEN t.scope = 'flow' THEN fisher(s.flows_died, f.died - s.flows_died, s.flows_lived, f.lived - s.flows_lived)
			ELSE -1e9 END) + ln(p.splits) AS ln_chance
FROM lp_split s
JOIN lp_total g USING (from_vantage_id, to_vantage_id, protocol)
JOIN trait t ON t.name = s.trait
JOIN vantage v ON v.id = s.from_vantage_id
JOIN lp_tried p
LEFT JOIN lp_flows f USING (from_vantage_id, to_vantage_id, protocol)
WHERE s.runs >= 3 AND 10 * s.died >= 9 * (g.died + g.unjudged - s.unjudged) AND 2 * s.lived <= g.lived
	AND s.unjudged <= s.died
	-- milliseconds are no silence, and seconds no closeness
	AND NOT (t.family = 'silence' AND iif(s.relation = '>=', s.value < 1000000000, s.value > 100000000));
DELETE FROM lp_good WHERE ln_chance > ln((SELECT value FROM setting WHERE key = 'pattern_max_chance'));
-- Connections of which nothing ever arrived send SYNs and no more: that SYNs died there says nothing of what kills.
CREATE TEMP TABLE lp_never AS
SELECT p.from_vantage_id, p.to_vantage_id
FROM path p JOIN flow f ON f.id = p.flow_id AND f.protocol = 'tcp'
WHERE p.lost > 0 OR p.misaddressed > 0
GROUP BY p.from_vantage_id, p.to_vantage_id
HAVING min(p.syn_lost = p.lost + p.misaddressed AND p.delivered = 0);
DELETE FROM lp_good WHERE (from_vantage_id, to_vantage_id) IN (SELECT from_vantage_id, to_vantage_id FROM lp_never)
	AND (trait IN ('size', 'gap', 'silence', 'place', 'burst', 'repeated') OR (trait = 'flags' AND label IN ('SYN', 'SYN-ACK')));

-- The best of each way, the simplest first where several separate as well: those that part died from lived without an
-- exception, else those whose chance is within a factor of ten of the least.
CREATE TEMP TABLE lp_level AS
SELECT *, died = all_died AND lived = 0 AS perfect,
	max(died = all_died AND lived = 0) OVER (PARTITION BY from_vantage_id, to_vantage_id) AS any_perfect,
	min(ln_chance) OVER (PARTITION BY from_vantage_id, to_vantage_id) AS best
FROM lp_good;
CREATE TEMP TABLE lp_best AS
SELECT *, row_number() OVER (PARTITION BY from_vantage_id, to_vantage_id ORDER BY rank, ln_chance, protocol DESC, relation, bucket) AS n
FROM (SELECT *, row_number() OVER (PARTITION BY from_vantage_id, to_vantage_id, family
		ORDER BY rank, ln_chance, relation, bucket) AS of_family
	FROM lp_level WHERE iif(any_perfect, perfect, ln_chance <= best + 2.3))
WHERE of_family = 1;

-- The cause by name, of the simplest trait that has one.
CREATE TEMP TABLE lp_cause AS
SELECT b.from_vantage_id, b.to_vantage_id, b.n, c.id, c.title, c.remedy,
	row_number() OVER (PARTITION BY b.from_vantage_id, b.to_vantage_id ORDER BY b.n, c.id) AS choice
FROM lp_best b
JOIN loss_cause c ON c.trait = b.trait AND c.relation = b.relation AND c.translated IS NULL
WHERE (c.protocol IS NULL OR c.protocol = b.protocol) AND (c.from_value IS NULL OR b.value >= c.from_value)
	AND (c.to_value IS NULL OR b.value <= c.to_value) AND (c.label IS NULL OR c.label = b.label)
	AND b.died >= c.died_share * (b.died + b.lived + b.unjudged);

CREATE TEMP TABLE lp_found AS
SELECT b.from_vantage_id || ' ' || b.to_vantage_id AS key, b.*, c.id AS cause, c.title, c.remedy,
	(SELECT group_concat('they also ' || o.words, '; ') FROM lp_best o
		WHERE o.from_vantage_id = b.from_vantage_id AND o.to_vantage_id = b.to_vantage_id AND o.n != b.n AND o.n <= 3) AS others,
	(SELECT json_group_array(json_object('trait', o.trait, 'relation', o.relation, 'threshold', o.value, 'label', o.label,
			'died_with', o.died, 'lived_with', o.lived)) FROM lp_best o
		WHERE o.from_vantage_id = b.from_vantage_id AND o.to_vantage_id = b.to_vantage_id AND o.n != b.n) AS equal,
	(SELECT splits FROM lp_tried) AS splits,
	(SELECT ref_ns(b.from_vantage_id, v.first_ns + min(m.low)) FROM loss_trait m WHERE m.from_vantage_id = b.from_vantage_id
		AND m.to_vantage_id = b.to_vantage_id AND m.trait = 'moment' AND m.died > 0) AS first_ns,
	(SELECT ref_ns(b.from_vantage_id, v.first_ns + max(m.high)) FROM loss_trait m WHERE m.from_vantage_id = b.from_vantage_id
		AND m.to_vantage_id = b.to_vantage_id AND m.trait = 'moment' AND m.died > 0) AS last_ns
FROM lp_best b
JOIN vantage v ON v.id = b.from_vantage_id
LEFT JOIN lp_cause c ON c.from_vantage_id = b.from_vantage_id AND c.to_vantage_id = b.to_vantage_id AND c.choice = 1
WHERE b.n = coalesce(c.n, 1)
	-- a path MTU has a finding of its own
	AND (b.trait != 'size' OR (b.from_vantage_id, b.to_vantage_id) NOT IN (
		SELECT from_vantage_id, to_vantage_id FROM finding WHERE kind = 'pmtu-blackhole'));

-- Causes that are known beforehand and ask for their own trait: each is one test, not one of all. So little can be
-- said only where translation stands on the way, and where what died came through when it was sent again.
CREATE TEMP TABLE lp_suspect AS
SELECT r.from_vantage_id, r.to_vantage_id, r.protocol, c.id AS cause, c.translated, r.died, r.lived, r.label, g.died AS all_died,
	g.lived AS all_lived, g.trusted, g.sampled,
	fisher(r.runs, g.runs - r.runs + g.unjudged - r.unjudged, r.lived, g.lived - r.lived) AS ln_chance
FROM lp_row r
JOIN lp_total g USING (from_vantage_id, to_vantage_id, protocol)
JOIN loss_cause c ON c.translated IS NOT NULL AND c.trait = r.trait AND c.protocol = r.protocol AND c.label = r.label
WHERE r.runs >= 3 AND 10 * r.died >= 9 * (g.died + g.unjudged - r.unjudged) AND r.unjudged <= r.died;
DELETE FROM lp_suspect WHERE ln_chance > ln((SELECT value FROM setting WHERE key = 'suspect_max_chance'))
	-- what parts without exception is simpler
	OR (from_vantage_id, to_vantage_id) IN (SELECT from_vantage_id, to_vantage_id FROM lp_found WHERE lived = 0);
CREATE TEMP TABLE lp_suspect_flow AS
SELECT s.from_vantage_id, s.to_vantage_id, s.protocol, e.flow_id, e.direction, min(e.id) AS event_id,
	min(ref_ns(e.from_vantage_id, e.sent_ns)) AS first_ns
FROM lp_suspect s
CROSS JOIN segment_event e ON e.kind = 'lost' AND e.from_vantage_id = s.from_vantage_id AND e.to_vantage_id = s.to_vantage_id
CROSS JOIN flow f ON f.id = e.flow_id AND f.protocol = iif(s.protocol = 6, 'tcp', 'udp')
GROUP BY s.from_vantage_id, s.to_vantage_id, s.protocol, e.flow_id, e.direction;
CREATE TEMP TABLE lp_suspect_way AS
SELECT w.from_vantage_id, w.to_vantage_id, w.protocol, count(*) AS flows, sum(p.delivered > 0) AS passed, min(w.first_ns) AS first_ns,
	max(w.first_ns) AS last_ns, sum(x.client_ip != y.client_ip OR x.client_port != y.client_port) AS client,
	sum(x.server_ip != y.server_ip OR x.server_port != y.server_port) AS server
FROM lp_suspect_flow w
CROSS JOIN path p ON p.flow_id = w.flow_id AND p.direction = w.direction AND p.from_vantage_id = w.from_vantage_id
	AND p.to_vantage_id = w.to_vantage_id
CROSS JOIN flow_vantage x ON x.flow_id = w.flow_id AND x.vantage_id = w.from_vantage_id
LEFT JOIN flow_vantage y ON y.flow_id = w.flow_id AND y.vantage_id = w.to_vantage_id
GROUP BY w.from_vantage_id, w.to_vantage_id, w.protocol;
CREATE TEMP TABLE lp_known AS
SELECT s.from_vantage_id || ' ' || s.to_vantage_id AS key, s.*, w.first_ns, w.last_ns
FROM lp_suspect s JOIN lp_suspect_way w USING (from_vantage_id, to_vantage_id, protocol)
WHERE 10 * w.passed >= 9 * w.flows AND 10 * CASE s.translated WHEN 'client' THEN w.client WHEN 'server' THEN w.server
	ELSE max(w.client, w.server) END >= 9 * w.flows;
-- One way is told of once: by the likelier.
DELETE FROM lp_known WHERE EXISTS (SELECT 1 FROM lp_known o WHERE o.key = lp_known.key
	AND (o.ln_chance, o.protocol) < (lp_known.ln_chance, lp_known.protocol));
DELETE FROM lp_found WHERE key IN (SELECT key FROM lp_known);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'loss-pattern', 'notice',
	-- 0.5 where chance explains it once in a hundred, 0.15 more for each tenth of that
	f.trusted * min(0.95, 0.5 + 0.15 * max(0, -f.ln_chance / ln(10) - 2)), iif(vf.host_id = vt.host_id, vf.host_id, NULL),
	f.from_vantage_id, f.to_vantage_id, NULL, NULL, f.first_ns, f.last_ns, f.died, f.all_died,
	iif(f.died = f.all_died, 'all ' || f.died, f.died || ' of ' || f.all_died) || ' packets lost '
		|| iif(vf.host_id = vt.host_id, 'inside ' || h.name || ' between ' || vf.name || ' and ' || vt.name,
			'from ' || vf.name || ' to ' || vt.name || ', between which addresses are translated,')
		|| ' are each the ' || f.label || ', and passed when sent again; of the ' || f.all_lived || ' that arrived, '
		|| iif(f.lived = 0, 'none is', f.lived || iif(f.lived = 1, ' is', ' are')) || ': as happens where ' || c.title,
	c.remedy,
	json_object('trait', c.trait, 'relation', '=', 'threshold', NULL, 'label', f.label, 'protocol', f.protocol,
		'died_with', f.died, 'died_without', f.all_died - f.died, 'lived_with', f.lived,
		'lived_without', f.all_lived - f.lived, 'cause', f.cause, 'chance_log10', round(f.ln_chance / ln(10), 1),
		'splits', 1, 'sampled', f.sampled, 'equal', json('[]'))
FROM lp_known f
JOIN loss_cause c ON c.id = f.cause
JOIN vantage vf ON vf.id = f.from_vantage_id
JOIN vantage vt ON vt.id = f.to_vantage_id
JOIN host h ON h.id = vf.host_id;
INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'opens its conversation' FROM (
	SELECT k.key, w.event_id, row_number() OVER (PARTITION BY k.key ORDER BY w.first_ns, w.event_id) AS n
	FROM lp_known k JOIN lp_suspect_flow w USING (from_vantage_id, to_vantage_id, protocol))
WHERE n <= 20 ORDER BY key, n;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'loss-pattern', 'notice',
	-- 0.5 where chance explains it once in a thousand, 0.95 from once in a thousand millions on
	f.trusted * (0.5 + 0.45 * min(1, max(0, (-f.ln_chance / ln(10) - 3) / 6))), NULL, f.from_vantage_id, f.to_vantage_id, NULL, NULL,
	f.first_ns, f.last_ns, f.died, f.all_died,
	iif(f.died = f.all_died, 'all ' || f.died, f.died || ' of ' || f.all_died) || ' packets lost from ' || vf.name || ' to '
		|| vt.name || ' ' || f.words || '; ' || iif(f.lived = 0, 'none', f.lived) || ' of the ' || f.all_lived || ' that arrived'
		|| iif(f.lived = 0 AND f.near_words IS NOT NULL, ' (the nearest: ' || f.near_words || ')', '')
		|| coalesce('; ' || f.others, '') || coalesce(': ' || f.title, ''),
	f.remedy,
	json_object('trait', f.trait, 'relation', f.relation, 'threshold', f.value, 'label', f.label, 'protocol', f.protocol,
		'died_with', f.died, 'died_without', f.all_died - f.died, 'lived_with', f.lived,
		'lived_without', f.all_lived - f.lived, 'cause', f.cause, 'chance_log10', round(f.ln_chance / ln(10), 1),
		'splits', f.splits, 'sampled', f.sampled, 'equal', json(f.equal))
FROM lp_found f
JOIN vantage vf ON vf.id = f.from_vantage_id
JOIN vantage vt ON vt.id = f.to_vantage_id;

-- Examples of both kinds: of the buckets that have the trait those that died, of the others those that lived.
CREATE TEMP TABLE lp_example AS
SELECT f.key, r.died_file_id, r.died_frame, r.lived_file_id, r.lived_frame, f.words,
	CASE f.relation WHEN '>=' THEN r.bucket >= f.bucket WHEN '<=' THEN r.bucket BETWEEN 0 AND f.bucket
		WHEN '=' THEN r.bucket = f.bucket ELSE r.bucket != f.bucket END AS has
FROM lp_found f
JOIN loss_trait r ON r.from_vantage_id = f.from_vantage_id AND r.to_vantage_id = f.to_vantage_id AND r.protocol = f.protocol
	AND r.trait = f.trait;
INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, file_id, frame, note FROM (
	SELECT key, file_id, frame, note, row_number() OVER (PARTITION BY key, note ORDER BY file_id, frame) AS n FROM (
		SELECT key, died_file_id AS file_id, died_frame AS frame, 'died, with: ' || words AS note FROM lp_example
		WHERE has AND died_frame IS NOT NULL
		UNION
		SELECT key, lived_file_id, lived_frame, 'lived, without' FROM lp_example WHERE NOT has AND lived_frame IS NOT NULL))
WHERE n <= 10 ORDER BY key, note, n;
