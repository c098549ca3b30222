-- Packets reached the host, were logged or stopped by its packet filter, and never answered (also host-drop)
-- if: SELECT 1 FROM netfilter_log UNION ALL SELECT 1 FROM icmp_error UNION ALL SELECT 1 FROM flow WHERE outcome IN ('unanswered', 'half_open') AND outcome NOT IN ('established', 'closed')
-- Four witnesses: the agent's own log of the first and the last hook, where what passed the first alone was dropped in
-- between; a drop rule's netfilter log of flows that nobody answered; an ICMP error that says
-- "administratively prohibited"; and connections that arrived at the host's own capture and got
-- neither SYN-ACK nor reset. The last is host-drop unless a counter names the packet filter: what
-- dropped it lies between the tap and the socket.
CREATE TEMP TABLE fw_ip AS
SELECT ip, CAST(min(host_id) AS INTEGER) AS host_id FROM host_address WHERE ip IS NOT NULL
GROUP BY ip HAVING count(DISTINCT host_id) = 1;
CREATE INDEX temp.fw_ip_by_ip ON fw_ip(ip);

-- The agent logs each packet at the first and at the last hook of a direction (bothends-agent nft): the first knows all,
-- and what the last ones, of input and forward, lack was dropped in between. Both must have logged something there, and
-- no record may be missing. What translation renamed on the way passes the last hook as another flow of that sender.
CREATE TEMP TABLE fw_hook AS
SELECT n.vantage_id, n.flow_id, n.direction, k.way, k.is_first, sum(n.packets) AS packets, min(n.first_ns) AS first_ns,
	max(n.last_ns) AS last_ns, min(n.capture_file_id) AS capture_file_id, min(n.frame) AS frame,
	CASE n.direction WHEN 's2c' THEN f.server_ip ELSE f.client_ip END AS src_ip,
	CASE n.direction WHEN 's2c' THEN f.server_port ELSE f.client_port END AS src_port,
	CASE n.direction WHEN 's2c' THEN f.client_ip ELSE f.server_ip END AS dst_ip, f.server_port, f.protocol
FROM netfilter_log n
JOIN (SELECT 'in_first' AS chain, 'in' AS way, 1 AS is_first UNION ALL VALUES ('in_last', 'in', 0),
	('through_last', 'in', 0), ('out_first', 'out', 1), ('out_last', 'out', 0)) k
	ON trim(n.prefix) IN ('bothends ' || k.chain, 'bothends ' || k.chain || ':')
JOIN flow f ON f.id = n.flow_id
WHERE n.direction IS NOT NULL
GROUP BY n.vantage_id, n.flow_id, n.direction, k.way, k.is_first;
CREATE INDEX temp.fw_hook_by_flow ON fw_hook(flow_id, vantage_id, direction, way, is_first);
CREATE INDEX temp.fw_hook_by_sender ON fw_hook(src_ip, src_port, vantage_id, way);
CREATE TEMP TABLE fw_between AS
SELECT v.host_id, a.*, a.packets - coalesce(b.packets, 0) AS dropped
FROM fw_hook a
JOIN vantage v ON v.id = a.vantage_id
LEFT JOIN fw_hook b ON b.flow_id = a.flow_id AND b.vantage_id = a.vantage_id AND b.direction = a.direction
	AND b.way = a.way AND NOT b.is_first
WHERE a.is_first AND a.packets > coalesce(b.packets, 0)
	-- the kernel's own word is better
	AND NOT EXISTS (SELECT 1 FROM told_drop k WHERE k.flow_id = a.flow_id AND k.host_id = v.host_id)
	AND EXISTS (SELECT 1 FROM fw_hook l WHERE l.vantage_id = a.vantage_id AND l.way = a.way AND NOT l.is_first)
	AND NOT EXISTS (SELECT 1 FROM fw_hook o WHERE o.src_ip = a.src_ip AND o.src_port = a.src_port
		AND o.vantage_id = a.vantage_id AND o.way = a.way AND NOT o.is_first AND o.flow_id != a.flow_id)
	AND NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = a.vantage_id
		AND d.from_ns <= a.last_ns + 1000000 AND d.to_ns >= a.first_ns - 1000000)
	-- the log's last moment may have been cut between two hooks
	AND (a.first_ns < v.last_ns - 1000000 OR a.packets > 1);
CREATE TEMP TABLE fw_cut AS
SELECT 'hooks ' || row_number() OVER (ORDER BY b.vantage_id, b.way, iif(c.crowd, '', b.src_ip), iif(c.crowd, '', b.dst_ip)) AS key,
	b.host_id, b.vantage_id, b.way, c.crowd, iif(c.crowd, NULL, b.src_ip) AS src_ip, iif(c.crowd, NULL, b.dst_ip) AS dst_ip,
	sum(b.dropped) AS dropped, sum(b.packets) AS packets, count(*) AS flows, min(b.first_ns) AS first_ns,
	max(b.last_ns) AS last_ns, CASE WHEN min(b.server_port) = max(b.server_port) THEN min(b.server_port) END AS port
