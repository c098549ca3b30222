-- Requests that began to fail: rejected (flowlog-reject), lost on the way (flowlog-loss), without answer to several (flowlog-unreachable) or one (flowlog-one-way), refused (flowlog-refused), answered without data (flowlog-mtu), after a pause (flowlog-idle); and what always failed
-- if: SELECT 1 FROM flow_log_request
-- Of flow_log_request and its minutes. What counts is a change: requests of a service, or of one client, that were
-- answered before and fail in a span, more than they do at other times. Spans that begin and end together and fail
-- in the same way are one cause and one finding. What failed from the beginning of the log is a notice.
CREATE TEMP TABLE log_span AS
SELECT min(first_ns) AS first_ns, max(last_ns) AS last_ns, (max(last_ns) - min(first_ns)) / 60000000000 + 1 AS minutes,
	-- a log may be limited to one kind; its files do not say so
	sum(accepted) = 0 AS rejects_alone, sum(rejected) = 0 AS accepts_alone,
	max(last_ns) - (SELECT value FROM setting WHERE key = 'flowlog_edge_s') * 1000000000 AS judged_ns
FROM flow_log_interface WHERE first_ns IS NOT NULL;

-- Spans in which a host answered nobody have a finding of their own.
CREATE TEMP TABLE dark_span AS
SELECT f.to_vantage_id AS vantage_id, json_extract(w.value, '$.from_ns') - 120000000000 AS from_ns,
	json_extract(w.value, '$.to_ns') + 60000000000 AS to_ns
FROM finding f, json_each(f.detail, '$.windows') w
WHERE f.kind = 'host-dark' AND f.to_vantage_id IS NOT NULL;
INSERT INTO dark_span
SELECT i.vantage_id, f.first_ns - 120000000000, f.last_ns + 60000000000
FROM finding f
JOIN vantage v ON v.host_id = f.host_id AND v.kind = 'flowlog'
JOIN flow_log_interface i ON i.vantage_id = v.id
WHERE f.kind = 'host-dark' AND f.to_vantage_id IS NULL;

CREATE TEMP TABLE flood_span AS
SELECT dst_ip AS server_ip, json_extract(detail, '$.port') AS server_port, first_ns, last_ns FROM finding WHERE kind = 'flowlog-flood';

-- What a transit gateway says that it dropped has one too (flowlog-gateway-drop), for either direction.
CREATE TEMP TABLE drop_span AS
SELECT src_ip AS client_ip, dst_ip AS server_ip, first_ns, last_ns FROM flow_log_drop
UNION ALL
SELECT dst_ip, src_ip, first_ns, last_ns FROM flow_log_drop;
CREATE INDEX temp.drop_span_by_pair ON drop_span(client_ip, server_ip);

-- How a request failed. Each way is judged by itself.
CREATE TEMP TABLE failed AS
WITH r AS MATERIALIZED (
	SELECT rowid AS minute_id, client_ip, server_ip, protocol, server_port, start_ns, client_vantage_id, server_vantage_id,
		rejected_out + rejected_in + reply_rejected AS rejected, lost + reply_lost + reply_elsewhere + silent + unanswered AS absent,
		refused, small, idle, asked, answered + half_open AS answered, asked - answered - half_open - strange AS known
	FROM flow_log_request_minute)
SELECT minute_id, client_ip, server_ip, protocol, server_port, start_ns, client_vantage_id, server_vantage_id, 'rejected' AS way, rejected AS n, asked, answered, known
FROM r WHERE rejected > 0
UNION ALL
SELECT minute_id, client_ip, server_ip, protocol, server_port, start_ns, client_vantage_id, server_vantage_id, 'absent', absent, asked, answered, known
FROM r WHERE absent > 0
	AND NOT EXISTS (SELECT 1 FROM flood_span d WHERE d.server_ip = r.server_ip AND d.server_port = r.server_port
		AND r.start_ns BETWEEN d.first_ns - 60000000000 AND d.last_ns + 60000000000)
	AND NOT EXISTS (SELECT 1 FROM dark_span d WHERE d.vantage_id IN (r.client_vantage_id, r.server_vantage_id)
		AND r.start_ns BETWEEN d.from_ns AND d.to_ns)
	AND NOT EXISTS (SELECT 1 FROM drop_span d WHERE d.client_ip = r.client_ip AND d.server_ip = r.server_ip
		AND r.start_ns BETWEEN d.first_ns - 60000000000 AND d.last_ns)
UNION ALL
SELECT minute_id, client_ip, server_ip, protocol, server_port, start_ns, client_vantage_id, server_vantage_id, 'refused', refused, asked, answered, known
FROM r WHERE refused > 0
UNION ALL
SELECT minute_id, client_ip, server_ip, protocol, server_port, start_ns, client_vantage_id, server_vantage_id, 'small', small, asked, answered, known
FROM r WHERE small > 0
UNION ALL
SELECT minute_id, client_ip, server_ip, protocol, server_port, start_ns, client_vantage_id, server_vantage_id, 'idle', idle, asked, answered, known
FROM r WHERE idle > 0;

-- How long the windows of an interface are: a failure is known to lie in one.
CREATE TEMP TABLE window AS
SELECT vantage_id, max(60000000000, min(600000000000, (interval_ns + 59999999999) / 60000000000 * 60000000000)) AS window_ns, transit
FROM flow_log_interface;
CREATE INDEX temp.window_by_vantage ON window(vantage_id);

