-- Flow-log packets by interface, action, direction and bucket, on the log's clock; where records were summed, of
-- the minutes, rejects as records
SELECT coalesce(v.name, l.interface, '?'), l.action, l.start_ns / :bucket,
	coalesce(sum(l.packets), 0), min(l.start_ns), l.direction
FROM flow_log l LEFT JOIN vantage v ON v.id = l.vantage_id
WHERE l.start_ns IS NOT NULL AND l.action IS NOT NULL
	AND NOT EXISTS (SELECT 1 FROM flow_log_pair_hour)
GROUP BY 1, 2, 6, 3
UNION ALL
SELECT v.name, k.action, w.start_ns / :bucket,
	sum(CASE k.direction WHEN 'ingress' THEN w.in_packets WHEN 'egress' THEN w.out_packets ELSE w.rejected END), min(w.start_ns), k.direction
FROM flow_log_window w
JOIN (SELECT 'ACCEPT' AS action, 'ingress' AS direction UNION ALL SELECT 'ACCEPT', 'egress' UNION ALL SELECT 'REJECT', NULL) k
JOIN vantage v ON v.id = w.vantage_id
WHERE EXISTS (SELECT 1 FROM flow_log_pair_hour)
GROUP BY 1, 2, 6, 3
HAVING sum(CASE k.direction WHEN 'ingress' THEN w.in_packets WHEN 'egress' THEN w.out_packets ELSE w.rejected END) > 0
ORDER BY 1, 2, 6, 3
LIMIT :limit;