FROM fw_between b
JOIN (SELECT vantage_id, way, count(DISTINCT src_ip || '>' || dst_ip)
		> (SELECT value FROM setting WHERE key = 'pairs_max') AS crowd
	FROM fw_between GROUP BY vantage_id, way) c ON c.vantage_id = b.vantage_id AND c.way = b.way
GROUP BY b.vantage_id, b.way, iif(c.crowd, '', b.src_ip), iif(c.crowd, '', b.dst_ip);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'firewall-drop', CASE WHEN f.dropped >= 3 THEN 'critical' ELSE 'warning' END, 1,
	f.host_id, f.vantage_id, NULL, f.src_ip, f.dst_ip, ref_ns(f.vantage_id, f.first_ns), ref_ns(f.vantage_id, f.last_ns),
	f.dropped, f.packets,
	f.dropped || ' of ' || f.packets || ' packets' || coalesce(' from ' || f.src_ip, '')
		|| coalesce(' to ' || endpoint(f.dst_ip, f.port), '') || ' passed the first netfilter hook of ' || h.name
		|| ' on the way ' || f.way || ' and not the last: dropped in between, by its packet filter or its routing',
	'on ' || h.name || ': `nft list ruleset`; `nstat -az TcpExtIPReversePathFilter`',
	json_patch('{}', json_object('hook', iif(f.way = 'in', 'in_first', 'out_first'), 'flows', f.flows, 'port', f.port,
		'broken', f.flows, 'reason', 'netfilter hooks'))
FROM fw_cut f JOIN host h ON h.id = f.host_id
ORDER BY f.key;
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT f.key, b.capture_file_id, b.frame, b.flow_id, 'passes the first hook; ' || b.dropped || ' of ' || b.packets
	|| ' packets of this flow never passed the last'
FROM fw_cut f
JOIN fw_between b ON b.vantage_id = f.vantage_id AND b.way = f.way
	AND (f.crowd OR (b.src_ip = f.src_ip AND b.dst_ip = f.dst_ip))
ORDER BY f.key, b.first_ns, b.frame;

-- A rule that also logs what is answered is no drop rule, unless its prefix says that it drops.
CREATE TEMP TABLE fw_rule AS
SELECT n.vantage_id, n.hook, n.prefix,
	regexp('drop|den(y|ied)|reject|block|refuse|discard|invalid|bad', lower(n.prefix)) AS says_so,
	sum(f.outcome IN ('established', 'closed', 'midstream')) AS answered
FROM netfilter_log n LEFT JOIN flow f ON f.id = n.flow_id
GROUP BY n.vantage_id, n.hook, n.prefix;

CREATE TEMP TABLE fw_logged AS
SELECT v.host_id, n.vantage_id, n.hook, n.prefix, r.says_so, n.flow_id, n.direction, n.packets, n.first_ns, n.last_ns,
	n.capture_file_id, n.frame, f.protocol, f.outcome,
	CASE n.direction WHEN 's2c' THEN f.server_ip ELSE f.client_ip END AS src_ip,
	CASE n.direction WHEN 's2c' THEN f.client_ip ELSE f.server_ip END AS dst_ip, f.server_port,
	(SELECT sum(CASE n.direction WHEN 's2c' THEN x.packets_s2c ELSE x.packets_c2s END) FROM flow_vantage x
		JOIN vantage o ON o.id = x.vantage_id AND o.kind = 'nic' AND o.host_id = v.host_id
		WHERE x.flow_id = n.flow_id) AS at_nic,
	(SELECT sum(CASE n.direction WHEN 's2c' THEN x.packets_c2s ELSE x.packets_s2c END) FROM flow_vantage x
		WHERE x.flow_id = n.flow_id) AS replies
FROM netfilter_log n
JOIN vantage v ON v.id = n.vantage_id
JOIN fw_rule r ON r.vantage_id = n.vantage_id AND r.hook = n.hook AND r.prefix = n.prefix
JOIN flow f ON f.id = n.flow_id
WHERE n.direction IS NOT NULL AND (r.says_so OR r.answered = 0)
	AND NOT EXISTS (SELECT 1 FROM told_drop k WHERE k.flow_id = n.flow_id AND k.host_id = v.host_id)
	-- the agent's own log is of all packets
	AND n.prefix NOT LIKE 'bothends %';
