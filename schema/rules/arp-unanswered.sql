-- A host asked for a neighbour's address again and again and got no answer
-- if: SELECT 1 FROM arp
-- Three requests in a row, each without a word of ARP from that address within a second: that is how
-- often Linux asks before it says "No route to host". Only a host's own requests are judged: the
-- answer to another's is not seen here. Probes and announcements want no answer (RFC 5227). Nor does anyone
-- answer for an address that its owner gave up: the MAC that had it has announced, or probed for, another one
-- since, and has not spoken under it again.
CREATE TEMP TABLE au_said AS
SELECT a.vantage_id, a.target_ip AS ip, a.at_ns, a.capture_file_id, a.frame, 1 AS asks
FROM arp a JOIN vantage v ON v.id = a.vantage_id
WHERE a.operation = 'request' AND a.sender_mac = v.mac AND a.target_ip IS NOT NULL
	AND a.target_ip IS NOT a.sender_ip AND v.kind = 'nic' AND v.trust != 'unfit'
	-- of the capture's last second a retry alone is counted: the one before it got no answer, or there were none
	AND (a.at_ns < v.last_ns - 1000000000 OR EXISTS (SELECT 1 FROM arp b WHERE b.target_ip = a.target_ip
		AND b.at_ns BETWEEN a.at_ns - 3000000000 AND a.at_ns - 500000000 AND b.vantage_id = a.vantage_id
		AND b.operation = 'request' AND b.sender_mac = v.mac))
UNION ALL
SELECT a.vantage_id, a.sender_ip, a.at_ns, a.capture_file_id, a.frame, 0
FROM arp a JOIN vantage v ON v.id = a.vantage_id
WHERE a.sender_ip IS NOT NULL AND a.sender_mac IS NOT v.mac;

-- The next word of that address, read backwards; then runs of requests without one.
CREATE TEMP TABLE au_request AS
SELECT *, sum(answered) OVER (PARTITION BY vantage_id, ip ORDER BY at_ns, frame) AS run
FROM (
	SELECT *, coalesce(heard_ns <= at_ns + 1000000000, 0) AS answered FROM (
		SELECT *, min(CASE WHEN NOT asks THEN at_ns END) OVER (PARTITION BY vantage_id, ip
			ORDER BY at_ns DESC, frame DESC) AS heard_ns
		FROM au_said)
	WHERE asks);

CREATE TEMP TABLE au_run AS
SELECT vantage_id, ip, run, count(*) AS requests, min(at_ns) AS from_ns, max(at_ns) AS to_ns
FROM au_request WHERE NOT answered
GROUP BY vantage_id, ip, run
HAVING count(*) >= (SELECT value FROM setting WHERE key = 'arp_min_unanswered');
-- The last word of each MAC under each address, and what it announced or probed for.
CREATE TEMP TABLE au_word AS
SELECT vantage_id, ip, mac, max(at_ns) AS at_ns FROM (
	SELECT a.vantage_id, a.sender_ip AS ip, a.sender_mac AS mac, a.at_ns FROM arp a
	WHERE a.sender_ip IN (SELECT ip FROM au_run)
	UNION ALL
	SELECT m.vantage_id, m.ip, m.mac, m.last_ns FROM mac_use m
	WHERE m.role = 'source' AND m.ip IN (SELECT ip FROM au_run))
GROUP BY vantage_id, ip, mac;
CREATE INDEX temp.au_word_by_ip ON au_word(vantage_id, ip);
CREATE TEMP TABLE au_claim AS
SELECT vantage_id, sender_mac AS mac, target_ip AS ip, min(at_ns) AS at_ns FROM arp
WHERE operation IN ('probe', 'announcement') AND EXISTS (SELECT 1 FROM au_run)
	AND target_ip NOT IN (SELECT ip FROM vrrp_vip)