-- Who asked whom, and since when it was answered. Of clients outside, who are strangers, a service answers as many
-- as usual or it does not.
CREATE TEMP TABLE asked AS
SELECT client_ip, server_ip, protocol, server_port, server_vantage_id, asked, answered + half_open AS answered, answered_first_ns, answered_last_ns,
	1.0 * (answered + half_open) / max(1, (answered_last_ns - answered_first_ns) / 60000000000 + 1) AS usual
FROM flow_log_request;
CREATE INDEX temp.asked_by_key ON asked(server_ip, protocol, server_port, client_ip);

-- An instance that ends is asked for some minutes more, until all have noticed. Near the end of the log that is not known yet.
CREATE TEMP TABLE instance_end AS
SELECT r.server_ip, min(i.last_ns - i.interval_ns) - 120000000000 AS from_ns, max(r.failed_last_ns) AS failed_last_ns
FROM flow_log_request r JOIN flow_log_interface i ON i.vantage_id = r.server_vantage_id JOIN log_span s
WHERE i.last_ns < s.last_ns - 2 * i.interval_ns AND r.server_ip IN (i.own_ip, i.own_ip6)
GROUP BY r.server_ip
HAVING max(r.failed_last_ns) <= max(i.last_ns) + 600000000000;
CREATE INDEX temp.instance_end_by_server ON instance_end(server_ip);

-- Of clients outside a minute counts in which the service answers less than half of what it usually does, and turns
-- away some that it has answered before; or everybody, within ten minutes of such a one or where it answers many.
CREATE TEMP TABLE judged AS
SELECT f.*, a.answered_first_ns, a.answered_last_ns, a.answered AS ever_answered, a.asked AS ever_asked, a.usual, w.window_ns,
	f.client_ip IS NOT NULL OR f.answered < 0.5 * a.usual AND (f.known > 0 OR f.answered = 0 AND (f.near > 0 OR a.usual >= 20)) AS counts
FROM (SELECT *, max(known) OVER (PARTITION BY client_ip, server_ip, protocol, server_port, way ORDER BY start_ns
		RANGE BETWEEN 600000000000 PRECEDING AND 600000000000 FOLLOWING) AS near
	FROM failed) f
JOIN asked a ON a.server_ip IS f.server_ip AND a.protocol = f.protocol AND a.server_port IS f.server_port
	AND a.client_ip IS f.client_ip
JOIN window w ON w.vantage_id = coalesce(f.client_vantage_id, f.server_vantage_id, a.server_vantage_id)
WHERE a.answered > 0 AND NOT EXISTS (SELECT 1 FROM instance_end e WHERE e.server_ip = f.server_ip AND f.start_ns >= e.from_ns);

-- By service, and by client: whichever fails as a whole.
CREATE TEMP TABLE part AS
SELECT 'service ' || coalesce(server_ip, 'outside') || ' ' || protocol || ' ' || coalesce(server_port, '') || ' ' || way AS part, 1 AS level, *
FROM judged
UNION ALL
SELECT 'client ' || client_ip || ' ' || way, 2, * FROM judged WHERE client_ip IS NOT NULL;
CREATE INDEX temp.part_by_key ON part(part, start_ns);

CREATE TEMP TABLE part_minute AS
SELECT part, level, start_ns, sum(n) AS n, sum(asked) AS asked,
	max(window_ns) AS window_ns, row_number() OVER (PARTITION BY part ORDER BY sum(n)) AS place, count(*) OVER (PARTITION BY part) AS minutes
FROM part WHERE counts GROUP BY part, start_ns;

-- What a quarter of all minutes do not exceed is usual for it: minutes without a failure count 0. A span goes on where
-- failures are no farther apart than five minutes, two windows and a half, or eight requests of its rate (half an hour at most).
CREATE TEMP TABLE part_usual AS
SELECT m.part, t.n, max(iif(m.place <= m.minutes - 0.75 * s.minutes, m.n, 0)) AS usual,
	max(300000000000, 5 * max(m.window_ns) / 2, min(1800000000000, 8 * 60000000000 * s.minutes / max(1, a.asked))) AS gap_ns
FROM part_minute m
JOIN log_span s
JOIN (SELECT part, sum(ever_asked) AS asked FROM (SELECT DISTINCT part, client_ip, server_ip, protocol, server_port, ever_asked FROM part)
	GROUP BY part) a ON a.part = m.part
JOIN (SELECT part, sum(n) AS n FROM part GROUP BY part) t ON t.part = m.part
GROUP BY m.part;
CREATE INDEX temp.part_usual_by_part ON part_usual(part);

CREATE TEMP TABLE part_span AS
SELECT part, level, min(start_ns) AS first_ns, max(start_ns + window_ns) AS last_ns, sum(n) AS n, sum(asked) AS asked,
	max(window_ns) AS window_ns
FROM (SELECT *, sum(is_first) OVER (PARTITION BY part ORDER BY start_ns) AS run
	FROM (SELECT m.*, coalesce(m.start_ns - lag(m.start_ns) OVER (PARTITION BY m.part ORDER BY m.start_ns)
				> u.gap_ns, 1) AS is_first
		FROM part_minute m CROSS JOIN part_usual u ON u.part = m.part
		WHERE m.n > 3 * u.usual))
GROUP BY part, run;