DELETE FROM fw_logged WHERE NOT CASE
	-- without a word of dropping it takes a capture of the interface: that it did not get out is seen only there
	WHEN hook IN ('output', 'postrouting') THEN CASE WHEN says_so THEN coalesce(at_nic, 0) = 0
		ELSE coalesce(at_nic, 0) = 0 AND EXISTS (SELECT 1 FROM vantage o WHERE o.host_id = fw_logged.host_id
			AND o.kind = 'nic' AND o.trust != 'unfit' AND ref_ns(o.id, o.first_ns) <= ref_ns(vantage_id, fw_logged.first_ns)
			AND ref_ns(o.id, o.last_ns) >= ref_ns(vantage_id, fw_logged.last_ns)) END
	-- incoming: it reached the interface (where that was captured), and nothing came back; an answer wants none
	WHEN NOT says_so AND (at_nic IS NULL OR direction = 's2c') THEN 0
	WHEN protocol = 'tcp' THEN outcome IN ('unanswered', 'half_open') OR (outcome IN ('refused', 'reset') AND says_so)
	ELSE coalesce(replies, 0) = 0 END
	OR (hook IN ('prerouting', 'input', 'forward') AND at_nic = 0);

-- Ends of their own while they are few, else one finding for the rule.
CREATE TEMP TABLE fw_found AS
SELECT 'log ' || row_number() OVER (ORDER BY l.vantage_id, l.hook, l.prefix,
		CASE WHEN c.crowd THEN '' ELSE l.src_ip END, CASE WHEN c.crowd THEN '' ELSE l.dst_ip END) AS key,
	l.host_id, l.vantage_id, l.hook, l.prefix, max(l.says_so) AS says_so, c.crowd,
	CASE WHEN c.crowd THEN NULL ELSE l.src_ip END AS src_ip, CASE WHEN c.crowd THEN NULL ELSE l.dst_ip END AS dst_ip,
	sum(l.packets) AS packets, sum(l.at_nic) AS at_nic, count(DISTINCT l.flow_id) AS flows,
	min(l.first_ns) AS first_ns, max(l.last_ns) AS last_ns, min(l.protocol) AS protocol,
	CASE WHEN min(l.server_port) = max(l.server_port) THEN min(l.server_port) END AS port
FROM fw_logged l
JOIN (SELECT vantage_id, hook, prefix, count(DISTINCT src_ip || '>' || dst_ip)
		> (SELECT value FROM setting WHERE key = 'pairs_max') AS crowd
	FROM fw_logged GROUP BY vantage_id, hook, prefix) c
	ON c.vantage_id = l.vantage_id AND c.hook = l.hook AND c.prefix = l.prefix
GROUP BY l.vantage_id, l.hook, l.prefix, CASE WHEN c.crowd THEN '' ELSE l.src_ip END,
	CASE WHEN c.crowd THEN '' ELSE l.dst_ip END;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'firewall-drop', CASE WHEN f.packets >= 3 THEN 'critical' ELSE 'warning' END,
	CASE WHEN f.says_so AND f.at_nic > 0 THEN 0.99 WHEN f.says_so THEN 0.95 WHEN f.at_nic > 0 THEN 0.8 ELSE 0.6 END,
	f.host_id, (SELECT min(v.id) FROM vantage v WHERE v.host_id = f.host_id AND v.kind = 'nic'), f.vantage_id,
	f.src_ip, f.dst_ip,
	ref_ns(f.vantage_id, f.first_ns),
	ref_ns(f.vantage_id, f.last_ns),
	f.packets, f.at_nic,
	'the packet filter of ' || h.name || ' (' || f.hook || CASE f.prefix WHEN '' THEN '' ELSE ', "' || f.prefix || '"' END
		|| ') logged ' || f.packets || iif(f.packets = 1, ' packet', ' packets') || coalesce(' from ' || f.src_ip, '')
		|| coalesce(' to ' || endpoint(f.dst_ip, f.port), '') || ' of ' || f.flows || ' '
		|| CASE f.protocol WHEN 'tcp' THEN 'connection' ELSE 'flow' END || iif(f.flows = 1, '', 's')
		|| CASE WHEN f.hook IN ('output', 'postrouting') THEN iif(EXISTS (SELECT 1 FROM vantage o
				WHERE o.host_id = f.host_id AND o.kind = 'nic'), ' that never left the interface', ' on their way out')
			WHEN f.at_nic > 0 THEN ' that reached its interface and were never answered'
			ELSE ' that were never answered' END,
	'on ' || h.name || ': `nft list ruleset`' || CASE f.prefix WHEN '' THEN '' ELSE ' (the rule with log prefix "'
		|| f.prefix || '")' END || '; allow this traffic if it is wanted',
	json_patch('{}', json_object('hook', f.hook, 'prefix', f.prefix, 'flows', f.flows, 'port', f.port, 'broken', f.flows,
		'reason', 'netfilter log'))
FROM fw_found f
JOIN host h ON h.id = f.host_id
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT f.key, l.capture_file_id, l.frame, l.flow_id, 'logged at ' || l.hook || ', ' || l.packets
	|| ' packets of this flow; not answered'
