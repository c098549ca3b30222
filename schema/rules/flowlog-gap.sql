-- Spans in which the log of an ENI holds nothing, not even NODATA, while logs of others go on
-- if: SELECT 1 FROM flow_log_window
-- Only for logs that write NODATA when there is nothing: elsewhere a gap may be silence.
CREATE TEMP TABLE gap_span AS
SELECT vantage_id, previous_ns + 60000000000 AS from_ns, start_ns AS to_ns
FROM (SELECT w.vantage_id, w.start_ns, lag(w.start_ns) OVER (PARTITION BY w.vantage_id ORDER BY w.start_ns) AS previous_ns
	FROM flow_log_interface i CROSS JOIN flow_log_window w ON w.vantage_id = i.vantage_id
	WHERE i.nodata > 0 AND NOT i.sampled)
JOIN flow_log_interface USING (vantage_id)
WHERE start_ns - previous_ns - 60000000000 > max(2 * interval_ns, 180000000000);

CREATE TEMP TABLE gap_minute AS
SELECT DISTINCT start_ns FROM flow_log_window WHERE EXISTS (SELECT 1 FROM gap_span) ORDER BY start_ns;
CREATE INDEX temp.gap_minute_by_start ON gap_minute(start_ns);

CREATE TEMP TABLE gap_found AS
SELECT vantage_id AS key, vantage_id, min(from_ns) AS first_ns, max(to_ns) AS last_ns, count(*) AS spans, sum(to_ns - from_ns) AS length_ns,
	json_group_array(json_object('from_ns', from_ns, 'to_ns', to_ns)) AS windows
FROM (SELECT g.* FROM gap_span g WHERE EXISTS (SELECT 1 FROM gap_minute m
		WHERE m.start_ns > g.from_ns AND m.start_ns < g.to_ns - 60000000000)
	ORDER BY g.vantage_id, g.from_ns)
GROUP BY vantage_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, first_ns, last_ns, count,
	summary, remedy, detail)
SELECT g.key, 'flowlog-gap', 'notice', 0.9, v.host_id, g.vantage_id, g.first_ns, g.last_ns, g.spans,
	'the flow log of ' || v.name || ' holds no record of any kind in ' || g.spans || CASE g.spans WHEN 1
		THEN ' span' ELSE ' spans' END || ', ' || span(g.length_ns)
		|| ' in total: log off, interface gone or export incomplete, not silence',
	'fetch the missing part of the export, or look when the flow log or the interface was made and removed',
	json_object('windows', json(g.windows), 'rule', 'flowlog-gap')
FROM gap_found g
JOIN vantage v ON v.id = g.vantage_id;

INSERT INTO new_evidence (key, note)
SELECT key, 'no record from ' || iso(first_ns) || ' to ' || iso(last_ns) FROM gap_found ORDER BY key;
