-- A host's recorded facts match a known defect
-- if: SELECT 1 FROM host_fact UNION ALL SELECT 1 FROM kernel_log
-- schema/defects.sql holds the defects. All conditions must hold for one host, those with * in their
-- key for one and the same interface (or whatever the * stands for). The last value of a fact counts;
-- a fact that was not recorded matches nothing.
CREATE TEMP TABLE ad_last AS
SELECT host_id, key, value, max(coalesce(at_ns, 0)) AS at_ns, host_file_id, line FROM host_fact GROUP BY host_id, key;
CREATE INDEX temp.ad_last_by_key ON ad_last(key, host_id);

-- Which facts each condition speaks of: exact keys by the index, patterns once over the distinct keys.
CREATE TEMP TABLE ad_condition AS
SELECT row_number() OVER (ORDER BY defect_id, key, operator, value) AS n, *,
	CASE WHEN instr(key, '*') THEN substr(key, 1, instr(key, '*') - 1) END AS head,
	CASE WHEN instr(key, '*') THEN substr(key, instr(key, '*') + 1) END AS tail
FROM defect_condition;
CREATE TEMP TABLE ad_key AS
SELECT c.n, k.key, CASE WHEN c.head IS NULL THEN ''
	ELSE substr(k.key, length(c.head) + 1, length(k.key) - length(c.head) - length(c.tail)) END AS part
FROM ad_condition c
JOIN (SELECT DISTINCT key FROM ad_last) k ON CASE WHEN c.head IS NULL THEN k.key = c.key
	ELSE length(k.key) > length(c.head) + length(c.tail) AND substr(k.key, 1, length(c.head)) = c.head
		AND substr(k.key, length(k.key) - length(c.tail) + 1) = c.tail
		AND instr(substr(k.key, length(c.head) + 1, length(k.key) - length(c.head) - length(c.tail)), '.') = 0
	END
WHERE c.operator != 'log';

CREATE TEMP TABLE ad_met AS
SELECT c.defect_id, c.n, f.host_id, k.part, f.key || ' = ' || f.value AS what, f.at_ns,
	f.host_file_id, f.line
FROM ad_condition c
JOIN ad_key k ON k.n = c.n
CROSS JOIN ad_last f ON f.key = k.key
WHERE CASE c.operator
	WHEN '=' THEN f.value = c.value
	WHEN '!=' THEN f.value != c.value
	WHEN 'like' THEN f.value LIKE c.value
	WHEN 'regexp' THEN regexp(c.value, f.value)
	WHEN '<' THEN version_cmp(f.value, c.value) < 0
	WHEN '<=' THEN version_cmp(f.value, c.value) <= 0
	WHEN '>' THEN version_cmp(f.value, c.value) > 0
	WHEN '>=' THEN version_cmp(f.value, c.value) >= 0
	WHEN 'exists' THEN 1 ELSE 0 END
UNION ALL
SELECT c.defect_id, c.n, l.host_id, '', min(l.message), min(l.at_ns), NULL, NULL
FROM ad_condition c JOIN kernel_log l ON regexp(c.value, l.message)
WHERE c.operator = 'log' GROUP BY c.defect_id, c.n, l.host_id;

-- Conditions without * hold for every part.
CREATE TEMP TABLE ad_match AS
SELECT d.defect_id, d.host_id, d.part
FROM (SELECT DISTINCT m.defect_id, m.host_id, m.part FROM ad_met m
	WHERE m.part != '' OR NOT EXISTS (SELECT 1 FROM ad_condition c WHERE c.defect_id = m.defect_id
		AND c.head IS NOT NULL)) d
WHERE (SELECT count(DISTINCT m.n) FROM ad_met m WHERE m.defect_id = d.defect_id AND m.host_id = d.host_id
		AND m.part IN (d.part, ''))
	= (SELECT count(*) FROM ad_condition c WHERE c.defect_id = d.defect_id);

CREATE TEMP TABLE ad_found AS
SELECT row_number() OVER (ORDER BY defect_id, host_id) AS key,
	defect_id, host_id, group_concat(NULLIF(part, ''), ', ') AS parts
FROM (SELECT * FROM ad_match ORDER BY defect_id, host_id, part) GROUP BY defect_id, host_id;