FROM fw_found f
JOIN fw_logged l ON l.vantage_id = f.vantage_id AND l.hook = f.hook AND l.prefix = f.prefix
	AND (f.crowd OR (l.src_ip = f.src_ip AND l.dst_ip = f.dst_ip))
ORDER BY f.key, l.first_ns, l.frame;

-- ICMP 3/9, 3/10, 3/13 and ICMPv6 1/1, 1/5, 1/6: a filter on the way, or at the host, says no. One
-- place speaks for each pair: the one that saw most.
CREATE TEMP TABLE fw_icmp AS
SELECT 'icmp ' || row_number() OVER (ORDER BY src_ip, quoted_src_ip, quoted_dst_ip) AS key, *
FROM (
	SELECT i.vantage_id, i.src_ip, i.quoted_src_ip, i.quoted_dst_ip, count(*) AS errors, min(i.at_ns) AS first_ns,
		max(i.at_ns) AS last_ns, min(i.type) AS type, min(i.code) AS code,
		CASE WHEN min(i.quoted_dst_port) = max(i.quoted_dst_port) THEN min(i.quoted_dst_port) END AS port,
		count(DISTINCT i.quoted_src_port || '/' || i.quoted_dst_port) AS flows,
		row_number() OVER (PARTITION BY i.src_ip, i.quoted_src_ip, i.quoted_dst_ip
			ORDER BY count(*) DESC, i.vantage_id) AS place
	FROM icmp_error i
	WHERE (i.version = 4 AND i.type = 3 AND i.code IN (9, 10, 13))
		OR (i.version = 6 AND i.type = 1 AND i.code IN (1, 5, 6))
	GROUP BY i.vantage_id, i.src_ip, i.quoted_src_ip, i.quoted_dst_ip)
WHERE place = 1;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'firewall-drop', CASE WHEN f.errors >= 3 THEN 'critical' ELSE 'warning' END, 0.97,
	coalesce(o.host_id, v.host_id), f.vantage_id, NULL, f.quoted_src_ip, f.quoted_dst_ip,
	ref_ns(f.vantage_id, f.first_ns),
	ref_ns(f.vantage_id, f.last_ns),
	f.errors, NULL,
	coalesce(h.name || ' (' || f.src_ip || ')', f.src_ip) || ' answers packets from ' || f.quoted_src_ip || ' to '
		|| endpoint(f.quoted_dst_ip, f.port) || ' with "administratively prohibited", ' || iif(f.errors = 1, 'once', f.errors || ' times'),
	'the filter rule is on ' || coalesce(h.name, f.src_ip) || '; allow this traffic there if it is wanted',
	json_object('reason', 'icmp', 'ip', f.src_ip, 'type', f.type, 'code', f.code, 'flows', f.flows, 'port', f.port)
FROM fw_icmp f
JOIN vantage v ON v.id = f.vantage_id
LEFT JOIN fw_ip o ON o.ip = f.src_ip
LEFT JOIN host h ON h.id = o.host_id
ORDER BY f.key;
INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, i.capture_file_id, i.frame, 'ICMP type ' || i.type || ' code ' || i.code || ' from ' || i.src_ip
FROM fw_icmp f
JOIN icmp_error i ON i.vantage_id = f.vantage_id AND i.src_ip = f.src_ip AND i.quoted_src_ip = f.quoted_src_ip
	AND i.quoted_dst_ip = f.quoted_dst_ip AND i.type = f.type
ORDER BY f.key, i.at_ns, i.frame;

-- When frames to an address went to a MAC that is not its owner's.
CREATE TEMP TABLE fw_misled AS
SELECT dst_ip AS ip, first_ns, last_ns FROM finding WHERE kind = 'mac-mismatch';
CREATE INDEX temp.fw_misled_by_ip ON fw_misled(ip);

-- From when on an address was another machine's: somebody with a MAC that its owner does not have announced it, or
-- answered for it where the owner could hear that, and the owner did not speak from it any more.
CREATE TEMP TABLE fw_moved AS
SELECT o.host_id, a.sender_ip AS ip, min(ref_ns(a.vantage_id, a.at_ns)) AS from_ns
FROM arp a
JOIN fw_ip o ON o.ip = a.sender_ip
JOIN vantage v ON v.id = a.vantage_id
WHERE (a.operation = 'announcement' OR (a.operation = 'reply' AND v.host_id = o.host_id)) AND NOT mac_virtual(a.sender_mac)
	AND EXISTS (SELECT 1 FROM host_address h WHERE h.host_id = o.host_id AND h.mac IS NOT NULL)
	AND NOT EXISTS (SELECT 1 FROM host_address h WHERE h.host_id = o.host_id AND h.mac = a.sender_mac)
	AND NOT EXISTS (SELECT 1 FROM mac_use u JOIN vantage w ON w.id = u.vantage_id AND w.host_id = o.host_id
		WHERE u.ip = a.sender_ip AND u.role = 'source' AND u.outgoing
			AND ref_ns(u.vantage_id, u.last_ns) > ref_ns(a.vantage_id, a.at_ns))
