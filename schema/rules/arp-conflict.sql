-- Two MACs claim one address
-- if: SELECT 1 FROM arp
-- Two answers from different MACs within a second, or claims that go back and forth without an
-- announcement. A single change is a change of owner; changes that are announced are takeovers. Left
-- out: addresses of virtual routers and virtual MACs, MACs of one host (bond), MACs that answer for
-- many (proxy ARP, routers), and pairs whose connections go on undisturbed (a bond nobody told of).
CREATE TEMP TABLE ac_many AS
SELECT vantage_id, sender_mac AS mac FROM arp
WHERE sender_ip IS NOT NULL AND operation != 'probe'
GROUP BY vantage_id, sender_mac HAVING count(DISTINCT sender_ip) >= 3;

CREATE TEMP TABLE ac_claim AS
SELECT a.vantage_id, a.sender_ip AS ip, a.sender_mac AS mac, a.operation, a.at_ns, a.capture_file_id, a.frame,
	lag(a.sender_mac) OVER w AS mac_before, lag(a.at_ns) OVER w AS before_ns,
	lag(a.operation) OVER w AS operation_before,
	lag(a.capture_file_id) OVER w AS before_file_id, lag(a.frame) OVER w AS before_frame
FROM arp a
WHERE a.sender_ip IS NOT NULL AND a.sender_mac IS NOT NULL AND a.operation != 'probe'
	AND NOT mac_virtual(a.sender_mac) AND a.sender_ip NOT IN (SELECT ip FROM vrrp_vip)
	AND (a.vantage_id, a.sender_mac) NOT IN (SELECT vantage_id, mac FROM ac_many)
WINDOW w AS (PARTITION BY a.vantage_id, a.sender_ip ORDER BY a.at_ns, a.frame);

-- Changes of the MAC that nobody announced.
CREATE TEMP TABLE ac_flip AS
SELECT c.*, c.operation = 'reply' AND c.operation_before = 'reply' AND c.at_ns - c.before_ns <= 1000000000
	AS double_answer
FROM ac_claim c
WHERE c.mac != c.mac_before AND c.operation != 'announcement'
	AND NOT EXISTS (SELECT 1 FROM arp g WHERE g.sender_ip = c.ip AND g.vantage_id = c.vantage_id
		AND g.operation = 'announcement' AND g.sender_mac = c.mac
		AND g.at_ns BETWEEN c.before_ns AND c.at_ns + 1000000000);

CREATE TEMP TABLE ac_pair AS
SELECT vantage_id, ip, min(mac, mac_before) AS low_mac, max(mac, mac_before) AS high_mac, count(*) AS flips,
	sum(double_answer) AS double_answers, min(before_ns) AS from_ns, max(at_ns) AS to_ns
FROM ac_flip GROUP BY vantage_id, ip, low_mac, high_mac
HAVING sum(double_answer) > 0 OR (count(*) >= 2 AND count(DISTINCT mac) = 2);
DELETE FROM ac_pair WHERE EXISTS (SELECT 1 FROM host_address a JOIN host_address b ON b.host_id = a.host_id
	WHERE a.mac = ac_pair.low_mac AND b.mac = ac_pair.high_mac);

-- Two interfaces of one host that answer for each other.
DELETE FROM ac_pair WHERE json_array(low_mac, high_mac) IN (
	SELECT json_extract(detail, '$.macs') FROM finding WHERE kind = 'arp-flux');

-- Connections of that address while both claimed it, at the same place.
CREATE TEMP TABLE ac_flows AS
SELECT p.vantage_id, p.ip, p.low_mac, p.high_mac,
	sum(f.outcome IN ('established', 'closed') AND fv.rst_c2s + fv.rst_s2c = 0) AS healthy,
	sum(f.outcome IN ('reset', 'half_open', 'unanswered', 'refused') OR fv.rst_c2s + fv.rst_s2c > 0) AS broken
