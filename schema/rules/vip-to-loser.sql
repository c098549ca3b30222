-- Frames to a virtual address still go to the router that lost it (a mac-mismatch)
-- if: SELECT 1 FROM vrrp_advert
-- Only where the routers speak from MACs of their own: a virtual MAC moves with the address. The
-- MAC used is that of one router while another is the only master, for more than a second.
CREATE TEMP TABLE vl_address AS
SELECT DISTINCT s.vrid, s.family, g.segment, x.value AS ip
FROM (SELECT DISTINCT vrid, family, src_ip, addresses FROM vrrp_seen) s
JOIN vrrp_segment g ON g.vrid = s.vrid AND g.family = s.family AND g.src_ip = s.src_ip
JOIN json_each('["' || replace(s.addresses, ',', '","') || '"]') x
WHERE x.value != '';

CREATE TEMP TABLE vl_mac AS
SELECT vrid, family, src_ip, src_mac AS mac FROM vrrp_seen
WHERE src_mac IS NOT NULL AND NOT mac_virtual(src_mac) GROUP BY vrid, family, src_ip, src_mac;

CREATE TEMP TABLE vl_found AS
SELECT row_number() OVER (ORDER BY m.vantage_id, m.ip, m.mac) AS key,
	m.vantage_id, v.host_id, m.ip, m.mac, a.vrid, l.src_ip AS loser, w.src_ip AS winner, wm.mac AS mac_real,
	max(m.last_ns) AS last_ns, m.first_file_id, m.first_frame, w.from_ns,
	-- exact where the sender heard the announcement, or where it began after the change
	sum(CASE WHEN m.binding_mac = wm.mac OR ref_ns(m.vantage_id, m.first_ns) > w.from_ns THEN m.frames END) AS frames,
	max(ref_ns(m.vantage_id, m.last_ns)) AS to_ns, w.host_id AS winner_host,
	CASE WHEN w.own THEN w.vantage_id END AS winner_place
FROM mac_use m
JOIN vantage v ON v.id = m.vantage_id AND v.kind = 'nic'
JOIN vl_address a ON a.ip = m.ip
JOIN vl_mac l ON l.vrid = a.vrid AND l.family = a.family AND l.mac = m.mac
JOIN vrrp_segment g ON g.vrid = a.vrid AND g.family = a.family AND g.src_ip = l.src_ip AND g.segment = a.segment
JOIN vrrp_term w ON w.vrid = a.vrid AND w.family = a.family AND w.segment = a.segment AND w.src_ip != l.src_ip
	AND w.began != 'first' AND ref_ns(m.vantage_id, m.last_ns) > w.from_ns + 1000000000
	AND ref_ns(m.vantage_id, m.last_ns) <= w.to_ns + w.interval_ns
JOIN vl_mac wm ON wm.vrid = w.vrid AND wm.family = w.family AND wm.src_ip = w.src_ip AND wm.mac != m.mac
WHERE m.role = 'destination' AND m.outgoing = 1
	-- it has lost it: no term of its own at that time
	AND NOT EXISTS (SELECT 1 FROM vrrp_term t WHERE t.vrid = w.vrid AND t.family = w.family
		AND t.src_ip = l.src_ip AND t.from_ns <= ref_ns(m.vantage_id, m.last_ns)
		AND t.to_ns + t.interval_ns >= ref_ns(m.vantage_id, m.last_ns))
GROUP BY m.vantage_id, m.ip, m.mac;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'mac-mismatch', 'critical', 0.9, f.host_id, f.vantage_id, f.winner_place, NULL, f.ip,
	f.from_ns, f.to_ns, f.frames,
	(SELECT sum(t.frames) FROM mac_use t WHERE t.ip = f.ip AND t.role = 'destination'
		AND t.vantage_id = f.vantage_id AND t.outgoing = 1),
	h.name || ' still sends frames for ' || f.ip || ' to MAC ' || f.mac || ' (' || f.loser || '), '
		|| span(f.to_ns - f.from_ns) || ' after ' || f.winner || ' at ' || f.mac_real || ' took it over',
	'on ' || h.name || ': `ip neigh del ' || f.ip || ' dev '
		|| coalesce(nullif(v.interface, 'any'), 'INTERFACE') || '`',
	json_object('ip', f.ip, 'mac_used', f.mac, 'mac_real', f.mac_real, 'vrid', f.vrid, 'router', f.winner,
		'loser', f.loser, 'proof', 'VRRP')
FROM vl_found f JOIN host h ON h.id = f.host_id JOIN vantage v ON v.id = f.vantage_id ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, f.first_file_id, f.first_frame, 'the first sent to ' || f.mac
FROM vl_found f ORDER BY f.key;
INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, t.capture_file_id, t.frame, f.winner || ' becomes master'
FROM vl_found f JOIN vrrp_term t ON t.vrid = f.vrid AND t.src_ip = f.winner AND t.from_ns = f.from_ns
ORDER BY f.key;
