-- A host answered nobody for whole minutes while many sent to it, by its flow log alone
-- if: SELECT 1 FROM flow_log_window
-- The same verdict as host-dark from a capture, with less behind it: ACCEPT says that the policy let
-- packets pass, not that the guest got them. Minutes in a row in which several clients asked that are answered at
-- other times, and none was answered, and after which somebody was again; none with SKIPDATA, none at the ends of the
-- log. Minutes in which nobody asked neither begin nor end it. Where the host was captured, the capture decides.
-- Most ENIs have no such minute at all.
CREATE TEMP TABLE dark_eni AS
SELECT DISTINCT vantage_id FROM flow_log_window
WHERE in_requests > 0 AND in_answered = 0 AND skipdata = 0 AND peers >= (SELECT value FROM setting WHERE key = 'flowlog_dark_peers');

CREATE TEMP TABLE dark_minute AS
SELECT *, row_number() OVER (PARTITION BY vantage_id ORDER BY start_ns)
	- row_number() OVER (PARTITION BY vantage_id, is_dark ORDER BY start_ns) AS run
FROM (SELECT w.vantage_id, w.start_ns, w.in_requests AS in_records, w.in_packets, w.out_packets, w.peers, w.log_file_id, w.line,
		w.in_answered = 0 AND w.skipdata = 0 AND NOT i.sampled AND NOT i.transit
			AND w.start_ns >= i.first_ns AND w.start_ns + 60000000000 <= i.last_ns AS is_dark
	FROM dark_eni e
	CROSS JOIN flow_log_interface i ON i.vantage_id = e.vantage_id
	CROSS JOIN flow_log_window w ON w.vantage_id = e.vantage_id
	WHERE w.in_requests > 0);

CREATE TEMP TABLE live_span AS
SELECT vantage_id, min(start_ns) AS first_ns, max(start_ns) AS last_ns FROM dark_minute WHERE NOT is_dark GROUP BY vantage_id;

CREATE TEMP TABLE dark_run AS
SELECT d.vantage_id, min(d.start_ns) AS from_ns, max(d.start_ns) + 60000000000 AS to_ns, count(*) AS minutes,
	sum(d.in_records) AS records, sum(d.in_packets) AS packets, sum(d.out_packets) AS out_packets,
	max(d.peers) AS peers, min(d.log_file_id) AS log_file_id, min(d.line) AS line
FROM dark_minute d
JOIN live_span s ON s.vantage_id = d.vantage_id
WHERE d.is_dark
GROUP BY d.vantage_id, d.run
HAVING count(*) >= (SELECT value FROM setting WHERE key = 'flowlog_dark_windows')
	AND max(d.peers) >= (SELECT value FROM setting WHERE key = 'flowlog_dark_peers')
	AND sum(d.peers) >= count(*) * (SELECT value FROM setting WHERE key = 'flowlog_dark_peers')
	AND min(d.start_ns) > max(s.first_ns) AND max(d.start_ns) < max(s.last_ns);

CREATE TEMP TABLE dark_known AS
SELECT host_id, first_ns, last_ns FROM finding WHERE kind = 'host-dark';
CREATE INDEX temp.dark_known_by_host ON dark_known(host_id);
CREATE TEMP TABLE dark_found AS
SELECT r.vantage_id AS key, r.*
FROM (SELECT vantage_id, min(from_ns) AS first_ns, max(to_ns) AS last_ns, count(*) AS spans,
		sum(to_ns - from_ns) AS length_ns, sum(packets) AS packets, sum(records) AS records,
		sum(out_packets) AS out_packets, max(peers) AS peers, min(log_file_id) AS log_file_id,
		min(line) AS line, json_group_array(json_object('from_ns', from_ns, 'to_ns', to_ns,
			'peers', peers, 'packets', packets)) AS windows
	FROM (SELECT * FROM dark_run ORDER BY vantage_id, from_ns) GROUP BY vantage_id) r
JOIN vantage v ON v.id = r.vantage_id
WHERE NOT EXISTS (SELECT 1 FROM vantage c WHERE c.host_id = v.host_id AND c.kind = 'nic'
		AND c.trust != 'unfit' AND c.first_ns <= r.first_ns AND c.last_ns >= r.last_ns)
	-- nor what its own counters prove
	AND NOT EXISTS (SELECT 1 FROM dark_known f WHERE f.host_id = v.host_id
		AND f.first_ns < r.last_ns AND f.last_ns > r.first_ns);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, dst_ip, first_ns, last_ns, count,
	summary, remedy, detail)
SELECT d.key, 'host-dark', 'warning', CASE WHEN d.out_packets > 0 THEN 0.7 ELSE 0.6 END, v.host_id, d.vantage_id,
	coalesce(i.own_ip, i.own_ip6), d.first_ns, d.last_ns, d.spans,
	h.name || ' answered nobody for ' || span(d.length_ns) || CASE d.spans WHEN 1 THEN '' ELSE ' in '
		|| d.spans || ' spans' END || ' while its flow log accepted ' || d.packets
		|| ' packets from at least ' || d.peers || ' senders'
		|| CASE WHEN d.out_packets > 0 THEN '; it went on sending by itself' ELSE '' END
		|| ' (one flow log alone: a packet accepted is not a packet delivered)',
	'capture on ' || h.name || ' and collect its facts: only they tell a dead interface from a dead or overloaded host',
	json_object('windows', json(d.windows), 'direction', CASE WHEN d.out_packets > 0 THEN 'rx' ELSE 'both' END,
		'alive', json(CASE WHEN d.out_packets > 0 THEN 'true' ELSE 'null' END), 'peers', d.peers,
		'source', 'flowlog', 'rule', 'host-dark-flowlog')
FROM dark_found d
JOIN vantage v ON v.id = d.vantage_id
JOIN host h ON h.id = v.host_id
JOIN flow_log_interface i ON i.vantage_id = d.vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT d.key, m.log_file_id, m.line, 'accepted at ' || iso(m.start_ns) || ', nothing answered in that minute'
FROM dark_found d
JOIN dark_minute m ON m.is_dark AND m.vantage_id = d.vantage_id AND m.start_ns >= d.first_ns AND m.start_ns < d.last_ns
WHERE m.log_file_id IS NOT NULL
ORDER BY d.key, m.start_ns;