-- A span is proven where it holds several failures, several times what the rest of the log would put there, of requests
-- that were answered before; or after it, where the log begins with it.
CREATE TEMP TABLE proven AS
SELECT row_number() OVER (ORDER BY p.part, p.first_ns) AS id, p.*, k.good_before
FROM part_span p
JOIN part_usual u ON u.part = p.part
JOIN log_span s
JOIN (SELECT x.part, x.first_ns, sum(f.n) AS n, sum(f.counts AND f.answered_first_ns < x.first_ns - 240000000000) AS good_before,
		sum(f.counts AND f.answered_first_ns >= x.last_ns - 2 * x.window_ns) AS good_after
	FROM part_span x JOIN part f ON f.part = x.part AND f.start_ns BETWEEN x.first_ns AND x.last_ns
	GROUP BY x.part, x.first_ns) k ON k.part = p.part AND k.first_ns = p.first_ns
WHERE (k.good_before > 0
		OR k.good_after > 0 AND p.first_ns <= s.first_ns + p.window_ns + 60000000000 AND p.last_ns - p.first_ns >= 3 * p.window_ns)
	AND p.n >= (SELECT value FROM setting WHERE key = 'flowlog_failures_min')
		+ 3 * (u.n - k.n) * ((p.last_ns - p.first_ns) / 60000000000)
			/ max(1, s.minutes - (p.last_ns - p.first_ns) / 60000000000);
CREATE INDEX temp.proven_by_part ON proven(part, first_ns);

CREATE TEMP TABLE proven_row AS
SELECT p.id, p.level, f.minute_id, f.way, f.n, f.asked, f.client_ip, f.server_ip, f.protocol, f.server_port, f.start_ns,
	f.window_ns
FROM proven p CROSS JOIN part f ON f.part = p.part AND f.start_ns >= p.first_ns AND f.start_ns < p.last_ns AND f.counts;
CREATE INDEX temp.proven_row_by_minute ON proven_row(minute_id, way, level);
-- A client stands for what no service shows by itself.
DELETE FROM proven WHERE level = 2 AND id IN (
	SELECT r.id FROM proven_row r
	WHERE r.level = 2
	GROUP BY r.id
	HAVING 2 * sum(EXISTS (SELECT 1 FROM proven_row s WHERE s.minute_id = r.minute_id AND s.way = r.way AND s.level = 1) * r.n)
		>= sum(r.n));
DELETE FROM proven_row WHERE id NOT IN (SELECT id FROM proven);

-- What begins and ends together has one cause.
CREATE TEMP TABLE together AS
SELECT id, way, min(id) OVER (PARTITION BY way, run) AS run_id
FROM (SELECT id, way, sum(is_first) OVER (PARTITION BY way ORDER BY first_ns, last_ns, id) AS run
	FROM (SELECT p.id, p.first_ns, p.last_ns, r.way,
			coalesce(NOT (p.first_ns - lag(p.first_ns) OVER w <= 300000000000
				AND abs(p.last_ns - lag(p.last_ns) OVER w) <= 900000000000), 1) AS is_first
		FROM proven p JOIN (SELECT DISTINCT id, way FROM proven_row) r ON r.id = p.id
		WINDOW w AS (PARTITION BY r.way ORDER BY p.first_ns, p.last_ns, p.id)));

-- So has what fails in the same way at the same service or client again and again.
CREATE TEMP TABLE again AS
SELECT p.part, min(t.run_id) AS cause_id, count(DISTINCT t.run_id) AS spans FROM proven p JOIN together t ON t.id = p.id
GROUP BY p.part HAVING count(DISTINCT t.run_id) >= 3;
CREATE INDEX temp.again_by_part ON again(part);
CREATE TEMP TABLE cause AS
SELECT t.id, t.way, coalesce(min(a.cause_id) OVER (PARTITION BY t.run_id), t.run_id) AS cause_id, coalesce(a.spans, 1) AS spans,
	p.good_before, p.last_ns - p.first_ns AS length_ns
FROM together t
JOIN proven p ON p.id = t.id
LEFT JOIN again a ON a.part = p.part;
CREATE INDEX temp.cause_by_id ON cause(id);

CREATE TEMP TABLE cause_minute AS
SELECT c.cause_id, r.way, r.client_ip, r.server_ip, r.protocol, r.server_port, r.start_ns, r.window_ns, r.n, r.asked, c.spans, c.good_before,
	c.length_ns, coalesce(m.minute_vantage_id, (SELECT a.server_vantage_id FROM asked a WHERE a.server_ip IS r.server_ip AND a.protocol = r.protocol
		AND a.server_port IS r.server_port AND a.client_ip IS r.client_ip)) AS server_vantage_id, m.*
FROM proven_row r
CROSS JOIN cause c ON c.id = r.id
CROSS JOIN (SELECT rowid AS minute_id, client_vantage_id, server_vantage_id AS minute_vantage_id, rejected_out, rejected_in, reply_rejected, lost,
		reply_lost, reply_elsewhere, silent, unanswered, packets, clients AS strangers, log_file_id, line
	FROM flow_log_request_minute) m ON m.minute_id = r.minute_id;

-- Where one client, or one service, makes nine tenths of it, the others happened to fail in the same span.
CREATE TEMP TABLE main_client AS
SELECT cause_id, way, client_ip FROM (SELECT cause_id, way, client_ip, sum(n) AS n, sum(sum(n)) OVER (PARTITION BY cause_id, way) AS total
	FROM cause_minute GROUP BY cause_id, way, client_ip) WHERE n >= 0.9 * total;