GROUP BY o.host_id, a.sender_ip;
CREATE INDEX temp.fw_moved_by_ip ON fw_moved(ip);
-- Addresses that several MACs spoke from as direct neighbours, or claimed: where nobody is known to own one, nothing tells
-- whose it was when.
CREATE TEMP TABLE fw_several AS
SELECT ip FROM (
	SELECT ip, mac FROM mac_use WHERE role = 'source' AND ttl_max IN (64, 128, 255)
	UNION SELECT sender_ip, sender_mac FROM arp WHERE operation IN ('announcement', 'reply') AND sender_ip IS NOT NULL)
WHERE NOT mac_virtual(mac)
GROUP BY ip HAVING count(DISTINCT mac) > 1;
CREATE INDEX temp.fw_several_by_ip ON fw_several(ip);
-- Addresses whose frames went to a MAC that never speaks where others are heard both ways: a switch floods such frames.
CREATE TEMP TABLE fw_mac AS
SELECT vantage_id, mac, max(role = 'source') AS speaks, max(role = 'destination') AS hears
FROM mac_use GROUP BY vantage_id, mac;
CREATE INDEX temp.fw_mac_by_mac ON fw_mac(vantage_id, mac);
CREATE TEMP TABLE fw_flooded AS
SELECT DISTINCT u.vantage_id, u.ip
FROM fw_mac m JOIN mac_use u ON u.vantage_id = m.vantage_id AND u.mac = m.mac AND u.role = 'destination'
WHERE NOT m.speaks AND m.vantage_id IN (SELECT vantage_id FROM fw_mac WHERE speaks AND hears);
CREATE INDEX temp.fw_flooded_by_ip ON fw_flooded(ip, vantage_id);

-- Connections that arrived at the server's own capture and got no answer there. The last seconds of
-- the capture prove nothing, nor do frames that were not meant for this host's MAC. later: the handshake's last ACK and
-- data arrived, and all that the server sent was its SYN-ACK.
CREATE TEMP TABLE fw_silent AS
SELECT x.vantage_id, v.host_id, x.flow_id, x.client_ip, x.server_ip, x.server_port, x.first_ns, x.last_ns,
	o.host_id IS NOT NULL AS owned, f.outcome = 'half_open' AS later,
	iif(f.outcome = 'half_open', x.packets_c2s - x.syn_c2s, x.syn_c2s) AS arrived
FROM flow f
CROSS JOIN flow_vantage x ON x.flow_id = f.id
JOIN vantage v ON v.id = x.vantage_id AND v.kind = 'nic' AND v.trust != 'unfit'
LEFT JOIN fw_ip o ON o.ip = x.server_ip
WHERE f.outcome IN ('unanswered', 'half_open') AND f.outcome NOT IN ('established', 'closed') -- in the index
	AND f.protocol = 'tcp' AND f.pairing != 'ambiguous' AND x.syn_c2s > 0 AND x.rst_s2c = 0
	AND CASE f.outcome WHEN 'unanswered' THEN x.syn_s2c = 0 AND x.packets_s2c = 0
		ELSE x.syn_s2c > 0 AND x.packets_s2c = x.syn_s2c AND x.bytes_c2s > 0 AND x.rst_c2s = 0
			AND x.last_ns - x.first_ns >= 1000000000 END
	AND x.first_ns < v.last_ns - 1500000000
	-- the server's own place: it owns the address; where nothing is known of this interface's addresses, and
	-- nobody owns that one, the last place of several, if something tells that it is behind another one
	AND (o.host_id = v.host_id OR (o.host_id IS NULL AND x.server_ip NOT IN (SELECT ip FROM fw_several)
		AND (x.vantage_id, x.server_ip) NOT IN (SELECT vantage_id, ip FROM fw_flooded)
		AND NOT EXISTS (SELECT 1 FROM host_address h WHERE h.host_id = v.host_id
			AND (h.source != 'inferred' OR v.mac IS NOT NULL))
		AND EXISTS (SELECT 1 FROM flow_vantage y JOIN vantage n ON n.id = y.vantage_id AND n.kind = 'nic'
			WHERE y.flow_id = x.flow_id AND y.position < x.position AND (y.ttl_c2s > x.ttl_c2s
				OR EXISTS (SELECT 1 FROM fw_ip c WHERE c.ip = y.client_ip AND c.host_id = n.host_id)
				OR 2 = (SELECT count(DISTINCT k.vantage_id) FROM clock k WHERE k.vantage_id IN (x.vantage_id, y.vantage_id))))
		AND NOT EXISTS (SELECT 1 FROM flow_vantage y JOIN vantage n ON n.id = y.vantage_id AND n.kind = 'nic'
			WHERE y.flow_id = x.flow_id AND y.position > x.position)
		-- what came in by one interface of this host and is seen at another one was forwarded
		AND NOT EXISTS (SELECT 1 FROM flow_vantage y JOIN vantage n ON n.id = y.vantage_id AND n.host_id = v.host_id
			WHERE y.flow_id = x.flow_id AND y.position < x.position)))
	-- of a host that owns both ends (two captures in one file) a SYN may have been seen where it was sent
	AND NOT EXISTS (SELECT 1 FROM fw_ip c WHERE c.ip = x.client_ip AND c.host_id = v.host_id)
	AND NOT EXISTS (SELECT 1 FROM capture_drop d WHERE d.vantage_id = v.id AND d.from_ns < x.last_ns + 1000000000
		AND d.to_ns > x.first_ns)
	AND NOT EXISTS (SELECT 1 FROM path p WHERE p.flow_id = x.flow_id AND p.direction = 'c2s'
		AND p.to_vantage_id = x.vantage_id AND p.misaddressed > 0)
	-- nor what a former holder of the address got by its neighbour's mistake
	AND NOT EXISTS (SELECT 1 FROM fw_misled m WHERE m.ip = x.server_ip
		AND m.first_ns <= ref_ns(x.vantage_id, x.last_ns) + 1000000000
		AND m.last_ns >= ref_ns(x.vantage_id, x.first_ns) - 1000000000)
	AND NOT EXISTS (SELECT 1 FROM fw_moved m WHERE m.ip = x.server_ip AND m.host_id = v.host_id
		AND m.from_ns <= ref_ns(x.vantage_id, x.last_ns))
	AND NOT EXISTS (SELECT 1 FROM told_drop k WHERE k.flow_id = x.flow_id AND k.host_id = v.host_id)
	AND x.flow_id NOT IN (SELECT flow_id FROM fw_logged)
	AND x.flow_id NOT IN (SELECT flow_id FROM fw_between)
	AND NOT EXISTS (SELECT 1 FROM fw_icmp i WHERE i.quoted_src_ip = x.client_ip AND i.quoted_dst_ip = x.server_ip);