GROUP BY vantage_id, sender_mac, target_ip;
CREATE INDEX temp.au_claim_by_mac ON au_claim(vantage_id, mac);
DELETE FROM au_run WHERE EXISTS (
	SELECT 1 FROM au_word w CROSS JOIN au_claim c ON c.vantage_id = w.vantage_id AND c.mac = w.mac
	WHERE w.vantage_id = au_run.vantage_id AND w.ip = au_run.ip AND c.ip != w.ip AND c.at_ns > w.at_ns
		AND c.at_ns < au_run.to_ns + 1000000000);

-- Known: an address of a captured host, or one that spoke at some time. What never spoke anywhere is
-- one notice for each host that asked, however many addresses it tried.
CREATE TEMP TABLE au_found AS
SELECT row_number() OVER (ORDER BY vantage_id, ip_key IS NULL, ip_key) AS key, *
FROM (
	SELECT r.vantage_id, CASE WHEN r.known THEN r.ip END AS ip_key, min(r.ip) AS ip,
		count(DISTINCT r.ip) AS addresses, r.known, max(r.owner_host) AS owner_host,
		sum(r.requests) AS requests, count(*) AS runs, min(r.from_ns) AS from_ns, max(r.to_ns) AS to_ns
	FROM (
		SELECT u.*, (SELECT min(h.host_id) FROM host_address h WHERE h.ip = u.ip AND h.host_id != v.host_id)
				AS owner_host,
			EXISTS (SELECT 1 FROM host_address h WHERE h.ip = u.ip AND h.host_id != v.host_id)
				OR EXISTS (SELECT 1 FROM arp s WHERE s.sender_ip = u.ip AND s.sender_mac IS NOT v.mac)
				OR EXISTS (SELECT 1 FROM mac_use m WHERE m.ip = u.ip AND m.role = 'source'
					AND m.ttl_max IN (64, 128, 255)) AS known
		FROM au_run u JOIN vantage v ON v.id = u.vantage_id) r
	GROUP BY r.vantage_id, CASE WHEN r.known THEN r.ip END);

-- Where the owner was captured: how many of the requests arrived there, and whether it answered.
CREATE TEMP TABLE au_there AS
SELECT f.key, o.id AS owner_vantage,
	coalesce(sum(a.operation = 'request' AND a.target_ip = f.ip AND a.sender_mac = v.mac), 0) AS arrived,
	coalesce(sum(a.operation = 'reply' AND a.sender_ip = f.ip AND a.target_mac = v.mac), 0) AS answered
FROM au_found f
JOIN vantage v ON v.id = f.vantage_id
JOIN vantage o ON o.host_id = f.owner_host AND o.kind = 'nic' AND o.trust != 'unfit'
LEFT JOIN arp a ON a.vantage_id = o.id AND (a.target_ip = f.ip OR a.sender_ip = f.ip)
	AND ref_ns(o.id, a.at_ns) BETWEEN ref_ns(v.id, f.from_ns) - 1000000000 AND ref_ns(v.id, f.to_ns) + 1000000000
