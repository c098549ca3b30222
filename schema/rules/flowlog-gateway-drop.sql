-- A transit gateway says that it dropped packets, and why
-- if: SELECT 1 FROM flow_log_drop
-- What one attachment drops for one reason, from about the same time to about the same time, is one finding. Pairs that
-- never got an answer in the whole log, in either direction, are a notice: nothing changed for them.
CREATE TEMP TABLE gateway_answered AS
SELECT client_ip, server_ip FROM flow_log_request WHERE answered > 0 AND client_ip IS NOT NULL AND server_ip IS NOT NULL
UNION
SELECT server_ip, client_ip FROM flow_log_request WHERE answered > 0 AND client_ip IS NOT NULL AND server_ip IS NOT NULL;
CREATE INDEX temp.gateway_answered_by_pair ON gateway_answered(client_ip, server_ip);

CREATE TEMP TABLE gateway_pair AS
SELECT d.*, EXISTS (SELECT 1 FROM gateway_answered a WHERE a.client_ip = d.src_ip AND a.server_ip = d.dst_ip) AS worked
FROM flow_log_drop d;

CREATE TEMP TABLE gateway_drop AS
SELECT dense_rank() OVER (ORDER BY vantage_id, reason, worked DESC, run) AS key, *
FROM (SELECT *, sum(is_first) OVER (PARTITION BY vantage_id, reason, worked ORDER BY first_ns, last_ns, src_ip, dst_ip) AS run
	FROM (SELECT *, coalesce(NOT (first_ns - lag(first_ns) OVER w <= 300000000000 AND abs(last_ns - lag(last_ns) OVER w) <= 900000000000), 1) AS is_first
		FROM gateway_pair
		WINDOW w AS (PARTITION BY vantage_id, reason, worked ORDER BY first_ns, last_ns, src_ip, dst_ip)));

CREATE TEMP TABLE gateway_found AS
SELECT g.*, row_number() OVER (PARTITION BY g.vantage_id ORDER BY g.worked DESC, g.packets DESC, g.key) AS place,
	g.last_ns >= s.judged_ns AND g.last_ns - g.first_ns >= 600000000000 AS still
FROM (SELECT key, vantage_id, reason, worked, min(first_ns) AS first_ns, max(last_ns) AS last_ns, sum(packets) AS packets, sum(records) AS records,
		count(*) AS pairs, count(DISTINCT src_ip) AS sources, count(DISTINCT dst_ip) AS targets, min(src_ip) AS src_ip, min(dst_ip) AS dst_ip,
		count(DISTINCT rtrim(dst_ip, '0123456789abcdef')) AS target_nets, min(rtrim(dst_ip, '0123456789abcdef')) AS target_net
	FROM gateway_drop GROUP BY key) g
JOIN (SELECT max(last_ns) - (SELECT value + 600 FROM setting WHERE key = 'flowlog_edge_s') * 1000000000 AS judged_ns FROM flow_log_interface) s;
DELETE FROM gateway_found WHERE place > (SELECT value FROM setting WHERE key = 'flowlog_findings_max');

INSERT INTO new_finding (key, kind, severity, confidence, to_vantage_id, src_ip, dst_ip, first_ns, last_ns, count,
	summary, remedy, detail)
SELECT d.key, 'flowlog-gateway-drop', CASE WHEN NOT d.worked THEN 'notice' WHEN d.still AND d.pairs >= 3 AND d.reason IN ('no-route', 'blackhole') THEN 'critical'
		ELSE 'warning' END, 1.0, d.vantage_id, iif(d.sources = 1, d.src_ip, NULL), iif(d.targets = 1, d.dst_ip, NULL), d.first_ns, d.last_ns,
	d.packets, 'the transit gateway (' || v.name || ') dropped ' || d.packets || ' packets from ' || iif(d.sources = 1, d.src_ip, d.sources || ' senders')
		|| ' to ' || CASE WHEN d.targets = 1 THEN d.dst_ip WHEN d.target_nets = 1 THEN d.targets || ' addresses of ' || d.target_net || '*'
			ELSE d.targets || ' addresses' END
		|| ': ' || CASE d.reason WHEN 'no-route' THEN 'it has no route'
			WHEN 'blackhole' THEN 'the route is a blackhole' WHEN 'mtu-exceeded' THEN 'larger than its MTU'
			ELSE 'TTL ran out' END
		|| CASE WHEN NOT d.worked THEN '; nothing was answered between them in the whole log'
			WHEN d.still THEN ', since ' || replace(substr(iso(d.first_ns), 1, 16), 'T', ' ') || ' UTC, still at the end of the log'
			ELSE ', from ' || replace(substr(iso(d.first_ns), 1, 16), 'T', ' ') || ' UTC for ' || span(d.last_ns - d.first_ns) END,
	CASE d.reason WHEN 'no-route' THEN 'add a route for ' || iif(d.targets = 1, d.dst_ip, 'these addresses') || ' to the route table of the attachment, or propagate it'
		WHEN 'blackhole' THEN 'the route for ' || iif(d.targets = 1, d.dst_ip, 'these addresses') || ' points to nothing: its attachment is gone or was set to drop'
		WHEN 'mtu-exceeded' THEN 'lower the MTU or clamp the MSS: a transit gateway passes 8500 bytes, 1500 over VPN'
		ELSE 'look for a routing loop' END,
	json_object('reason', d.reason, 'records', d.records, 'pairs', d.pairs, 'still', d.still, 'rule', 'flowlog-gateway-drop')
FROM gateway_found d
JOIN vantage v ON v.id = d.vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, note
FROM (SELECT d.key, d.log_file_id, d.line, 'the first record with packets-lost-' || d.reason || ' from ' || d.src_ip || ' to ' || d.dst_ip AS note,
		row_number() OVER (PARTITION BY d.key ORDER BY d.packets DESC, d.src_ip, d.dst_ip) AS place
	FROM gateway_drop d JOIN gateway_found f ON f.key = d.key)
WHERE place <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, place;