-- A scan of many ports is one finding.
UPDATE fw_silent SET server_port = 0 WHERE (vantage_id, server_ip) IN (
	SELECT vantage_id, server_ip FROM fw_silent GROUP BY vantage_id, server_ip
	HAVING count(DISTINCT server_port) > (SELECT value FROM setting WHERE key = 'pairs_max'));
CREATE TEMP TABLE fw_quiet AS
SELECT 'unanswered ' || row_number() OVER (ORDER BY vantage_id, server_ip, server_port, later) AS key, vantage_id, host_id,
	server_ip, server_port, later, count(*) AS flows, count(DISTINCT client_ip) AS clients,
	min(client_ip) AS client_ip, min(owned) AS owned, sum(arrived) AS arrived, min(first_ns) AS first_ns,
	max(last_ns) AS last_ns
FROM fw_silent GROUP BY vantage_id, server_ip, server_port, later
HAVING sum(arrived) >= 2;

CREATE INDEX temp.fw_quiet_by_server ON fw_quiet(server_ip, server_port, vantage_id);
CREATE TEMP TABLE fw_total AS
SELECT q.key, sum(x.syn_c2s) AS syns
FROM (SELECT 1 FROM fw_quiet LIMIT 1) once CROSS JOIN flow_vantage x
CROSS JOIN fw_quiet q ON q.server_ip = x.server_ip AND q.server_port IN (x.server_port, 0) AND q.vantage_id = x.vantage_id
GROUP BY q.key;

-- Counters that grew in that time: from the last sample before it to the first one after.
CREATE TEMP TABLE fw_counter AS
SELECT q.key, n.name, max(n.value) - min(n.value) AS grew,
	CASE WHEN n.name LIKE '%IPReversePathFilter' THEN 1 WHEN n.name LIKE 'conntrack.%' THEN 2
		WHEN n.name LIKE '%Overflow%' OR n.name LIKE '%ReqQ%' THEN 3
		-- counts every SYN that a listener drops, whatever for
		WHEN n.name LIKE '%ListenDrops' THEN 4 ELSE 5 END AS rank
FROM fw_quiet q
JOIN vantage o ON o.host_id = q.host_id
JOIN nic_counter n ON n.vantage_id = o.id
WHERE n.name IN ('netstat.TcpExt.IPReversePathFilter', 'conntrack.dropped', 'conntrack.insert_failed',
		'netstat.TcpExt.PAWSPassive', 'netstat.TcpExt.PAWSActive', 'netstat.TcpExt.PAWSEstab',
		'netstat.TcpExt.ListenOverflows', 'netstat.TcpExt.ListenDrops', 'netstat.TcpExt.TCPReqQFullDrop',
		'snmp.Tcp.InCsumErrors', 'snmp.Tcp.InErrs', 'netstat.TcpExt.TCPBacklogDrop', 'netstat.TcpExt.PFMemallocDrop',
		'softnet.dropped')
	AND n.at_ns >= coalesce((SELECT max(b.at_ns) FROM nic_counter b WHERE b.vantage_id = n.vantage_id
		AND b.name = n.name AND b.at_ns <= q.first_ns), q.first_ns)
	AND n.at_ns <= coalesce((SELECT min(b.at_ns) FROM nic_counter b WHERE b.vantage_id = n.vantage_id
		AND b.name = n.name AND b.at_ns >= q.last_ns), q.last_ns)
