-- Flow-log packets by interface, action, direction and bucket, on the log's clock
SELECT coalesce(v.name, l.interface, '?'), l.action, l.start_ns / :bucket,
	coalesce(sum(l.packets), 0), min(l.start_ns), l.direction
FROM flow_log l LEFT JOIN vantage v ON v.id = l.vantage_id
WHERE l.start_ns IS NOT NULL AND l.action IS NOT NULL
GROUP BY 1, 2, 6, 3 ORDER BY 1, 2, 6, 3
LIMIT :limit;
