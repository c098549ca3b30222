-- Connections that had been silent for long lost their state on the way
-- if: SELECT 1 FROM flow_silence WHERE broken_ns IS NOT NULL
-- The connections of a service are compared: those that got nothing or a RST back after a silence, and those that went on
-- after one. The shortest silence that broke a connection must be longer than the longest one that a connection survived, and
-- Fisher's exact test must rule out chance. Where the capture at the far end shows the packets and no answer, that host
-- dropped the connection, and nothing on the way did.
CREATE TEMP TABLE it_broken AS
SELECT x.flow_id, x.vantage_id, x.server_ip, x.server_port, x.client_ip, s.broken_ns, s.direction, s.at_ns, s.packets, s.resets,
	s.capture_file_id, s.frame, s.reset_file_id, s.reset_frame
FROM flow_silence s
JOIN vantage v ON v.id = s.vantage_id AND v.trust != 'unfit'
JOIN flow f ON f.id = s.flow_id AND f.pairing NOT IN ('ambiguous', 'proxy')
CROSS JOIN flow_vantage x ON x.flow_id = s.flow_id AND x.vantage_id = s.vantage_id
WHERE s.broken_ns IS NOT NULL AND (s.resets > 0 OR s.packets >= 2 AND v.last_ns - s.at_ns >= 3000000000)
	-- the far end's place saw what was sent after the silence
	AND NOT EXISTS (SELECT 1 FROM flow_vantage y JOIN flow_silence o ON o.flow_id = y.flow_id AND o.vantage_id = y.vantage_id
		WHERE y.flow_id = x.flow_id AND y.vantage_id != x.vantage_id AND o.broken_ns IS NOT NULL AND o.direction = s.direction
			AND iif(s.direction = 'c2s', y.position > x.position, y.position < x.position));

CREATE TEMP TABLE it_service AS
SELECT vantage_id, server_ip, server_port, min(broken_ns) AS shortest_ns, count(*) AS died, sum(resets > 0) AS by_reset,
	min(at_ns) AS first_ns, max(at_ns) AS last_ns, min(client_ip) AS client_ip, count(DISTINCT client_ip) AS clients,
	sum(direction = 'c2s') AS by_client
FROM it_broken GROUP BY vantage_id, server_ip, server_port HAVING count(*) >= 3;

-- Those that went on: with a silence, how long it was; without, they count as less than ten seconds. A connection that was
-- reset without one was cut by something else, as a restart cuts all.
CREATE TEMP TABLE it_lived AS
SELECT q.vantage_id, q.server_ip, q.server_port, sum(x.rst_c2s + x.rst_s2c = 0) AS lived, sum(x.rst_c2s + x.rst_s2c > 0) AS cut,
	max(coalesce(s.survived_ns, 0)) AS longest_ns,
	sum(coalesce(s.survived_ns, 0) >= q.shortest_ns) AS as_long,
	max(iif(x.rst_c2s + x.rst_s2c = 0, x.last_ns, 0)) AS last_ns
FROM (SELECT 1 FROM it_service LIMIT 1) once
CROSS JOIN flow_vantage x
JOIN it_service q ON q.vantage_id = x.vantage_id AND q.server_ip = x.server_ip AND q.server_port = x.server_port
LEFT JOIN flow_silence s ON s.flow_id = x.flow_id AND s.vantage_id = x.vantage_id
WHERE s.broken_ns IS NULL AND x.packets_c2s > 0 AND x.packets_s2c > 0 AND x.bytes_c2s + x.bytes_s2c > 0
GROUP BY q.vantage_id, q.server_ip, q.server_port;

-- Broken ones survived shorter silences, too.
CREATE TEMP TABLE it_found AS
SELECT row_number() OVER (ORDER BY q.vantage_id, q.server_ip, q.server_port) AS key, q.*, l.lived,
	max(l.longest_ns, coalesce((SELECT max(s.survived_ns) FROM it_broken b JOIN flow_silence s USING (flow_id, vantage_id)
		WHERE b.vantage_id = q.vantage_id AND b.server_ip = q.server_ip AND b.server_port = q.server_port), 0)) AS longest_ns,
	fisher(q.died, l.cut, 0, l.lived) AS ln_chance