GROUP BY q.key, n.name HAVING max(n.value) > min(n.value);
-- A rule that drops and whose counter moved by as much as was not answered: it names the port, or moved by just that much.
INSERT INTO fw_counter
SELECT key, name, grew, 1 FROM (
	SELECT q.key, q.arrived, q.server_port, substr(n.name, 18) AS name, max(n.value) - min(n.value) AS grew
	FROM fw_quiet q
	JOIN nic_counter n ON n.host_id = q.host_id AND n.name LIKE 'firewall.packets %'
		AND regexp('(: |[ "])(drop|reject|DROP|REJECT)([ "#]|$)', n.name)
		AND n.at_ns >= coalesce((SELECT max(b.at_ns) FROM nic_counter b WHERE b.host_id = n.host_id
			AND b.name = n.name AND b.at_ns <= q.first_ns), q.first_ns)
		AND n.at_ns <= coalesce((SELECT min(b.at_ns) FROM nic_counter b WHERE b.host_id = n.host_id
			AND b.name = n.name AND b.at_ns >= q.last_ns), q.last_ns)
	GROUP BY q.key, n.name)
WHERE grew = arrived OR (grew > arrived AND server_port > 0
	AND regexp('(^|[^0-9])' || server_port || '([^0-9]|$)', name));
INSERT INTO fw_counter
SELECT q.key, 'kernel: ' || min(k.message), count(*), 0
FROM fw_quiet q JOIN kernel_log k ON k.host_id = q.host_id
	AND k.at_ns BETWEEN q.first_ns - 10000000000 AND q.last_ns + 10000000000
	AND regexp('conntrack: table full|SYN flooding', k.message)
GROUP BY q.key;
-- The packets say so themselves: nearly all SYNs without an answer have a time stamp below that of the last answered one
-- from their address, those that got one do not, and chance does not do that.
CREATE TEMP TABLE fw_paws AS
SELECT q.key, sum(t.unanswered_below) AS below, sum(t.unanswered_below + t.unanswered_above) AS unanswered,
	sum(t.answered_below) AS answered_below, sum(t.answered_below + t.answered_above) AS answered,
	min(t.below_file_id) AS below_file_id, min(t.below_frame) AS below_frame, min(t.before_file_id) AS before_file_id,
	min(t.before_frame) AS before_frame
FROM fw_quiet q
JOIN syn_timestamp t ON t.vantage_id = q.vantage_id AND t.server_ip = q.server_ip AND t.server_port = q.server_port
WHERE NOT q.later
GROUP BY q.key
HAVING sum(t.unanswered_below) >= 3 AND 10 * sum(t.unanswered_below) >= 9 * max(q.flows, sum(t.unanswered_below + t.unanswered_above))
	AND 10 * sum(t.answered_below) <= sum(t.answered_below + t.answered_above)
	AND fisher(sum(t.unanswered_below), sum(t.unanswered_above), sum(t.answered_below), sum(t.answered_above))
		<= ln((SELECT value FROM setting WHERE key = 'pattern_max_chance'));
INSERT INTO fw_counter SELECT w.key, name, w.below, -1 FROM fw_paws w, (SELECT 'paws' AS name);
CREATE TEMP TABLE fw_reason AS
SELECT key, name, grew, rank FROM (
	SELECT *, row_number() OVER (PARTITION BY key ORDER BY rank, name) AS place FROM fw_counter)
