-- The flow logs themselves lost records (SKIPDATA): nothing is known of what they should have held
-- if: SELECT 1 FROM flow_log_window
-- NODATA is another thing (silence), and so is a span without any record (flowlog-gap). All logs are one finding: the
-- capacity of the cloud is one cause. A notice, unless a tenth of a log is gone: then what it says is in doubt.
CREATE TEMP TABLE skip_run AS
SELECT vantage_id, min(start_ns) AS from_ns, max(start_ns) + 60000000000 AS to_ns
FROM (SELECT w.vantage_id, w.start_ns, w.start_ns / 60000000000 - row_number() OVER (
		PARTITION BY w.vantage_id ORDER BY w.start_ns) AS run
	FROM (SELECT vantage_id FROM flow_log_interface WHERE skipdata > 0) i
	CROSS JOIN flow_log_window w ON w.vantage_id = i.vantage_id WHERE w.skipdata > 0)
GROUP BY vantage_id, run;

CREATE TEMP TABLE skip_eni AS
SELECT r.vantage_id, r.first_ns, r.last_ns, r.runs, r.length_ns, i.skipdata, i.records + i.nodata + i.skipdata AS total,
	10 * r.length_ns >= i.last_ns - i.first_ns AS much, row_number() OVER (ORDER BY r.length_ns DESC, r.vantage_id) AS place
FROM (SELECT vantage_id, min(from_ns) AS first_ns, max(to_ns) AS last_ns, count(*) AS runs, sum(to_ns - from_ns) AS length_ns
	FROM skip_run GROUP BY vantage_id) r
JOIN flow_log_interface i ON i.vantage_id = r.vantage_id;
CREATE INDEX temp.skip_eni_by_vantage ON skip_eni(vantage_id);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, first_ns, last_ns, count, total,
	summary, remedy, detail)
SELECT s.key, 'flowlog-skipdata', iif(s.much, 'warning', 'notice'), 1.0, iif(s.enis = 1, v.host_id, NULL), iif(s.enis = 1, v.id, NULL),
	s.first_ns, s.last_ns, s.skipdata, s.total,
	iif(s.enis = 1, 'the flow log of ' || v.name || ' lost records in ', 'the flow logs of ' || s.enis || ' interfaces lost records in ')
		|| s.runs || iif(s.runs = 1, ' span', ' spans') || ' (' || s.skipdata || ' SKIPDATA records)'
		|| iif(s.enis = 1, '', ', most that of ' || v.name || ', ' || span(f.length_ns)) || ': what seems missing there is not evidence',
	'rely on captures for these spans; SKIPDATA comes from a capacity limit or an error of the cloud',
	json_object('interfaces', s.enis, 'windows', json(s.windows), 'rule', 'flowlog-skipdata')
FROM (SELECT 1 AS key, count(*) AS enis, max(much) AS much, min(first_ns) AS first_ns, max(last_ns) AS last_ns, sum(runs) AS runs,
		sum(skipdata) AS skipdata, sum(total) AS total,
		(SELECT json_group_array(json_object('vantage_id', vantage_id, 'from_ns', from_ns, 'to_ns', to_ns))
			FROM (SELECT * FROM skip_run ORDER BY vantage_id, from_ns LIMIT 100)) AS windows
	FROM skip_eni) s
JOIN skip_eni f ON f.place = 1
JOIN vantage v ON v.id = f.vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT 1, l.log_file_id, l.line, 'SKIPDATA of ' || l.interface
FROM (SELECT 1 FROM skip_eni LIMIT 1) once -- else no record is read
CROSS JOIN flow_log l
CROSS JOIN skip_eni s ON s.vantage_id = l.vantage_id
WHERE l.log_status = 'SKIPDATA'
ORDER BY l.log_file_id, l.line;
INSERT INTO new_evidence (key, note)
SELECT 1, 'SKIPDATA of ' || v.name || ' from ' || iso(s.first_ns) || ' to ' || iso(s.last_ns)
FROM skip_eni s JOIN vantage v ON v.id = s.vantage_id
WHERE EXISTS (SELECT 1 FROM analysis WHERE key = 'flowlog.keep') -- the records are not there
	AND s.place <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY s.place;
