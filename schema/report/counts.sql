-- How many findings of each severity, and how much was looked at
SELECT (SELECT count(*) FROM finding WHERE severity = 'critical') AS critical,
	(SELECT count(*) FROM finding WHERE severity = 'warning') AS warning,
	(SELECT count(*) FROM finding WHERE severity = 'notice') AS notice,
	(SELECT count(*) FROM flow) AS flows,
	-- all that are not datagrams; those are in the index
	(SELECT count(*) FROM flow) - (SELECT count(*) FROM flow
		WHERE outcome = 'datagram' AND outcome NOT IN ('established', 'closed')) AS tcp_flows,
	(SELECT coalesce(sum(frames), 0) FROM capture_file) AS frames,
	(SELECT coalesce(sum(frames), 0) FROM frame_account) AS accounted,
	(SELECT count(*) FROM vantage WHERE kind != 'flowlog') AS vantages,
	(SELECT coalesce(sum(records), 0) FROM log_file) AS log_records,
	(SELECT count(*) FROM log_file) AS log_files;