CREATE INDEX temp.main_client_by_cause ON main_client(cause_id, way);
DELETE FROM cause_minute WHERE EXISTS (SELECT 1 FROM main_client c WHERE c.cause_id = cause_minute.cause_id AND c.way = cause_minute.way
	AND c.client_ip IS NOT cause_minute.client_ip);
CREATE TEMP TABLE main_service AS
SELECT cause_id, way, server_ip, protocol, server_port FROM (SELECT cause_id, way, server_ip, protocol, server_port, sum(n) AS n,
		sum(sum(n)) OVER (PARTITION BY cause_id, way) AS total
	FROM cause_minute GROUP BY cause_id, way, server_ip, protocol, server_port) WHERE n >= 0.9 * total;
CREATE INDEX temp.main_service_by_cause ON main_service(cause_id, way);
DELETE FROM cause_minute WHERE EXISTS (SELECT 1 FROM main_service c WHERE c.cause_id = cause_minute.cause_id AND c.way = cause_minute.way
	AND (c.server_ip IS NOT cause_minute.server_ip OR c.protocol != cause_minute.protocol OR c.server_port IS NOT cause_minute.server_port));

-- The interface that nine tenths of the failures come from or go to.
CREATE TEMP TABLE main_interface AS
SELECT i.cause_id, i.way, i.vantage_id, max(i.n) AS n
FROM (SELECT cause_id, way, vantage_id, sum(n) AS n
	FROM (SELECT cause_id, way, client_vantage_id AS vantage_id, n FROM cause_minute
		UNION ALL SELECT cause_id, way, server_vantage_id, n FROM cause_minute WHERE server_vantage_id IS NOT client_vantage_id)
	WHERE vantage_id IS NOT NULL GROUP BY cause_id, way, vantage_id) i
JOIN (SELECT cause_id, way, sum(n) AS n FROM cause_minute GROUP BY cause_id, way) t ON t.cause_id = i.cause_id AND t.way = i.way
WHERE i.n >= 0.9 * t.n
GROUP BY i.cause_id, i.way;
CREATE INDEX temp.main_interface_by_cause ON main_interface(cause_id, way);

CREATE TEMP TABLE place AS
SELECT ip, min(label) AS label, min(subnet) AS subnet, min(zone) AS zone FROM flow_log_name GROUP BY ip;
CREATE INDEX temp.place_by_ip ON place(ip);

CREATE TEMP TABLE found AS
SELECT c.*, v.name AS client_eni, x.name AS server_eni, coalesce(w.transit, 0) AS transit, s.judged_ns,
	iif(c.from_id IS NULL AND c.to_id IS NULL, i.vantage_id, NULL) AS at_id, y.name AS at_eni, s.accepts_alone,
	CASE WHEN services = 1 THEN protocol || ' ' || endpoint(coalesce(server_ip, 'addresses outside'), server_port)
			|| coalesce(' (' || server.label || ')', '')
		WHEN servers = 1 THEN coalesce(server.label || ' ' || server_ip, server_ip, 'addresses outside') || ' (' || services || ' services)'
		WHEN server_place IS NOT NULL THEN iif(ports = 1, protocol || coalesce(' port ' || server_port, '') || ' of ', '')
			|| servers || ' servers of ' || server_place
		WHEN ports = 1 AND server_nets = 1 THEN protocol || coalesce(' port ' || server_port, '') || ' of ' || servers || ' servers of ' || server_net || '*'
		WHEN ports = 1 THEN protocol || coalesce(' port ' || server_port, '') || ' of ' || servers || ' servers'
		WHEN server_nets = 1 THEN servers || ' servers of ' || server_net || '*'
		ELSE services || ' services of ' || servers || ' servers' END AS what,
	CASE WHEN clients = 1 AND outside = 0 THEN coalesce(client.label || ' (' || client_ip || ')', client_ip)
		WHEN clients = 0 THEN 'clients outside'
		WHEN client_place IS NOT NULL AND outside = 0 THEN clients || ' clients of ' || client_place
		WHEN client_nets = 1 AND outside = 0 THEN clients || ' clients of ' || client_net || '*'
		ELSE (clients + outside) || ' clients' END AS who,
	EXISTS (SELECT 1 FROM flow_log_interface i WHERE i.vantage_id = c.to_id AND i.last_ns < c.last_ns + 60000000000
		AND i.last_ns < s.last_ns - 300000000000) AS ended
