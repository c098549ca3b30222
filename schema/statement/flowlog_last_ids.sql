-- The highest ids in use: file, record, vantage point.
SELECT (SELECT coalesce(max(id), 0) FROM log_file), (SELECT coalesce(max(id), 0) FROM flow_log),
	(SELECT coalesce(max(id), 0) FROM vantage)
