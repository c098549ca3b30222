-- An interface lost its link for a while, by the kernel's log alone (host-dark)
-- if: SELECT 1 FROM kernel_log WHERE message LIKE '%ink is %own%' OR message LIKE '%link down%'
-- From "Link is Down" to the next "Link is Up" of the same interface, where it had come up before in the same log. Links of
-- the first minute of a boot negotiate; interfaces of guests, bridges and containers come and go; and who has a second
-- interface with a link (a bond) is not dark.
CREATE TEMP TABLE ld_line AS
SELECT l.host_id, ref_ns(c.vantage_id, l.at_ns) AS at_ns, l.message, l.host_file_id, l.line,
	CASE WHEN regexp('[Ll]ink (is )?[Dd]own', message) THEN 0 ELSE 1 END AS up,
	-- "r8169 0000:03:00.0: eth0: link down", "igb 0000:01:00.0 eth0: igb: eth0 NIC Link is Down", "e1000e: eth0 NIC Link is Up"
	(SELECT w.value FROM json_each('["' || replace(replace(replace(replace(replace(message, '\', ''), '"', ''), char(9), ' '), ':', ''),
			' ', '","') || '"]') w WHERE regexp('^(eth|en[opsx]|em|p[0-9]+p|ib)[0-9a-z]*[0-9]', w.value) LIMIT 1) AS interface
FROM kernel_log l LEFT JOIN host_clock c ON c.host_id = l.host_id
WHERE l.at_ns IS NOT NULL AND regexp('[Ll]ink (is )?([Dd]own|[Uu]p)', message);
CREATE TEMP TABLE ld_span AS
SELECT * FROM (
	SELECT *, lead(at_ns) OVER w AS up_ns, lead(up) OVER w AS next_up, lag(up) OVER w AS before_up, lag(at_ns) OVER w AS before_ns,
		lead(host_file_id) OVER w AS up_file_id, lead(line) OVER w AS up_line
	FROM (SELECT l.*, lag(up) OVER (PARTITION BY host_id, interface ORDER BY at_ns, line) AS same FROM ld_line l WHERE interface IS NOT NULL)
	WHERE up IS NOT same
	WINDOW w AS (PARTITION BY host_id, interface ORDER BY at_ns, line))
WHERE NOT up AND before_up AND next_up AND at_ns - before_ns > 60000000000
	AND up_ns - at_ns >= (SELECT value FROM setting WHERE key = 'dark_min_s') * 1000000000;
CREATE TEMP TABLE ld_known AS
SELECT host_id, first_ns, last_ns FROM finding WHERE kind = 'host-dark';
CREATE INDEX temp.ld_known_by_host ON ld_known(host_id);
-- Another interface had a link then, or nothing says that it had none.
DELETE FROM ld_span WHERE EXISTS (SELECT 1 FROM ld_line o WHERE o.host_id = ld_span.host_id AND o.interface != ld_span.interface
		AND o.up AND o.at_ns < ld_span.up_ns)
	OR EXISTS (SELECT 1 FROM host_fact m WHERE m.host_id = ld_span.host_id AND m.key = 'nic.' || ld_span.interface || '.master')
	OR EXISTS (SELECT 1 FROM ld_known f WHERE f.host_id = ld_span.host_id
		AND f.first_ns < ld_span.up_ns AND f.last_ns > ld_span.at_ns);
CREATE TEMP TABLE ld_found AS
SELECT row_number() OVER (ORDER BY host_id, interface) AS key, host_id, interface, count(*) AS spans, min(at_ns) AS from_ns,
	max(up_ns) AS to_ns, sum(up_ns - at_ns) AS total_ns, max(up_ns - at_ns) AS longest_ns
FROM ld_span GROUP BY host_id, interface;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, first_ns, last_ns, count, summary, remedy, detail)
SELECT f.key, 'host-dark', 'warning', 0.85, f.host_id, f.from_ns, f.to_ns, f.spans,
	h.name || ' had no link on ' || f.interface || ' for ' || span(f.longest_ns) || CASE WHEN f.spans > 1 THEN ' at most, ' || f.spans
		|| ' times, ' || span(f.total_ns) || ' in total' ELSE '' END || ', by its kernel log',
	'look at the cable, the port of the switch, and what was done there at that time; `ethtool ' || f.interface || '`',
	json_object('direction', 'both', 'alive', json('true'), 'alive_by', 'kernel log', 'returned', json('true'), 'interface', f.interface,
		'seconds', f.total_ns / 1e9, 'rule', 'link-down', 'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', s.at_ns, 'to_ns', s.up_ns) AS w FROM ld_span s
			WHERE s.host_id = f.host_id AND s.interface = f.interface ORDER BY s.at_ns LIMIT 500)))
FROM ld_found f JOIN host h ON h.id = f.host_id ORDER BY f.key;
INSERT INTO new_evidence (key, host_file_id, line, note)
SELECT f.key, s.host_file_id, s.line, 'kernel log, ' || iso(s.at_ns) || ': ' || s.message
FROM ld_found f JOIN ld_span s ON s.host_id = f.host_id AND s.interface = f.interface ORDER BY f.key, s.at_ns LIMIT 100;
