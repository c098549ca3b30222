-- Every dark host on one time line: who, which way, from when to when, and what shows it
SELECT iso(from_ns) AS 'from', span(to_ns - from_ns) AS lasted, host, direction, part, peers, frames, logged, alive,
	alive_by, CASE returned WHEN 1 THEN '' ELSE 'not back' END AS ended
FROM (
	SELECT d.from_ns, d.to_ns, h.name AS host, d.direction, 'all' AS part, d.peers, d.frames, d.logged,
		CASE d.alive WHEN 1 THEN 'yes' WHEN 0 THEN 'no' ELSE 'unknown' END AS alive,
		coalesce(d.alive_by, '') AS alive_by, d.returned
	FROM dark_span d JOIN host h ON h.id = d.host_id
	UNION ALL
	SELECT p.from_ns, p.to_ns, h.name, p.direction, CASE p.partial WHEN 'size' THEN p.smallest_lost || ' bytes or more'
			ELSE p.flows_out || ' of ' || (p.flows_out + p.flows_on) || ' flows' END
			|| CASE p.scope WHEN 'path' THEN ' (path)' ELSE '' END,
		p.peers, p.lost, 0, 'yes', 'the other flows', p.returned
	FROM partial_span p JOIN host h ON h.id = p.host_id)
ORDER BY from_ns, host;
