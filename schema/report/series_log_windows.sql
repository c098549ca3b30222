-- The time that the records of an interface's flow log cover, and that they say is missing
SELECT DISTINCT coalesce(v.name, l.interface, '?'),
	CASE l.log_status WHEN 'SKIPDATA' THEN 'skipped (SKIPDATA)' WHEN 'NODATA' THEN 'no traffic (NODATA)'
		ELSE 'records' END,
	l.start_ns, coalesce(l.end_ns, l.start_ns)
FROM flow_log l LEFT JOIN vantage v ON v.id = l.vantage_id
WHERE l.start_ns IS NOT NULL AND NOT EXISTS (SELECT 1 FROM flow_log_pair_hour)
UNION
SELECT v.name, CASE WHEN w.skipdata > 0 THEN 'skipped (SKIPDATA)' WHEN w.in_records + w.out_records + w.rejected = 0 THEN 'no traffic (NODATA)'
		ELSE 'records' END, w.start_ns, w.start_ns + 60000000000
FROM flow_log_window w JOIN vantage v ON v.id = w.vantage_id
WHERE EXISTS (SELECT 1 FROM flow_log_pair_hour)
ORDER BY 1, 2, 3, 4
LIMIT :limit;
