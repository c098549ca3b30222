-- Findings by severity, what was read, and the span of the flows
SELECT (SELECT count(*) FROM finding WHERE severity = 'critical') AS critical,
	(SELECT count(*) FROM finding WHERE severity = 'warning') AS warning,
	(SELECT count(*) FROM finding WHERE severity = 'notice') AS notice,
	(SELECT count(*) FROM flow) AS flows,
	-- all that are not datagrams; those are in the index
	(SELECT count(*) FROM flow) - (SELECT count(*) FROM flow
		WHERE outcome = 'datagram' AND outcome NOT IN ('established', 'closed')) AS tcp_flows,
	(SELECT count(*) FROM host) AS hosts,
	(SELECT count(*) FROM capture_file) AS captures,
	(SELECT coalesce(sum(frames), 0) FROM capture_file) AS frames,
	(SELECT coalesce(sum(frames), 0) FROM frame_account) AS accounted,
	(SELECT count(*) FROM log_file) AS log_files,
	(SELECT coalesce(sum(records), 0) FROM log_file) AS log_records,
	(SELECT count(*) FROM flow WHERE outcome = 'unanswered' AND outcome NOT IN ('established', 'closed') -- in the index
		AND protocol = 'tcp') AS unanswered,
	(SELECT min(first_ns) FROM flow) AS first_ns, -- reference clock
	(SELECT max(last_ns) FROM flow) AS last_ns;
