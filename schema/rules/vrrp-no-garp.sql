-- A router became master and announced no address: neighbours and switches keep the old way
-- if: SELECT 1 FROM vrrp_advert
-- Expected: a gratuitous ARP (IPv6: an unsolicited advertisement) for each address within a second
-- and a half. Judged at the new master's own place, which shows ARP at other times; or at a place
-- that heard both its adverts and announcements of others.
CREATE TEMP TABLE vn_place AS
SELECT vantage_id, max(operation = 'announcement') AS announcements FROM arp GROUP BY vantage_id;

CREATE TEMP TABLE vn_missing AS
SELECT t.id, t.vrid, t.family, t.segment, t.src_ip, t.host_id, t.vantage_id, t.own, t.from_ns, t.began,
	t.capture_file_id, t.frame, x.value AS ip
FROM vrrp_term t
JOIN vn_place p ON p.vantage_id = t.vantage_id AND (t.own OR p.announcements)
JOIN vrrp_source o ON o.vrid = t.vrid AND o.family = t.family AND o.src_ip = t.src_ip
JOIN json_each('["' || replace(o.addresses, ',', '","') || '"]') x
JOIN vantage v ON v.id = t.vantage_id
WHERE t.began != 'first' AND x.value != ''
	-- the capture goes on long enough to tell, and the master lasts
	AND ref_ns(v.id, v.last_ns) > t.from_ns + 2000000000 AND t.to_ns > t.from_ns
	AND NOT EXISTS (SELECT 1 FROM arp a WHERE a.sender_ip = x.value AND a.operation = 'announcement'
		AND a.vantage_id = t.vantage_id
		AND ref_ns(a.vantage_id, a.at_ns) BETWEEN t.from_ns - 200000000 AND t.from_ns + 1500000000)
GROUP BY t.id, x.value;

-- A master that went on sending while another took over and announced itself must announce again: the
-- last announcement before the other gave way (and a second and a half after) must be its own.
INSERT INTO vn_missing
SELECT m.id, m.vrid, m.family, m.segment, m.src_ip, m.host_id, m.vantage_id, m.own, t.to_ns, 'return',
	m.capture_file_id, m.frame, x.value
FROM vrrp_term t
JOIN vrrp_term m ON m.vrid = t.vrid AND m.family = t.family AND m.segment = t.segment AND m.src_ip != t.src_ip
	AND m.from_ns < t.from_ns AND m.to_ns > t.to_ns + 2000000000 AND m.own
JOIN vrrp_source o ON o.vrid = m.vrid AND o.family = m.family AND o.src_ip = m.src_ip
JOIN json_each('["' || replace(o.addresses, ',', '","') || '"]') x
WHERE t.began IN ('unheard', 'early', 'failure') AND x.value != ''
	AND (SELECT a.sender_mac FROM arp a WHERE a.sender_ip = x.value AND a.operation = 'announcement'
			AND a.vantage_id = m.vantage_id
			AND ref_ns(a.vantage_id, a.at_ns) BETWEEN t.from_ns - 200000000 AND t.to_ns + 1500000000
		ORDER BY a.at_ns DESC, a.frame DESC LIMIT 1) != o.mac;

CREATE TEMP TABLE vn_found AS
SELECT row_number() OVER (ORDER BY vrid, segment, src_ip) AS key, vrid, family, segment, src_ip,
	host_id, vantage_id, own, count(DISTINCT from_ns) AS takeovers,
	count(DISTINCT ip) AS addresses, min(ip) AS ip, min(from_ns) AS from_ns, max(from_ns) AS to_ns
FROM vn_missing GROUP BY vrid, family, segment, src_ip;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'vrrp-no-garp', 'warning', CASE WHEN f.own THEN 0.95 ELSE 0.7 END, f.host_id,
	f.vantage_id, NULL, f.src_ip, CASE f.addresses WHEN 1 THEN f.ip END, f.from_ns, f.to_ns, f.takeovers,
	NULL,
	coalesce(h.name || ' (' || f.src_ip || ')', f.src_ip) || ' became, or stayed, master of VRID ' || f.vrid || ' '
		|| CASE f.takeovers WHEN 1 THEN 'once' ELSE f.takeovers || ' times' END || ' without announcing '
		|| CASE f.addresses WHEN 1 THEN f.ip ELSE f.addresses || ' addresses' END
		|| ': others go on sending to the router before',
	'keepalived: vrrp_garp_master_refresh, and vrrp_garp_lower_prio_repeat above 0',
	json_object('vrid', f.vrid, 'router', f.src_ip, 'windows', (SELECT json_group_array(json(w)) FROM (
		SELECT DISTINCT json_object('from_ns', m.from_ns, 'to_ns', m.from_ns + 1500000000, 'began', m.began) AS w
		FROM vn_missing m WHERE m.vrid = f.vrid AND m.family = f.family AND m.src_ip = f.src_ip
		ORDER BY m.from_ns LIMIT 200)))
FROM vn_found f LEFT JOIN host h ON h.id = f.host_id ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT DISTINCT f.key, m.capture_file_id, m.frame, CASE m.began WHEN 'return' THEN 'its first advert; the other''s announcement was the last'
		ELSE 'its first advert as master; no announcement follows' END
FROM vn_found f JOIN vn_missing m ON m.vrid = f.vrid AND m.family = f.family AND m.src_ip = f.src_ip
ORDER BY f.key, m.from_ns;
