-- The flow log itself lost records (SKIPDATA): nothing is known of what it should have held
-- if: SELECT 1 FROM flow_log_window
-- NODATA is another thing (silence), and so is a span without any record (flowlog-gap).
CREATE TEMP TABLE skip_run AS
SELECT vantage_id, min(start_ns) AS from_ns, max(start_ns) + 60000000000 AS to_ns, sum(skipdata) AS records
FROM (SELECT w.vantage_id, w.start_ns, w.skipdata, w.start_ns / 60000000000 - row_number() OVER (
		PARTITION BY w.vantage_id ORDER BY w.start_ns) AS run
	FROM (SELECT vantage_id FROM flow_log_interface WHERE skipdata > 0) i
	CROSS JOIN flow_log_window w ON w.vantage_id = i.vantage_id WHERE w.skipdata > 0)
GROUP BY vantage_id, run;

CREATE TEMP TABLE skip_found AS
SELECT r.vantage_id AS key, r.vantage_id, r.first_ns, r.last_ns, r.runs, r.windows, i.skipdata,
	i.records + i.nodata + i.skipdata AS total
FROM (SELECT vantage_id, min(from_ns) AS first_ns, max(to_ns) AS last_ns, count(*) AS runs,
		json_group_array(json_object('from_ns', from_ns, 'to_ns', to_ns)) AS windows
	FROM (SELECT * FROM skip_run ORDER BY vantage_id, from_ns) GROUP BY vantage_id) r
JOIN flow_log_interface i ON i.vantage_id = r.vantage_id;

CREATE INDEX temp.skip_found_by_vantage ON skip_found(vantage_id);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, first_ns, last_ns, count, total,
	summary, remedy, detail)
SELECT s.key, 'flowlog-skipdata', 'warning', 1.0, v.host_id, s.vantage_id, s.first_ns, s.last_ns, s.skipdata,
	s.total, 'the flow log of ' || v.name || ' lost records in ' || s.runs || CASE s.runs WHEN 1
		THEN ' span' ELSE ' spans' END || ' (' || s.skipdata
		|| ' SKIPDATA records): what seems missing there is not evidence',
	'rely on captures for these spans; SKIPDATA comes from a capacity limit or an error of the cloud',
	json_object('windows', json(s.windows), 'rule', 'flowlog-skipdata')
FROM skip_found s
JOIN vantage v ON v.id = s.vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT s.key, l.log_file_id, l.line, 'SKIPDATA'
FROM (SELECT 1 FROM skip_found LIMIT 1) once -- else no record is read
CROSS JOIN flow_log l
CROSS JOIN skip_found s ON s.vantage_id = l.vantage_id
WHERE l.log_status = 'SKIPDATA'
ORDER BY s.key, l.log_file_id, l.line;
