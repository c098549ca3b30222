-- The time that the records of an interface's flow log cover, and that they say is missing
SELECT DISTINCT coalesce(v.name, l.interface, '?'),
	CASE l.log_status WHEN 'SKIPDATA' THEN 'skipped (SKIPDATA)' WHEN 'NODATA' THEN 'no traffic (NODATA)'
		ELSE 'records' END,
	l.start_ns, coalesce(l.end_ns, l.start_ns)
FROM flow_log l LEFT JOIN vantage v ON v.id = l.vantage_id
WHERE l.start_ns IS NOT NULL
ORDER BY 1, 2, 3, 4
LIMIT :limit;
