-- Interfaces of one host answer for each other's address
-- if: SELECT 1 FROM arp WHERE operation = 'reply'
-- A request is answered from two MACs within a second, and both are one host's: its captures or facts say so, or the same
-- two MACs answer so for two addresses. A bond that spreads its clients over its members answers each request once;
-- two machines with one address (arp-conflict) share that one address.
CREATE TEMP TABLE af_mac AS
SELECT mac, CAST(min(host_id) AS INTEGER) AS host_id FROM (
	SELECT host_id, mac FROM host_address WHERE mac IS NOT NULL
	UNION SELECT host_id, mac FROM vantage WHERE mac IS NOT NULL
	UNION SELECT host_id, mac FROM identity_claim WHERE mac IS NOT NULL AND ruling = 'own')
WHERE NOT mac_virtual(mac)
GROUP BY mac HAVING count(DISTINCT host_id) = 1;

-- An answer, and the next one to the same asker about the same address from another MAC. The two may have been seen at
-- two interfaces.
CREATE TEMP TABLE af_reply AS
SELECT a.vantage_id, ref_ns(a.vantage_id, a.at_ns) AS at_ns, a.sender_ip AS ip, a.sender_mac AS mac, a.target_ip AS asker,
	a.capture_file_id, a.frame, v.host_id AS seen_by
FROM arp a JOIN vantage v ON v.id = a.vantage_id
WHERE a.operation = 'reply' AND a.sender_mac IS NOT NULL AND a.sender_ip IS NOT NULL AND a.target_ip IS NOT NULL
	AND NOT mac_virtual(a.sender_mac) AND a.sender_ip NOT IN (SELECT ip FROM vrrp_vip);
CREATE INDEX temp.af_reply_by_ip ON af_reply(ip, asker, at_ns);
CREATE TEMP TABLE af_double AS
SELECT a.ip, a.asker, min(a.mac, b.mac) AS low_mac, max(a.mac, b.mac) AS high_mac, a.at_ns, a.capture_file_id AS first_file_id,
	a.frame AS first_frame, a.mac AS first_mac, b.capture_file_id AS second_file_id, b.frame AS second_frame, b.mac AS second_mac,
	a.vantage_id
FROM af_reply a
JOIN af_reply b ON b.ip = a.ip AND b.asker = a.asker AND b.mac != a.mac AND b.at_ns BETWEEN a.at_ns AND a.at_ns + 1000000000
	-- one place, or places of one host: their clock is one
	AND b.seen_by = a.seen_by AND (b.at_ns > a.at_ns OR b.frame > a.frame OR b.vantage_id > a.vantage_id);

-- Whose they are where nothing else says so: the one host of which one place shows the answers of one, another place those
-- of the other, and none both.
CREATE TEMP TABLE af_place AS
SELECT seen_by AS host_id, vantage_id, min(mac) AS mac FROM af_reply GROUP BY seen_by, vantage_id HAVING min(mac) = max(mac);
CREATE TEMP TABLE af_pair AS
SELECT d.low_mac || ' ' || d.high_mac AS key, d.low_mac, d.high_mac, count(DISTINCT d.ip) AS ips, count(DISTINCT d.asker || ' ' || d.ip || ' ' || (d.at_ns / 1000000000)) AS doubled,
	min(d.at_ns) AS first_ns, max(d.at_ns) AS last_ns, min(d.vantage_id) AS vantage_id,
	coalesce(l.host_id, (SELECT min(a.host_id) FROM af_place a JOIN af_place b ON b.host_id = a.host_id
		WHERE a.mac = d.low_mac AND b.mac = d.high_mac HAVING count(DISTINCT a.host_id) = 1)) AS host_id, l.host_id IS NOT NULL AS known,
	(SELECT group_concat(ip, ', ') FROM (SELECT DISTINCT ip FROM af_double o WHERE o.low_mac = d.low_mac AND o.high_mac = d.high_mac
		ORDER BY ip LIMIT 5)) AS list,
	(SELECT json_group_array(ip) FROM (SELECT DISTINCT ip FROM af_double o WHERE o.low_mac = d.low_mac AND o.high_mac = d.high_mac
		ORDER BY ip LIMIT 100)) AS addresses
FROM af_double d
LEFT JOIN af_mac l ON l.mac = d.low_mac
LEFT JOIN af_mac h ON h.mac = d.high_mac
GROUP BY d.low_mac, d.high_mac
HAVING l.host_id = h.host_id
	-- two machines known to be different are none, and of unknown ones it takes two addresses
	OR ((l.host_id IS NULL OR h.host_id IS NULL) AND count(DISTINCT d.ip) >= 2);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'arp-flux', 'warning', CASE WHEN f.known THEN 0.97 WHEN f.host_id IS NOT NULL THEN 0.9 ELSE 0.8 END, f.host_id, f.vantage_id, NULL, NULL,
	iif(f.ips = 1, f.list, NULL), f.first_ns, f.last_ns, f.doubled, NULL,
	coalesce('two interfaces of ' || h.name, 'two interfaces of one host') || ' (' || f.low_mac || ', ' || f.high_mac
		|| ') both answer ARP for ' || f.list || iif(f.ips > 5, ' and ' || (f.ips - 5) || ' more', '')
		|| ': which one its neighbours send to is chance',
	'on ' || coalesce(h.name, 'that host') || ': `sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2`, so that each '
		|| 'interface answers for its own addresses only; or put the interfaces into separate subnets, or a bond',
	json_object('macs', json_array(f.low_mac, f.high_mac), 'ips', f.ips, 'ip', iif(f.ips = 1, f.list, NULL), 'addresses', json(f.addresses), 'double_answers', f.doubled)
FROM af_pair f LEFT JOIN host h ON h.id = f.host_id
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, file_id, frame, note FROM (
	SELECT key, file_id, frame, note, row_number() OVER (PARTITION BY key ORDER BY at_ns, part, frame) AS n FROM (
		SELECT p.key, d.at_ns, 1 AS part, d.first_file_id AS file_id, d.first_frame AS frame,
			d.ip || ' is at ' || d.first_mac || ' (answer to ' || d.asker || ')' AS note
		FROM af_pair p JOIN af_double d ON d.low_mac = p.low_mac AND d.high_mac = p.high_mac
		UNION
		SELECT p.key, d.at_ns, 2, d.second_file_id, d.second_frame,
			d.ip || ' is at ' || d.second_mac || ' (answer to ' || d.asker || ', the second)'
		FROM af_pair p JOIN af_double d ON d.low_mac = p.low_mac AND d.high_mac = p.high_mac))
WHERE n <= 20 ORDER BY key, n;
