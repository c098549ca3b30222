-- How many findings of each severity, and how much was looked at
SELECT (SELECT count(*) FROM finding WHERE severity = 'critical') AS critical,
	(SELECT count(*) FROM finding WHERE severity = 'warning') AS warning,
	(SELECT count(*) FROM finding WHERE severity = 'notice') AS notice,
	(SELECT count(*) FROM flow) AS flows,
	(SELECT count(*) FROM flow WHERE protocol = 'tcp') AS tcp_flows,
	(SELECT coalesce(sum(frames), 0) FROM capture_file) AS frames,
	(SELECT coalesce(sum(frames), 0) FROM frame_account) AS accounted,
	(SELECT count(*) FROM vantage WHERE kind != 'flowlog') AS vantages,
	(SELECT coalesce(sum(records), 0) FROM log_file) AS log_records,
	(SELECT count(*) FROM log_file) AS log_files;