FROM (SELECT 1 FROM ac_pair LIMIT 1) once
CROSS JOIN flow_vantage fv
CROSS JOIN ac_pair p ON p.vantage_id = fv.vantage_id AND p.ip IN (fv.client_ip, fv.server_ip)
	AND fv.first_ns <= p.to_ns AND fv.last_ns >= p.from_ns
JOIN flow f ON f.id = fv.flow_id AND f.protocol = 'tcp'
GROUP BY p.vantage_id, p.ip, p.low_mac, p.high_mac;
DELETE FROM ac_pair WHERE EXISTS (SELECT 1 FROM ac_flows f WHERE f.vantage_id = ac_pair.vantage_id
	AND f.ip = ac_pair.ip AND f.low_mac = ac_pair.low_mac AND f.high_mac = ac_pair.high_mac
	AND f.healthy > 0 AND f.broken = 0);

-- The same conflict seen at several places is one finding: where it shows most.
CREATE TEMP TABLE ac_found AS
SELECT row_number() OVER (ORDER BY ip, low_mac, high_mac) AS key, *
FROM (SELECT p.*, row_number() OVER (PARTITION BY ip, low_mac, high_mac ORDER BY flips DESC, vantage_id) AS place
	FROM ac_pair p)
WHERE place = 1;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'arp-conflict', CASE WHEN coalesce(w.broken, 0) > 0 THEN 'critical' ELSE 'warning' END,
	CASE WHEN f.double_answers > 0 AND w.broken > 0 THEN 0.98 WHEN f.double_answers > 0 THEN 0.9 ELSE 0.8 END,
	v.host_id, f.vantage_id, NULL, NULL, f.ip,
	ref_ns(f.vantage_id, f.from_ns),
	ref_ns(f.vantage_id, f.to_ns),
	f.flips, NULL,
	f.low_mac || coalesce(' (' || lh.name || ')', '') || ' and ' || f.high_mac || coalesce(' (' || hh.name || ')', '')
		|| ' both claim ' || f.ip || ', seen at ' || v.name
		|| CASE WHEN f.double_answers > 0 THEN ': ' || f.double_answers || iif(f.double_answers = 1, ' request', ' requests') || ' got two answers' ELSE '' END,
	'find the second host with ' || f.ip || ' (bridge fdb, switch tables) and give it another address',
	json_object('ip', f.ip, 'macs', json_array(f.low_mac, f.high_mac), 'double_answers', f.double_answers,
		'flows', coalesce(w.broken, 0))
FROM ac_found f
JOIN vantage v ON v.id = f.vantage_id
LEFT JOIN ac_flows w ON w.vantage_id = f.vantage_id AND w.ip = f.ip AND w.low_mac = f.low_mac
	AND w.high_mac = f.high_mac
LEFT JOIN host lh ON lh.id = (SELECT min(a.host_id) FROM host_address a WHERE a.mac = f.low_mac)
LEFT JOIN host hh ON hh.id = (SELECT min(a.host_id) FROM host_address a WHERE a.mac = f.high_mac)
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, file_id, frame, note FROM (
	SELECT f.key, x.at_ns, 1 AS part, x.before_file_id AS file_id, x.before_frame AS frame,
		x.ip || ' is at ' || x.mac_before || ' (' || x.operation_before || ')' AS note
	FROM ac_found f JOIN ac_flip x ON x.vantage_id = f.vantage_id AND x.ip = f.ip
		AND min(x.mac, x.mac_before) = f.low_mac AND max(x.mac, x.mac_before) = f.high_mac
	UNION ALL
	SELECT f.key, x.at_ns, 2, x.capture_file_id, x.frame,
		x.ip || ' is at ' || x.mac || ' (' || x.operation || ')'
	FROM ac_found f JOIN ac_flip x ON x.vantage_id = f.vantage_id AND x.ip = f.ip
		AND min(x.mac, x.mac_before) = f.low_mac AND max(x.mac, x.mac_before) = f.high_mac)
GROUP BY key, file_id, frame
ORDER BY key, at_ns, part;