FROM (
	SELECT cause_id, way, min(start_ns) AS first_ns, max(start_ns + window_ns) AS last_ns, max(spans) AS spans, max(length_ns) AS length_ns,
		max(good_before > 0) AS good_before, sum(n) AS n, sum(asked) AS asked,
		sum(packets) AS packets,
		count(DISTINCT client_ip) AS clients, max(client_ip IS NULL) AS outside, min(client_ip) AS client_ip,
		count(DISTINCT rtrim(client_ip, '0123456789abcdef')) AS client_nets, min(rtrim(client_ip, '0123456789abcdef')) AS client_net,
		count(DISTINCT coalesce(server_ip, '')) AS servers, min(server_ip) AS server_ip,
		count(DISTINCT coalesce(rtrim(server_ip, '0123456789abcdef'), '')) AS server_nets, min(rtrim(server_ip, '0123456789abcdef')) AS server_net,
		count(DISTINCT coalesce(server_ip, '') || ' ' || protocol || ' ' || coalesce(server_port, '')) AS services,
		count(DISTINCT protocol || ' ' || coalesce(server_port, '')) AS ports, min(protocol) AS protocol, min(server_port) AS server_port,
		iif(count(DISTINCT client_vantage_id) = 1, min(client_vantage_id), NULL) AS from_id,
		iif(count(DISTINCT server_vantage_id) = 1, min(server_vantage_id), NULL) AS to_id,
		sum(rejected_out) AS rejected_out, sum(rejected_in) AS rejected_in, sum(reply_rejected) AS reply_rejected,
		sum(lost) AS lost, sum(reply_lost) AS reply_lost, sum(reply_elsewhere) AS reply_elsewhere, sum(silent) AS silent,
		sum(unanswered) AS unanswered, max(strangers) AS strangers,
		-- what the cloud's list has in common for all of them
		CASE WHEN count(*) = count(k.subnet) AND min(k.subnet) = max(k.subnet) THEN 'subnet ' || min(k.subnet) || coalesce(' in ' || min(k.zone), '')
			WHEN count(*) = count(k.zone) AND min(k.zone) = max(k.zone) THEN 'zone ' || min(k.zone) END AS client_place,
		CASE WHEN count(*) = count(y.subnet) AND min(y.subnet) = max(y.subnet) THEN 'subnet ' || min(y.subnet) || coalesce(' in ' || min(y.zone), '')
			WHEN count(*) = count(y.zone) AND min(y.zone) = max(y.zone) THEN 'zone ' || min(y.zone) END AS server_place
	FROM cause_minute m
	LEFT JOIN place k ON k.ip = m.client_ip
	LEFT JOIN place y ON y.ip = m.server_ip
	GROUP BY cause_id, way) c
LEFT JOIN place client ON client.ip = c.client_ip
LEFT JOIN place server ON server.ip = c.server_ip
LEFT JOIN main_interface i ON i.cause_id = c.cause_id AND i.way = c.way
LEFT JOIN vantage v ON v.id = c.from_id
LEFT JOIN vantage x ON x.id = c.to_id
LEFT JOIN vantage y ON y.id = i.vantage_id
LEFT JOIN window w ON w.vantage_id = c.to_id
JOIN log_span s;

CREATE TEMP TABLE verdict AS
SELECT f.cause_id AS key, f.*,
	CASE way WHEN 'rejected' THEN 'flowlog-reject' WHEN 'refused' THEN 'flowlog-refused' WHEN 'small' THEN 'flowlog-mtu'
		WHEN 'idle' THEN 'flowlog-idle'
		ELSE CASE WHEN 2 * (lost + reply_lost) >= n THEN 'flowlog-loss' WHEN clients + outside * strangers >= 3 THEN 'flowlog-unreachable'
			ELSE 'flowlog-one-way' END END AS kind,
	last_ns >= judged_ns - 600000000000 AS still,
	-- resets come from a host that runs, and minutes later all is well
	way = 'refused' AND spans < 3 AND length_ns <= 180000000000 AND last_ns < judged_ns - 600000000000 AS restart
FROM found f;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns,
	count, total, summary, remedy, detail)