WHERE place = 1;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key,
	CASE WHEN r.rank IN (1, 2) OR r.name LIKE '%conntrack%' THEN 'firewall-drop' ELSE 'host-drop' END,
	CASE WHEN f.arrived >= 3 THEN 'critical' ELSE 'warning' END,
	CASE WHEN NOT f.owned THEN 0.7 WHEN r.name IS NOT NULL THEN 0.9 ELSE 0.85 END,
	f.host_id, f.vantage_id, NULL, CASE f.clients WHEN 1 THEN f.client_ip END, f.server_ip,
	ref_ns(f.vantage_id, f.first_ns),
	ref_ns(f.vantage_id, f.last_ns),
	f.arrived, iif(f.later, NULL, (SELECT t.syns FROM fw_total t WHERE t.key = f.key)),
	f.arrived || iif(f.later, ' segments', ' SYNs') || ' of ' || f.flows || iif(f.flows = 1, ' connection', ' connections') || CASE f.clients WHEN 1 THEN ' from ' || f.client_ip
		ELSE ' from ' || f.clients || ' clients' END || iif(f.owned, ' arrived at ', ' reached ') || h.name || ' for '
		|| endpoint(f.server_ip, nullif(f.server_port, 0)) || iif(f.later, ' after its SYN-ACK and were never acknowledged',
			iif(f.owned, ' and got no answer from it', ' and got no answer there'))
		|| CASE WHEN r.name IS NULL AND NOT f.owned THEN ': dropped between its interface and the socket if it is that host, else behind it'
			WHEN r.name IS NULL THEN ': dropped between its interface and the socket'
			WHEN r.name = 'paws' THEN '; ' || (SELECT w.below || ' of ' || w.unanswered || ' carry a time stamp below that of the last '
					|| 'answered SYN from their address, ' || iif(w.answered_below = 0, 'none', w.answered_below) || ' of the '
					|| w.answered || ' answered ones does: the server holds them for old (PAWS); several clients behind one '
					|| 'address have clocks of their own' FROM fw_paws w WHERE w.key = f.key)
			WHEN r.rank = 0 THEN '; its ' || r.name
			ELSE '; ' || r.name || ' grew by ' || r.grew || ' in that time' END,
	CASE WHEN r.rank = 1 AND r.name NOT LIKE '%IPReversePathFilter' THEN 'on ' || h.name || ': the rule `' || r.name
			|| '` of its packet filter; allow this traffic if it is wanted'
		WHEN r.name LIKE '%IPReversePathFilter' THEN 'on ' || h.name || ': the way back to the client is another '
			|| 'interface; fix the route, or set net.ipv4.conf.*.rp_filter to 2'
		WHEN r.name LIKE '%conntrack%' THEN 'on ' || h.name || ': raise net.netfilter.nf_conntrack_max'
		WHEN r.name = 'paws' OR r.name LIKE '%PAWS%' THEN 'on ' || h.name || ': `nstat -az | grep PAWS`; set net.ipv4.tcp_tw_recycle to 0 '
			|| '(Linux before 4.12); elsewhere switch off the check of time stamps for each address, or let the translator rewrite them'
		WHEN r.rank IN (0, 3, 4) THEN 'on ' || h.name || ': the listen queue is full; see why the application does not '
			|| 'accept, raise its backlog and net.core.somaxconn'
		WHEN r.name LIKE '%Csum%' THEN 'on ' || h.name || ': frames arrive with wrong checksums; look at offloads and the way'
		ELSE 'on ' || h.name || ': `nft list ruleset`; `nstat -az | grep -Ei "drop|overflow|filter|paws|csum"`; a capture of netfilter '
			|| 'hooks (bothends-agent nft --print) tells more' END,
	json_patch('{}', json_object('flows', f.flows, 'broken', f.flows, 'port', nullif(f.server_port, 0),
		'clients', f.clients, 'reason', r.name, 'below', (SELECT w.below FROM fw_paws w WHERE w.key = f.key), 'counters', (SELECT json_group_object(name, grew) FROM (SELECT name, grew FROM fw_counter k
			WHERE k.key = f.key AND k.name != 'paws' ORDER BY name))))
FROM fw_quiet f
JOIN host h ON h.id = f.host_id
LEFT JOIN fw_reason r ON r.key = f.key
ORDER BY f.key;

-- The SYNs themselves where they have rows, else the flow.
CREATE TEMP TABLE fw_proof AS
SELECT q.key, s.flow_id, p.capture_file_id, p.frame, s.first_ns, s.arrived, s.later,
	row_number() OVER (PARTITION BY q.key, s.flow_id ORDER BY p.frame) AS n
FROM fw_quiet q
JOIN fw_silent s ON s.vantage_id = q.vantage_id AND s.server_ip = q.server_ip AND s.server_port = q.server_port
	AND s.later = q.later
LEFT JOIN packet p ON p.flow_id = s.flow_id AND p.direction = 'c2s' AND (p.tcp_flags & 2 != 0) != s.later
	AND p.capture_file_id IN (SELECT i.capture_file_id FROM capture_interface i WHERE i.vantage_id = q.vantage_id);
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, CASE WHEN frame IS NULL THEN arrived || iif(later, ' segments, none acknowledged',
		' SYNs, none answered')
	ELSE iif(later, 'arrives; never acknowledged', 'SYN arrives; not answered') END
FROM fw_proof WHERE n <= 4 ORDER BY key, first_ns, flow_id, n;
INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, before_file_id, before_frame, 'answered SYN from the same address, with a higher time stamp' FROM fw_paws
UNION ALL
SELECT key, below_file_id, below_frame, 'SYN after it with a lower time stamp: not answered' FROM fw_paws;
