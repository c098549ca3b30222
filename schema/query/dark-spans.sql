-- Every dark host on one time line: who, which way, from when to when, and what shows it
SELECT iso(d.from_ns) AS 'from', span(d.to_ns - d.from_ns) AS lasted, h.name AS host, d.direction, d.peers, d.frames,
	d.logged, CASE d.alive WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE 'unknown' END AS alive,
	coalesce(d.alive_by, '') AS alive_by, CASE d.returned WHEN 1 THEN '' ELSE 'not back' END AS ended
FROM dark_span d JOIN host h ON h.id = d.host_id
ORDER BY d.from_ns, h.name;