-- its capture ran all that time
WHERE ref_ns(o.id, o.first_ns) <= ref_ns(v.id, f.from_ns) AND ref_ns(o.id, o.last_ns) >= ref_ns(v.id, f.to_ns)
GROUP BY f.key;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'arp-unanswered',
	CASE WHEN NOT f.known THEN 'notice' WHEN f.owner_host IS NOT NULL THEN 'critical' ELSE 'warning' END,
	CASE WHEN t.arrived IS NOT NULL THEN 0.99 ELSE 0.95 END,
	v.host_id, f.vantage_id, t.owner_vantage,
	(SELECT min(a.sender_ip) FROM arp a WHERE a.vantage_id = f.vantage_id AND a.sender_mac = v.mac
		AND a.target_ip = f.ip AND a.operation = 'request' AND a.at_ns >= f.from_ns AND a.at_ns <= f.to_ns),
	CASE f.addresses WHEN 1 THEN f.ip END,
	ref_ns(f.vantage_id, f.from_ns),
	ref_ns(f.vantage_id, f.to_ns),
	f.requests,
	(SELECT count(*) FROM au_request q WHERE q.vantage_id = f.vantage_id
		AND (f.ip_key IS NULL OR q.ip = f.ip_key)),
	h.name || ' sent ' || f.requests || iif(instr(f.ip, ':') > 0, ' neighbour solicitations for ', ' ARP requests for ')
		|| CASE f.addresses WHEN 1 THEN f.ip ELSE f.addresses || ' addresses' END || coalesce(' (' || oh.name || ')', '')
		|| iif(f.known AND t.arrived > 0 AND t.answered > 0, '', ' and got no answer')
		|| CASE WHEN NOT f.known THEN '; no host with such an address ever spoke'
			WHEN t.arrived IS NULL THEN ''
			WHEN t.arrived = 0 THEN ': none of them reached ' || oh.name
			WHEN t.answered = 0 THEN ': ' || iif(t.arrived = f.requests, 'all', t.arrived) || ' of them reached ' || oh.name
				|| ', which did not answer'
			ELSE '; ' || iif(t.answered = 1, 'the answer', 'all ' || t.answered || ' answers') || ' of ' || oh.name
				|| iif(t.answered = 1, ' was lost', ' were lost') END,
	CASE WHEN NOT f.known THEN 'check the address: it may be mistyped, or its host long gone'
		WHEN t.arrived = 0 THEN 'find where broadcasts from ' || h.name || ' to ' || oh.name
			|| ' get lost: the transmit side of ' || h.name || ', the switches between, the receive side of ' || oh.name
			|| ' (`ip -s -s link`, driver, interrupts)'
		WHEN t.answered = 0 THEN 'on ' || oh.name || ': check arp_ignore, the firewall for ARP, and its transmit side'
		WHEN t.answered > 0 THEN 'find where the answers from ' || oh.name || ' to ' || h.name || ' get lost: the receive side of '
			|| h.name || ' (`ip -s -s link`, driver, interrupts), then the switches between'
		ELSE 'see whether ' || coalesce(oh.name, f.ip) || ' is up and on this link' END,
	json_patch('{}', json_object('ip', CASE f.addresses WHEN 1 THEN f.ip END, 'addresses', f.addresses,
		'arrived', t.arrived, 'answered', t.answered,
		'windows', (SELECT json_group_array(json(w)) FROM (
			SELECT json_object('from_ns', ref_ns(r.vantage_id, r.from_ns), 'to_ns', ref_ns(r.vantage_id, r.to_ns) + 1000000000,
				'ip', r.ip, 'requests', r.requests) AS w
			FROM au_run r WHERE r.vantage_id = f.vantage_id AND (r.ip = f.ip_key OR (f.ip_key IS NULL
				AND NOT EXISTS (SELECT 1 FROM au_found k WHERE k.vantage_id = r.vantage_id AND k.ip_key = r.ip)))
			ORDER BY r.from_ns, r.ip LIMIT 200))))
FROM au_found f
JOIN vantage v ON v.id = f.vantage_id
JOIN host h ON h.id = v.host_id
LEFT JOIN host oh ON oh.id = f.owner_host
LEFT JOIN au_there t ON t.key = f.key
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, q.capture_file_id, q.frame, 'asks for ' || q.ip || '; no answer within a second'
FROM au_found f
JOIN au_run r ON r.vantage_id = f.vantage_id AND (r.ip = f.ip_key OR (f.ip_key IS NULL
	AND NOT EXISTS (SELECT 1 FROM au_found k WHERE k.vantage_id = r.vantage_id AND k.ip_key = r.ip)))
JOIN au_request q ON q.vantage_id = r.vantage_id AND q.ip = r.ip AND q.run = r.run AND NOT q.answered
ORDER BY f.key, q.at_ns, q.frame;