FROM it_service q
JOIN it_lived l USING (vantage_id, server_ip, server_port)
WHERE l.as_long = 0
	-- the service went on: a restart takes everybody's state
	AND l.last_ns > q.first_ns AND fisher(q.died, l.cut, 0, l.lived) <= ln(0.051);
DELETE FROM it_found WHERE longest_ns >= shortest_ns;
-- The place nearest to those that spoke is enough.
DELETE FROM it_found WHERE EXISTS (SELECT 1 FROM it_found o WHERE o.server_ip = it_found.server_ip
	AND o.server_port = it_found.server_port AND (o.died > it_found.died OR o.died = it_found.died AND o.key < it_found.key));

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip, first_ns, last_ns,
	count, total, summary, remedy, detail)
SELECT f.key, 'idle-timeout', 'warning', CASE v.trust WHEN 'sound' THEN 1.0 ELSE 0.8 END * (0.6 + 0.35 * min(1, -f.ln_chance / ln(10) / 6)),
	NULL, f.vantage_id, (SELECT min(y.vantage_id) FROM it_broken b JOIN flow_vantage y ON y.flow_id = b.flow_id
		WHERE b.vantage_id = f.vantage_id AND b.server_ip = f.server_ip AND b.server_port = f.server_port AND y.vantage_id != f.vantage_id),
	iif(f.clients = 1, f.client_ip, NULL), f.server_ip, ref_ns(f.vantage_id, f.first_ns), ref_ns(f.vantage_id, f.last_ns),
	f.died, f.died + f.lived,
	f.died || ' connections' || CASE f.clients WHEN 1 THEN ' from ' || f.client_ip ELSE ' of ' || f.clients || ' clients' END || ' to '
		|| endpoint(f.server_ip, f.server_port) || ' were gone after ' || span(f.shortest_ns) || ' of silence or more ('
		|| CASE WHEN f.by_reset = f.died THEN 'a RST came back' WHEN f.by_reset = 0 THEN 'nothing came back'
			ELSE f.by_reset || ' got a RST, the others nothing' END
		|| '); ' || f.lived || ' others went on, the longest silence '
		|| iif(f.longest_ns >= 10000000000, span(f.longest_ns), 'below 10 s') || ': a device on the way forgets connections that are silent',
	-- between both nobody knows: what was survived is safe
	'let connections send something ' || iif(f.longest_ns >= 10000000000, 'at least every ' || span(f.longest_ns) || ', a silence that was survived',
		'much more often than every ' || span(f.shortest_ns)) || ' (keepalives of the application, or sysctl net.ipv4.tcp_keepalive_time for sockets '
		|| 'with SO_KEEPALIVE), or raise the idle timeout of the firewall, NAT gateway or load balancer on the way',
	json_object('flows', f.died, 'broken', f.died, 'shortest_broken_ns', f.shortest_ns, 'longest_survived_ns', f.longest_ns,
		'resets', f.by_reset, 'port', f.server_port, 'direction', iif(f.by_client = f.died, 'c2s', iif(f.by_client = 0, 's2c', 'both')))
FROM it_found f
JOIN vantage v ON v.id = f.vantage_id
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, file_id, frame, flow_id, note
FROM (SELECT f.key, iif(x.column1, b.reset_file_id, b.capture_file_id) AS file_id, iif(x.column1, b.reset_frame, b.frame) AS frame, b.flow_id,
		iif(x.column1, 'the RST that answers it', 'the first packet after ' || span(b.broken_ns) || ' of silence') AS note,
		row_number() OVER (PARTITION BY f.key ORDER BY b.at_ns, b.flow_id, x.column1) AS n
	FROM it_found f
	JOIN it_broken b USING (vantage_id, server_ip, server_port)
	CROSS JOIN (VALUES (0), (1)) x
	WHERE x.column1 = 0 OR b.reset_frame IS NOT NULL)
WHERE n <= 20
ORDER BY key, n;
