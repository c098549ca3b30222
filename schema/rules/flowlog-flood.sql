-- A service under a flood of SYNs whose senders say no more
-- if: SELECT 1 FROM flow_log_request_minute WHERE half_open > 0
CREATE TEMP TABLE flood_usual AS
SELECT server_ip, server_port, 1.0 * answered / max(1, (answered_last_ns - answered_first_ns) / 60000000000 + 1) AS usual
FROM flow_log_request
WHERE client_ip IS NULL AND protocol = 'tcp' AND half_open > 0;
CREATE INDEX temp.flood_usual_by_server ON flood_usual(server_ip, server_port);

CREATE TEMP TABLE flood_minute AS
SELECT m.server_ip, m.server_port, m.start_ns, m.server_vantage_id, m.half_open + m.silent + m.unanswered AS n, m.half_open, m.asked,
	m.answered, m.clients, u.usual, m.log_file_id, m.line
FROM flow_log_request_minute m
CROSS JOIN flood_usual u ON u.server_ip = m.server_ip AND u.server_port = m.server_port
WHERE m.client_ip IS NULL AND m.protocol = 'tcp' AND m.clients >= 30
	AND m.half_open + m.silent + m.unanswered >= (SELECT value FROM setting WHERE key = 'flowlog_flood_min')
	AND m.half_open + m.silent + m.unanswered > 2 * m.answered;

CREATE TEMP TABLE flood AS
SELECT row_number() OVER (ORDER BY server_ip, server_port, min(start_ns)) AS key, server_ip, server_port, min(server_vantage_id) AS vantage_id,
	min(start_ns) AS first_ns, max(start_ns) + 60000000000 AS last_ns, sum(n) AS n, sum(asked) AS asked, sum(answered) AS answered,
	max(usual) * count(*) AS usual, max(clients) AS clients
FROM (SELECT *, sum(is_first) OVER (PARTITION BY server_ip, server_port ORDER BY start_ns) AS run
	FROM (SELECT *, coalesce(start_ns - lag(start_ns) OVER (PARTITION BY server_ip, server_port ORDER BY start_ns) > 300000000000, 1) AS is_first
		FROM flood_minute))
GROUP BY server_ip, server_port, run
HAVING sum(half_open) > 0;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'flowlog-flood', 'warning', 0.8, v.host_id, f.vantage_id, f.server_ip, f.first_ns, f.last_ns, f.n, f.asked,
	'a SYN flood on ' || endpoint(f.server_ip, f.server_port) || ' from many senders: ' || f.n || ' requests that say no more after their SYN, for '
		|| span(f.last_ns - f.first_ns) || iif(2 * f.answered < f.usual, '; fewer clients than usual were answered meanwhile', '; clients were answered meanwhile'),
	'see that SYN cookies are on (net.ipv4.tcp_syncookies) and the backlog is enough; put a balancer or a scrubbing service before it',
	json_object('port', f.server_port, 'answered', f.answered, 'usual', f.usual, 'rule', 'flowlog-flood')
FROM flood f
LEFT JOIN vantage v ON v.id = f.vantage_id;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT f.key, m.log_file_id, m.line, 'a SYN, and no more: ' || m.n || ' in this minute'
FROM flood f
JOIN flood_minute m ON m.server_ip IS f.server_ip AND m.server_port IS f.server_port AND m.start_ns >= f.first_ns AND m.start_ns < f.last_ns
ORDER BY f.key, m.start_ns;
INSERT INTO new_evidence (key, note)
SELECT key, n || ' requests that were not completed' FROM flood;