SELECT v.key, v.kind,
	CASE WHEN v.still AND 2 * v.n >= v.asked AND v.last_ns - v.first_ns >= 600000000000
			AND (v.clients + v.outside * v.strangers >= 3 OR v.n >= 100) AND v.way != 'idle' AND v.spans < 3 THEN 'critical'
		WHEN v.restart THEN 'notice'
		ELSE 'warning' END,
	CASE WHEN v.way = 'rejected' THEN 0.95 WHEN v.way = 'absent' THEN 0.8 ELSE 0.7 END,
	(SELECT host_id FROM vantage WHERE id = coalesce(v.to_id, v.from_id, v.at_id)), v.from_id, coalesce(v.to_id, v.at_id),
	iif(v.clients = 1 AND NOT v.outside, v.client_ip, NULL), iif(v.servers = 1, v.server_ip, NULL), v.first_ns, v.last_ns, v.n, v.asked,
	CASE WHEN v.way = 'rejected' AND 2 * v.reply_rejected >= v.n
			THEN 'answers of ' || v.what || ' to ' || v.who || ' are rejected although the requests were accepted: a network ACL, which is stateless'
		WHEN v.way = 'rejected' AND 2 * v.rejected_out >= v.n
			THEN v.who || ' may not send to ' || v.what || ' any more: rejected on the way out'
				|| coalesce(' of ' || v.client_eni, '')
		WHEN v.way = 'rejected' THEN v.who || iif(v.clients + v.outside > 1 OR v.outside, ' are', ' is') || ' turned away from ' || v.what || ': rejected on the way in' || coalesce(' at ' || v.server_eni, '')
		WHEN v.way = 'refused' THEN 'connections of ' || v.who || ' to ' || v.what || ' are refused: answered by resets alone'
		WHEN v.way = 'small' THEN 'only packets without data come back from ' || v.what || ' to ' || v.who || ': full-size packets are lost on the way'
		WHEN v.way = 'idle' THEN 'connections of ' || v.who || ' to ' || v.what || ' are gone after minutes of silence'
		WHEN v.kind = 'flowlog-loss' AND v.lost >= v.reply_lost
			THEN 'requests of ' || v.who || ' to ' || v.what || ' left ' || coalesce(v.client_eni, 'their interfaces') || ' and did not come in at '
				|| coalesce(v.server_eni, 'the servers''')
		WHEN v.kind = 'flowlog-loss' THEN 'answers of ' || v.what || ' to ' || v.who || ' left ' || coalesce(v.server_eni, 'the servers'' interfaces')
				|| ' and did not come in at ' || coalesce(v.client_eni, 'the clients''')
		WHEN 2 * v.reply_elsewhere >= v.n THEN 'answers of ' || v.what || ' to ' || v.who || ' leave by another interface than '
				|| coalesce(v.server_eni, 'the one that is asked')
		ELSE 'no answer of ' || v.what || ' to ' || v.who
				|| CASE WHEN 2 * v.silent >= v.n AND v.transit THEN ': the requests came in at ' || v.server_eni || ', and no answer came back through it'
					WHEN 2 * v.silent >= v.n THEN ': the requests came in' || coalesce(' at ' || v.server_eni, '') || ', and nothing left it'
					ELSE '' END END
		|| ': ' || v.n || iif(v.asked > v.n, ' of ' || v.asked, '') || ' requests '
		|| CASE WHEN v.spans >= 3 THEN 'in ' || v.spans || ' spans from ' || replace(substr(iso(v.first_ns), 1, 16), 'T', ' ') || ' UTC to '
				|| substr(iso(v.last_ns), 12, 5)
			WHEN v.still THEN 'since ' || replace(substr(iso(v.first_ns), 1, 16), 'T', ' ') || ' UTC' || ', still at the end of the log'
			ELSE 'from ' || replace(substr(iso(v.first_ns), 1, 16), 'T', ' ') || ' UTC' || ' for ' || span(v.last_ns - v.first_ns) END
		|| iif(v.good_before, '; before, they were answered', '; the log begins with it, and afterwards they were answered')
		|| iif(v.restart, '. None failed for more than ' || span(v.length_ns) || ', as while a service restarts', '')
		|| coalesce('. All come from or go to ' || iif(v.at_id IS NULL, NULL, v.at_eni), '')
		|| iif(v.accepts_alone AND v.way = 'absent' AND 2 * v.silent < v.n,
			'. No reject is on record: if the log is limited to what was accepted, they may have been rejected', '')
		|| iif(v.ended, '. The log of ' || v.server_eni || ' ends: the instance is gone', ''),
	CASE WHEN v.way = 'rejected' AND 2 * v.reply_rejected >= v.n THEN 'allow the ephemeral ports (1024-65535) in the network ACLs of both subnets'
		WHEN v.way = 'rejected' AND 2 * v.rejected_out >= v.n THEN 'see what changed in the outbound rules of the clients'' security group and network ACL'
		WHEN v.way = 'rejected' THEN 'see what changed in the inbound rules of the security group, then of the network ACL'
		WHEN v.way = 'refused' THEN 'see whether the service runs and on which port it listens'
		WHEN v.way = 'small' THEN 'see that ICMP "fragmentation needed" passes, and clamp the MSS: ping -M do -s 1472 shows the largest packet'
		WHEN v.way = 'idle' THEN 'send TCP keepalives before the middlebox forgets: a NAT gateway and a balancer do after 350 s'
		WHEN v.kind = 'flowlog-loss' THEN 'look at what lies between: route tables, peering, transit gateway, firewall appliance'
		WHEN 2 * v.reply_elsewhere >= v.n THEN 'route answers out of the interface that was asked (a rule by source address on the host)'
		WHEN v.transit THEN 'look beyond the gateway: the route back, the attachment''s subnets, the host'
		ELSE 'see whether the host and the service run; capture there: did the requests arrive?' END,
	json_object('way', v.way, 'services', v.services, 'servers', v.servers, 'clients', v.clients, 'outside', v.outside,
		'side', CASE WHEN v.way != 'rejected' THEN NULL WHEN 2 * v.reply_rejected >= v.n THEN 'network-acl' ELSE 'security-group or network-acl' END,
		'port', iif(v.ports = 1, v.server_port, NULL), 'protocol', iif(v.ports = 1, v.protocol, NULL), 'packets', v.packets,
		'still', v.still, 'spans', v.spans, 'rate_low', wilson_low(v.n, v.asked), 'rate_high', wilson_high(v.n, v.asked),
		'direction', iif(v.way = 'rejected' AND 2 * (v.reply_rejected + v.rejected_out) >= v.n, 'tx', 'rx'), 'rule', 'flowlog-request')
FROM verdict v;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, note
FROM (SELECT v.key, m.log_file_id, m.line,
		CASE m.way WHEN 'rejected' THEN 'rejected' WHEN 'refused' THEN 'answered by a reset' WHEN 'small' THEN 'answered without data'
			WHEN 'idle' THEN 'no answer after a pause' ELSE 'no answer' END
			|| ': ' || coalesce(m.client_ip, 'a client outside') || ' to '
			|| coalesce(m.server_ip, 'an address outside') || ' ' || m.protocol || coalesce(' port ' || m.server_port, '') AS note,
		row_number() OVER (PARTITION BY v.key ORDER BY m.start_ns, m.log_file_id, m.line) AS place
	FROM verdict v CROSS JOIN cause_minute m ON m.cause_id = v.key AND m.way = v.way
	WHERE m.log_file_id IS NOT NULL)
