-- What moved: counters of a host between its first and its last sample, and their largest step; a reset is no step. host: all unless given
WITH step AS (
	SELECT coalesce(n.host_id, v.host_id) AS host_id, coalesce(n.interface, '') AS interface, n.name, f.kind, n.at_ns, n.value,
		n.value - lag(n.value) OVER w AS grew, lag(n.at_ns) OVER w AS before_ns
	FROM nic_counter n LEFT JOIN vantage v ON v.id = n.vantage_id LEFT JOIN host_file f ON f.id = n.host_file_id
	WHERE n.at_ns IS NOT NULL
	WINDOW w AS (PARTITION BY coalesce(n.host_id, v.host_id), coalesce(n.interface, ''), n.name, f.kind ORDER BY n.at_ns, n.value))
SELECT h.name AS host, s.interface, s.name AS counter, sum(max(s.grew, 0)) AS grew, max(s.grew) AS largest_step,
	iso(min(s.before_ns)) AS from_time, iso(max(s.at_ns)) AS to_time, sum(s.grew < 0) AS resets, coalesce(s.kind, 'agent') AS source
FROM step s JOIN host h ON h.id = s.host_id
WHERE s.before_ns IS NOT NULL AND (:host IS NULL OR h.name = :host)
GROUP BY s.host_id, s.interface, s.name, s.kind HAVING max(s.grew) > 0
ORDER BY h.name, s.interface, s.name, source;