-- Kernel lines that match tell when it struck, by the host's own clock where it has no capture; a line whose time
-- is not known has none here either.
CREATE TEMP TABLE ad_line AS
SELECT f.key, f.host_id,
	ref_ns(k.vantage_id, l.at_ns) AS at_ns,
	l.message, l.written, min(l.host_file_id) AS host_file_id, l.line
FROM ad_found f JOIN ad_condition c ON c.defect_id = f.defect_id AND c.operator = 'log'
JOIN kernel_log l ON l.host_id = f.host_id AND regexp(c.value, l.message)
LEFT JOIN host_clock k ON k.host_id = f.host_id
GROUP BY f.key, l.at_ns, l.written, l.message;

-- A line of a time of which nothing else was recorded tells of another incident: a day apart, it is a notice.
CREATE TEMP TABLE ad_time AS
SELECT min(t) - 86400000000000 AS from_ns, max(t) + 86400000000000 AS to_ns FROM (
	SELECT first_ns AS t FROM vantage UNION ALL SELECT last_ns FROM vantage
	UNION ALL SELECT first_ns FROM flow_log_interface UNION ALL SELECT last_ns FROM flow_log_interface
	UNION ALL SELECT min(from_ns) FROM counter_change UNION ALL SELECT max(to_ns) FROM counter_change);
CREATE TEMP TABLE ad_old AS
SELECT l.key FROM ad_line l CROSS JOIN ad_time t WHERE t.from_ns IS NOT NULL
GROUP BY l.key HAVING count(l.at_ns) = count(*) AND sum(l.at_ns BETWEEN t.from_ns AND t.to_ns) = 0;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'advisory', iif(f.key IN (SELECT key FROM ad_old), 'notice', d.severity), 0.9, f.host_id, NULL, NULL, NULL, NULL,
	(SELECT min(at_ns) FROM ad_line l WHERE l.key = f.key),
	(SELECT max(at_ns) FROM ad_line l WHERE l.key = f.key),
	(SELECT NULLIF(count(*), 0) FROM ad_line l WHERE l.key = f.key), NULL,
	h.name || coalesce(' ' || f.parts, '') || iif(EXISTS (SELECT 1 FROM ad_line l WHERE l.key = f.key), ': ', ' matches a known defect: ')
		|| d.title || ' ('
		|| (SELECT group_concat(what, ', ') FROM (SELECT DISTINCT m.what FROM ad_met m
			WHERE m.defect_id = f.defect_id AND m.host_id = f.host_id AND (m.part = '' OR EXISTS (
				SELECT 1 FROM ad_match x WHERE x.defect_id = m.defect_id AND x.host_id = m.host_id
					AND x.part = m.part)) ORDER BY m.what LIMIT 6)) || ')',
	d.remedy,
	json_patch('{}', json_object('defect', f.defect_id, 'rule', f.defect_id, 'interfaces', f.parts, 'source', d.source,
		'facts', (SELECT json_group_array(what) FROM (SELECT DISTINCT m.what FROM ad_met m
			WHERE m.defect_id = f.defect_id AND m.host_id = f.host_id ORDER BY m.what LIMIT 50)),
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', l.at_ns, 'to_ns', l.at_ns, 'line', l.message) AS w FROM ad_line l
			WHERE l.key = f.key AND l.at_ns IS NOT NULL ORDER BY l.at_ns LIMIT 200))))
FROM ad_found f
JOIN defect d ON d.id = f.defect_id
JOIN host h ON h.id = f.host_id
ORDER BY f.key;

INSERT INTO new_evidence (key, note, host_file_id, line)
SELECT key, note, host_file_id, line FROM (
	SELECT DISTINCT f.key, 'recorded: ' || m.what AS note, m.host_file_id, m.line
	FROM ad_found f JOIN ad_met m ON m.defect_id = f.defect_id AND m.host_id = f.host_id
	JOIN ad_condition c ON c.n = m.n AND c.operator != 'log'
	UNION
	SELECT key, 'kernel log, ' || coalesce(iso(at_ns), written || ' (nothing tells when exactly)', 'at an unknown time')
		|| ': ' || message, host_file_id, line
	FROM ad_line)
ORDER BY key, note, host_file_id, line;