WHERE place <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, place;

-- What was never answered: of TCP, and of anything that is rejected. Of clients outside these are scans.
CREATE TEMP TABLE never AS
SELECT 'never ' || row_number() OVER (ORDER BY n DESC, server_ip, protocol, server_port, way) AS key,
	row_number() OVER (ORDER BY n DESC, server_ip, protocol, server_port, way) AS place, x.*
FROM (
	SELECT r.server_ip, r.protocol, r.server_port, iif(r.rejected > 0, 'rejected', iif(r.refused > 0, 'refused', 'absent')) AS way,
		sum(iif(r.client_ip IS NULL, r.clients, 1)) AS clients, min(coalesce(r.client_ip, 'a client outside')) AS client_ip,
		min(r.client_ip) AS src_ip, sum(r.n) AS n, sum(r.asked) AS asked, sum(r.packets) AS packets,
		sum(r.reply_rejected) AS reply_rejected, sum(r.rejected_out) AS rejected_out,
		min(r.failed_first_ns) AS first_ns, max(r.failed_last_ns) + 60000000000 AS last_ns,
		iif(count(DISTINCT r.client_vantage_id) = 1, min(r.client_vantage_id), NULL) AS from_id,
		iif(count(DISTINCT r.server_vantage_id) = 1, min(r.server_vantage_id), NULL) AS to_id
	FROM (SELECT q.*, rejected_out + rejected_in + reply_rejected AS rejected, asked - edge AS n FROM flow_log_request q) r
	WHERE r.answered + r.half_open + r.small = 0 AND (r.rejected > 0 OR r.protocol = 'tcp') AND r.n > 0
		-- who scans does not try again, and is seldom let in and never out
		AND (r.client_ip IS NOT NULL OR r.reply_rejected > 0 OR 2 * r.packets >= 5 * r.asked AND (r.clients <= 3 OR r.rejected = 0))
		AND coalesce(r.client_ip, '') NOT IN (SELECT ip FROM flow_log_source
			WHERE max(hosts, ports) >= (SELECT value FROM setting WHERE key = 'flowlog_scan_targets'))
		AND NOT EXISTS (SELECT 1 FROM dark_span d WHERE d.vantage_id IN (r.client_vantage_id, r.server_vantage_id)
			AND r.failed_first_ns >= d.from_ns AND r.failed_last_ns <= d.to_ns)
		AND NOT EXISTS (SELECT 1 FROM drop_span d WHERE d.client_ip = r.client_ip AND d.server_ip = r.server_ip)
	GROUP BY r.server_ip, r.protocol, r.server_port, 4
	HAVING sum(r.packets) >= 3) x;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns,
	count, total, summary, remedy, detail)
SELECT n.key, CASE WHEN way = 'rejected' THEN 'flowlog-reject' WHEN way = 'refused' THEN 'flowlog-refused'
		WHEN clients >= 3 THEN 'flowlog-unreachable' ELSE 'flowlog-one-way' END,
	'notice', iif(way = 'absent', 0.7, 0.95), (SELECT host_id FROM vantage WHERE id = coalesce(n.to_id, n.from_id)), n.from_id, n.to_id,
	iif(clients = 1, src_ip, NULL), server_ip, n.first_ns, n.last_ns, n.n, n.asked,
	iif(clients = 1, coalesce((SELECT label || ' (' || n.client_ip || ')' FROM place WHERE ip = n.client_ip), client_ip), clients || ' clients')
		|| CASE WHEN way = 'rejected' AND 2 * reply_rejected >= n.n THEN iif(clients = 1, ' gets', ' get') || ' no answer of ' WHEN way = 'rejected' AND 2 * rejected_out >= n.n THEN ' may not send to '
			WHEN way = 'rejected' THEN iif(clients = 1, ' is', ' are') || ' turned away from ' WHEN way = 'refused' THEN iif(clients = 1, ' is', ' are') || ' refused by '
			ELSE iif(clients = 1, ' gets', ' get') || ' no answer of ' END
		|| protocol || ' ' || endpoint(coalesce(server_ip, 'addresses outside'), server_port)
		|| coalesce((SELECT ' (' || label || ')' FROM place WHERE ip = server_ip), '')
		|| CASE WHEN way = 'rejected' AND 2 * reply_rejected >= n.n THEN ': the answers are rejected although the requests were accepted: a network ACL, which is stateless'
			ELSE '' END
		|| ': ' || n.n || ' requests, ' || packets || ' packets, and none was answered in the whole log'
		|| iif(s.rejects_alone, ' (which has nothing that was accepted: it may be limited to rejects)', ''),
	CASE WHEN way = 'rejected' AND 2 * reply_rejected >= n.n THEN 'allow the ephemeral ports (1024-65535) in the network ACLs of both subnets'
		WHEN way = 'rejected' THEN 'if it should be reached: check the rules of the security group, then of the network ACL'
		ELSE 'if it should answer: capture there, did the requests arrive?' END,
	json_object('way', way, 'clients', clients, 'port', server_port, 'protocol', protocol, 'packets', packets, 'before', 0,
		'side', CASE WHEN way != 'rejected' THEN NULL WHEN 2 * reply_rejected >= n.n THEN 'network-acl' ELSE 'security-group or network-acl' END,
		'rule', 'flowlog-request')
