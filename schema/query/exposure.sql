-- Known defects over all hosts: exposed n of m, who, and on which hosts the facts are missing
WITH
	fact AS (SELECT host_id, key, value, max(coalesce(at_ns, 0)) FROM host_fact GROUP BY host_id, key),
	condition AS (SELECT row_number() OVER (ORDER BY defect_id, key, operator, value) AS n, *,
		CASE WHEN instr(key, '*') THEN replace(replace(key, '_', '\_'), '*', '%') ELSE replace(key, '_', '\_') END
			AS pattern FROM defect_condition),
	recorded AS (
		SELECT c.defect_id, h.id AS host_id
		FROM condition c CROSS JOIN host h
		GROUP BY c.defect_id, h.id
		HAVING sum(CASE WHEN c.operator = 'log' THEN EXISTS (SELECT 1 FROM fact f WHERE f.host_id = h.id)
			ELSE EXISTS (SELECT 1 FROM fact f WHERE f.host_id = h.id AND f.key LIKE c.pattern ESCAPE '\') END)
			= count(*)),
	exposed AS (SELECT json_extract(detail, '$.defect') AS defect_id, host_id FROM finding WHERE kind = 'advisory')
SELECT d.id AS defect, d.title,
	'exposed: ' || (SELECT count(*) FROM exposed e WHERE e.defect_id = d.id) || ' of '
		|| (SELECT count(*) FROM (SELECT host_id FROM recorded r WHERE r.defect_id = d.id
			UNION SELECT host_id FROM exposed e WHERE e.defect_id = d.id)) || ' hosts' AS exposure,
	coalesce((SELECT group_concat(name, ', ') FROM (SELECT h.name FROM exposed e JOIN host h ON h.id = e.host_id
		WHERE e.defect_id = d.id ORDER BY h.name)), '') AS hosts,
	coalesce((SELECT group_concat(name, ', ') FROM (SELECT h.name FROM host h WHERE h.id NOT IN (
			SELECT host_id FROM recorded r WHERE r.defect_id = d.id
			UNION SELECT host_id FROM exposed e WHERE e.defect_id = d.id) ORDER BY h.name)), '') AS unknown,
	d.remedy, d.source
FROM defect d
ORDER BY (SELECT count(*) FROM exposed e WHERE e.defect_id = d.id) DESC, d.id;