FROM never n
JOIN log_span s
WHERE n.place <= (SELECT value FROM setting WHERE key = 'flowlog_never_max');

INSERT INTO new_finding (key, kind, severity, confidence, first_ns, last_ns, count, summary, detail)
SELECT 'never rest', 'flowlog-one-way', 'notice', 0.7, min(first_ns), max(last_ns), sum(n),
	count(*) || ' more services answered none of their clients in the whole log: ' || sum(n) || ' requests (--saved flowlog-failed lists them)',
	json_object('services', count(*), 'rule', 'flowlog-request')
FROM never WHERE place > (SELECT value FROM setting WHERE key = 'flowlog_never_max')
HAVING count(*) > 0;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, note
FROM (SELECT iif(n.place <= (SELECT value FROM setting WHERE key = 'flowlog_never_max'), n.key, 'never rest') AS key, r.log_file_id, r.line,
		iif(way = 'rejected', 'rejected: ', 'no answer: ') || coalesce(r.client_ip, 'a client outside') || ' to ' || coalesce(r.server_ip, 'an address outside') || ' ' || r.protocol
			|| coalesce(' port ' || r.server_port, '') AS note,
		row_number() OVER (PARTITION BY iif(n.place <= (SELECT value FROM setting WHERE key = 'flowlog_never_max'), n.key, 'never rest')
			ORDER BY r.log_file_id, r.line) AS place
	FROM flow_log_request r
	CROSS JOIN never n ON n.server_ip IS r.server_ip AND n.protocol = r.protocol AND n.server_port IS r.server_port
	WHERE r.answered + r.half_open + r.small = 0 AND r.log_file_id IS NOT NULL)
WHERE place <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, place;

-- A service whose answers are rejected all along, to a part of its clients: no change shows it, but rules that keep state
-- let every answer of an accepted request out. Answers behind a forgotten connection are few, or single ones.
CREATE TEMP TABLE reply_rejected AS
SELECT 'reply ' || row_number() OVER (ORDER BY q.server_ip, q.protocol, q.server_port) AS key, q.*
FROM (SELECT server_ip, protocol, server_port, sum(reply_rejected) AS n, sum(asked) AS asked, sum(packets) AS packets,
		sum(iif(client_ip IS NULL, clients, 1)) AS clients, min(client_ip) AS client_ip,
		min(failed_first_ns) AS first_ns, max(failed_last_ns) + 60000000000 AS last_ns,
		iif(count(DISTINCT server_vantage_id) = 1, min(server_vantage_id), NULL) AS to_id
	FROM flow_log_request
	WHERE answered + half_open > 0
	GROUP BY server_ip, protocol, server_port) q
JOIN log_span s
WHERE q.n >= 4 * (SELECT value FROM setting WHERE key = 'flowlog_failures_min') AND 20 * q.n >= q.asked
	AND 2 * (q.last_ns - q.first_ns) >= s.last_ns - s.first_ns
	AND q.protocol || ' ' || coalesce(q.server_port, '') || ' ' || coalesce(q.server_ip, '') NOT IN (
		SELECT protocol || ' ' || coalesce(server_port, '') || ' ' || coalesce(server_ip, '') FROM cause_minute WHERE way = 'rejected');

INSERT INTO new_finding (key, kind, severity, confidence, host_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns, count, total,
	summary, remedy, detail)
SELECT r.key, 'flowlog-reject', 'warning', 0.9, (SELECT host_id FROM vantage WHERE id = r.to_id), r.to_id,
	iif(r.clients = 1, r.client_ip, NULL), r.server_ip, r.first_ns, r.last_ns, r.n, r.asked,
	'some answers of ' || r.protocol || ' ' || endpoint(coalesce(r.server_ip, 'addresses outside'), r.server_port) || ' to '
		|| iif(r.clients = 1, coalesce(r.client_ip, 'a client outside'), r.clients || ' clients')
		|| ' are rejected although the requests were accepted: a network ACL, which is stateless: '
		|| r.n || ' of ' || r.asked || ' requests, from the beginning of the log to its end',
	'allow the ephemeral ports (1024-65535) in the network ACLs of both subnets',
	json_object('way', 'rejected', 'clients', r.clients, 'port', r.server_port, 'protocol', r.protocol, 'packets', r.packets,
		'before', 0, 'side', 'network-acl', 'direction', 'tx', 'rule', 'flowlog-request')
FROM reply_rejected r;

INSERT INTO new_evidence (key, log_file_id, line, note)
SELECT key, log_file_id, line, note
FROM (SELECT r.key, m.log_file_id, m.line, 'the answer was rejected: ' || coalesce(m.client_ip, 'a client outside') || ' to '
			|| coalesce(m.server_ip, 'an address outside') || ' ' || m.protocol || coalesce(' port ' || m.server_port, '') AS note,
		row_number() OVER (PARTITION BY r.key ORDER BY m.start_ns, m.log_file_id, m.line) AS place
	FROM reply_rejected r
	CROSS JOIN flow_log_request_minute m ON m.server_ip IS r.server_ip AND m.protocol = r.protocol AND m.server_port IS r.server_port
	WHERE m.reply_rejected > 0 AND m.log_file_id IS NOT NULL)
WHERE place <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, place;
