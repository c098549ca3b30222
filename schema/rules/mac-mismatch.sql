-- Frames to a neighbour went to a MAC that is not its owner's; or took another way back (l2-asymmetric)
-- if: SELECT 1 FROM mac_use WHERE role = 'destination' AND outgoing = 1 AND binding_mac IS NOT mac UNION ALL SELECT 1 FROM arp WHERE instr(target_ip, ':')
--
-- A frame that leaves for an address on this link must carry the MAC that its owner speaks from.
-- Three witnesses tell that MAC: the owner's own capture or facts, ARP and neighbour discovery, and
-- the frames that arrive from the address. The newest claim at the sender's own vantage point wins
-- where the owner was not captured: an older one may be a former owner of the address.
-- In doubt nothing is said: peers that are not on the link, virtual and group MACs, routers, hosts
-- that answer for others (proxy ARP), bonds. Where the peer's answers prove that the frames arrive,
-- the odd MAC is a path and no fault, and is called l2-asymmetric. Only the owner's own answer is one: a place
-- that saw the frames (a tap, a gateway, the former holder of the address) is not where they should have arrived.

-- Who claims an address at which vantage point: frames from it, and ARP. A TTL that no router has
-- lowered, and any ARP, speak for a direct neighbour.
CREATE TEMP TABLE mm_claim AS
SELECT vantage_id, ip, mac, min(first_ns) AS first_ns, max(last_ns) AS last_ns, max(direct) AS direct,
	max(by_arp) AS by_arp, capture_file_id, frame
FROM (
	SELECT vantage_id, ip, mac, first_ns, last_ns, ttl_max IN (64, 128, 255) AS direct, 0 AS by_arp,
		first_file_id AS capture_file_id, first_frame AS frame
	FROM mac_use WHERE role = 'source' AND outgoing = 0
	UNION ALL
	SELECT a.vantage_id, a.sender_ip, a.sender_mac, min(a.at_ns), max(a.at_ns), 1, 1, a.capture_file_id,
		a.frame
	FROM arp a JOIN vantage v ON v.id = a.vantage_id
	WHERE a.sender_ip IS NOT NULL AND a.sender_mac IS NOT NULL AND a.operation != 'probe'
		AND a.sender_mac IS NOT v.mac
	GROUP BY a.vantage_id, a.sender_ip, a.sender_mac
)
GROUP BY vantage_id, ip, mac;

CREATE INDEX temp.mm_claim_by_ip ON mm_claim(vantage_id, ip);

-- What a host says of itself: its interfaces, and the frames that it sends from its own MAC.
CREATE TEMP TABLE mm_owner AS
SELECT ip, mac, host_id, max(vantage_id) AS vantage_id
FROM (
	SELECT m.ip, m.mac, v.host_id, v.id AS vantage_id
	FROM mac_use m JOIN vantage v ON v.id = m.vantage_id
	WHERE m.role = 'source' AND m.outgoing = 1 AND m.ttl_max IN (64, 128, 255)
	UNION ALL
	SELECT a.ip, a.mac, a.host_id, (SELECT min(v.id) FROM vantage v
		WHERE v.host_id = a.host_id AND v.kind = 'nic'
			AND (v.mac = a.mac OR v.interface = a.interface OR a.interface IS NULL))
	FROM host_address a
	WHERE a.ip IS NOT NULL AND a.mac IS NOT NULL AND a.source != 'option'
)
GROUP BY ip, mac, host_id;

-- MACs that speak for many: routers (a lowered TTL, or many addresses) and proxy ARP.
CREATE TEMP TABLE mm_many AS
SELECT vantage_id, mac FROM mm_claim
GROUP BY vantage_id, mac
HAVING count(DISTINCT ip) >= 4 OR sum(by_arp) >= 3 OR sum(direct = 0) > 0
UNION
SELECT vantage_id, mac FROM mac_use WHERE role = 'destination' AND outgoing = 1
GROUP BY vantage_id, mac HAVING count(DISTINCT ip) >= 4;

-- Neighbour discovery to one neighbour is IPv6 to it. The MAC is right when the address had spoken from it
-- and from no other since; an answer may follow at once.
CREATE TEMP TABLE mm_nd AS
SELECT a.vantage_id, a.target_ip AS ip, a.ethernet_dst AS mac, a.at_ns, a.capture_file_id, a.frame,
	EXISTS (SELECT 1 FROM mm_claim k WHERE k.vantage_id = a.vantage_id AND k.ip = a.target_ip
		AND k.mac = a.ethernet_dst AND k.first_ns <= a.at_ns + 1000000000
		AND NOT EXISTS (SELECT 1 FROM mm_claim o WHERE o.vantage_id = a.vantage_id AND o.ip = a.target_ip
			AND o.mac != k.mac AND o.first_ns BETWEEN k.first_ns AND a.at_ns)) AS is_right
FROM arp a JOIN vantage v ON v.id = a.vantage_id AND v.mac = a.ethernet_src
WHERE instr(a.target_ip, ':') AND a.operation IN ('request', 'reply')
	AND substr(a.ethernet_dst, 2, 1) NOT IN ('1', '3', '5', '7', '9', 'b', 'd', 'f');

-- Frames that left under a MAC from which the address did not speak at that time. binding_mac is the
-- one it had last spoken from; rows without it (it had not spoken yet) are judged by its first word, or the owner's.
CREATE TEMP TABLE mm_sent AS
SELECT m.vantage_id, v.host_id, m.ip, m.mac, sum(m.frames) AS frames, min(m.first_ns) AS first_ns,
	max(m.last_ns) AS last_ns, m.file_id AS first_file_id, m.frame AS first_frame,
	(SELECT coalesce(sum(t.frames), 0) FROM mac_use t WHERE t.ip = m.ip AND t.role = 'destination'
		AND t.vantage_id = m.vantage_id AND t.outgoing = 1)
	+ (SELECT count(*) FROM mm_nd d WHERE d.ip = m.ip AND d.vantage_id = m.vantage_id) AS total
FROM (
	SELECT *, first_value(first_file_id) OVER w AS file_id, first_value(first_frame) OVER w AS frame FROM (
		SELECT vantage_id, ip, mac, frames, first_ns, last_ns, first_file_id, first_frame FROM mac_use u
		WHERE role = 'destination' AND outgoing = 1 AND binding_mac IS NOT mac
			AND (binding_mac IS NOT NULL OR mac IS NOT (SELECT c.mac FROM mm_claim c
				WHERE c.vantage_id = u.vantage_id AND c.ip = u.ip ORDER BY c.first_ns LIMIT 1))
		UNION ALL
		SELECT vantage_id, ip, mac, 1, at_ns, at_ns, capture_file_id, frame FROM mm_nd WHERE NOT is_right)
	WINDOW w AS (PARTITION BY vantage_id, ip, mac ORDER BY first_ns)) m
JOIN vantage v ON v.id = m.vantage_id
WHERE v.kind = 'nic'
	AND substr(m.mac, 2, 1) NOT IN ('1', '3', '5', '7', '9', 'b', 'd', 'f')
	AND m.mac != '00:00:00:00:00:00' AND NOT mac_virtual(m.mac)
GROUP BY m.vantage_id, m.ip, m.mac;

-- With the MAC that is the owner's; owner_host where its own capture or facts say so.
CREATE TEMP TABLE mm_pair AS
SELECT s.*,
	coalesce(o.mac, c.mac) AS mac_real, o.host_id AS owner_host, o.vantage_id AS owner_vantage,
	c.mac AS mac_seen, c.by_arp, c.direct, c.capture_file_id AS claim_file, c.frame AS claim_frame,
	(SELECT max(ip_in(s.ip, a.ip || '/' || a.prefix)) FROM host_address a
		WHERE a.host_id = s.host_id AND a.prefix IS NOT NULL
			AND (instr(a.ip, ':') > 0) = (instr(s.ip, ':') > 0)) AS in_prefix,
	EXISTS (SELECT 1 FROM neighbor n WHERE n.ip = s.ip AND n.host_id = s.host_id) AS in_table
FROM mm_sent s
LEFT JOIN mm_claim c ON c.vantage_id = s.vantage_id AND c.ip = s.ip AND c.last_ns =
	(SELECT max(k.last_ns) FROM mm_claim k WHERE k.vantage_id = s.vantage_id AND k.ip = s.ip)
LEFT JOIN mm_owner o ON o.ip = s.ip AND o.host_id != s.host_id
	AND (c.mac IS NULL OR o.mac = c.mac OR NOT EXISTS (SELECT 1 FROM mm_owner p
		WHERE p.ip = s.ip AND p.mac = c.mac))
	AND 1 = (SELECT count(*) FROM mm_owner p WHERE p.ip = s.ip AND p.host_id != s.host_id
		AND (c.mac IS NULL OR p.mac = c.mac OR o.mac != c.mac))
GROUP BY s.vantage_id, s.ip, s.mac;

CREATE TEMP TABLE mm_used AS
SELECT DISTINCT vantage_id, mac, ip FROM mac_use WHERE role = 'destination' AND outgoing = 1;
CREATE INDEX temp.mm_used_by_mac ON mm_used(vantage_id, mac);

-- The exceptions, each a sentence.
DELETE FROM mm_pair WHERE mac_real IS NULL OR mac_real = mac OR mac_virtual(mac_real)
	-- arrives from another MAC than the owner's own: a router or a translator stands between
	OR mac_seen != mac_real
	-- the sender's own prefixes say that the peer is not on the link
	OR in_prefix = 0
	-- nothing says that it is on the link
	OR NOT (coalesce(in_prefix, 0) OR coalesce(by_arp, 0) OR in_table OR coalesce(direct, 0))
	-- only an unlowered TTL says so, but the MAC used serves other addresses as a gateway's does
	OR (NOT (coalesce(in_prefix, 0) OR coalesce(by_arp, 0) OR in_table) AND EXISTS (
		SELECT 1 FROM mm_used g WHERE g.vantage_id = mm_pair.vantage_id AND g.mac = mm_pair.mac
			AND g.ip != mm_pair.ip))
	-- a virtual router's address: vip-to-loser judges those
	OR EXISTS (SELECT 1 FROM vrrp_vip x WHERE x.ip = mm_pair.ip)
	-- routers and hosts that answer for others
	OR EXISTS (SELECT 1 FROM mm_many r WHERE r.vantage_id = mm_pair.vantage_id
		AND r.mac IN (mm_pair.mac, mm_pair.mac_real))
	-- one host with both MACs: a bond or a team
	OR EXISTS (SELECT 1 FROM host_address a JOIN host_address b ON b.host_id = a.host_id
		WHERE a.mac = mm_pair.mac AND b.mac = mm_pair.mac_real)
	-- a moment's frames while the address moved
	OR (frames < total AND last_ns - first_ns < 1000000000);

-- Flows of those addresses in the time in which the wrong MAC was used. The flows are read once.
CREATE INDEX temp.mm_pair_by_ip ON mm_pair(vantage_id, ip);
CREATE TEMP TABLE mm_flow AS
SELECT p.ip AS peer_ip, p.mac, fv.*
FROM (SELECT 1 FROM mm_pair LIMIT 1) once CROSS JOIN flow_vantage fv
CROSS JOIN mm_pair p ON p.vantage_id = fv.vantage_id AND p.ip = fv.client_ip
WHERE fv.first_ns <= p.last_ns AND fv.last_ns >= p.first_ns
UNION ALL
SELECT p.ip, p.mac, fv.*
FROM (SELECT 1 FROM mm_pair LIMIT 1) once CROSS JOIN flow_vantage fv
CROSS JOIN mm_pair p ON p.vantage_id = fv.vantage_id AND p.ip = fv.server_ip
WHERE fv.first_ns <= p.last_ns AND fv.last_ns >= p.first_ns AND fv.client_ip != fv.server_ip;
CREATE INDEX temp.mm_flow_by_pair ON mm_flow(vantage_id, peer_ip, mac);

-- Whether the peer answers what went to that MAC: then the frames arrive. Only flows count that lie
-- wholly in a time in which the sender used no other MAC for the address.
CREATE TEMP TABLE mm_answer AS
SELECT p.vantage_id, p.ip, p.mac, max(f.outcome = 'reset') AS reset
FROM mm_pair p
CROSS JOIN mm_flow fv ON fv.vantage_id = p.vantage_id AND fv.peer_ip = p.ip AND fv.mac = p.mac
JOIN flow f ON f.id = fv.flow_id
WHERE NOT EXISTS (SELECT 1 FROM mac_use d WHERE d.ip = p.ip AND d.role = 'destination'
		AND d.vantage_id = p.vantage_id AND d.outgoing = 1 AND d.mac != p.mac
		AND d.first_ns <= fv.last_ns AND d.last_ns >= fv.first_ns)
	AND (
		(f.protocol = 'tcp' AND f.outcome IN ('established', 'closed'))
		-- a reset in answer to our SYN-ACK, or to our SYN
		OR (f.protocol = 'tcp' AND p.ip = fv.client_ip AND fv.rst_c2s > 0 AND fv.syn_s2c > 0)
		OR (f.protocol = 'tcp' AND p.ip = fv.server_ip AND fv.syn_c2s > 0
			AND fv.rst_s2c + fv.syn_s2c > 0)
		OR (f.protocol != 'tcp' AND p.ip = fv.server_ip AND fv.packets_s2c > 0)
		-- its own capture shows them, on its own way in
		OR EXISTS (SELECT 1 FROM path d JOIN vantage o ON o.id = d.to_vantage_id AND o.host_id = p.owner_host
			WHERE d.flow_id = f.id AND d.delivered > 0 AND d.from_vantage_id = p.vantage_id
			AND d.direction = CASE WHEN p.ip = fv.server_ip THEN 'c2s' ELSE 's2c' END)
	)
GROUP BY p.vantage_id, p.ip, p.mac;

CREATE INDEX temp.mm_answer_by_ip ON mm_answer(vantage_id, ip, mac);

-- That MAC itself still speaks for the address: also a way that works, or two owners (arp-conflict).
INSERT INTO mm_answer
SELECT p.vantage_id, p.ip, p.mac, 0
FROM mm_pair p
JOIN mm_claim m ON m.vantage_id = p.vantage_id AND m.ip = p.ip AND m.mac = p.mac
JOIN mm_claim r ON r.vantage_id = p.vantage_id AND r.ip = p.ip AND r.mac = p.mac_real
WHERE m.last_ns >= r.first_ns
	AND NOT EXISTS (SELECT 1 FROM mm_answer a
		WHERE a.vantage_id = p.vantage_id AND a.ip = p.ip AND a.mac = p.mac);

CREATE TEMP TABLE mm_found AS
SELECT p.*, a.ip IS NOT NULL AS answered, a.reset,
	row_number() OVER (ORDER BY p.vantage_id, p.ip, p.mac) AS key,
	(SELECT max(n.rowid) FROM neighbor n WHERE n.ip = p.ip AND n.host_id = p.host_id AND n.mac = p.mac
		AND n.at_ns IS (SELECT max(l.at_ns) FROM neighbor l WHERE l.ip = p.ip
			AND l.host_id = p.host_id AND l.mac = p.mac)) AS snapshot,
	(SELECT count(*) FROM mm_flow fv JOIN flow f ON f.id = fv.flow_id
		WHERE fv.vantage_id = p.vantage_id AND fv.peer_ip = p.ip AND fv.mac = p.mac
			AND f.outcome IN ('unanswered', 'half_open')) AS dead_flows
FROM mm_pair p
LEFT JOIN mm_answer a ON a.vantage_id = p.vantage_id AND a.ip = p.ip AND a.mac = p.mac;

-- Others whose tables say the same wrong thing, and other wrong entries of the same host.
CREATE TEMP TABLE mm_risk AS
SELECT key, json_group_array(json(entry)) AS entries, count(*) AS n,
	group_concat(place, ', ') FILTER (WHERE rank <= 3) AS places
FROM (
SELECT f.key, json_object('host', h.name, 'ip', n.ip, 'mac', n.mac, 'state', n.state) AS entry,
	n.ip || ' on ' || h.name AS place,
	row_number() OVER (PARTITION BY f.key ORDER BY h.name, n.ip, n.state) AS rank
FROM mm_found f
JOIN (SELECT DISTINCT host_id, ip, mac, state FROM neighbor WHERE mac IS NOT NULL) n
	ON (n.ip = f.ip AND n.mac = f.mac AND n.host_id != f.host_id)
	OR (n.host_id = f.host_id AND n.ip != f.ip AND n.mac NOT IN (
		SELECT o.mac FROM mm_owner o WHERE o.ip = n.ip)
		AND EXISTS (SELECT 1 FROM mm_owner o WHERE o.ip = n.ip))
JOIN host h ON h.id = n.host_id
WHERE NOT f.answered
ORDER BY f.key, h.name, n.ip, n.state
)
GROUP BY key;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key,
	CASE WHEN f.answered THEN 'l2-asymmetric' ELSE 'mac-mismatch' END,
	CASE WHEN f.answered THEN 'notice' WHEN f.dead_flows > 0 OR f.frames = f.total THEN 'critical'
		ELSE 'warning' END,
	CASE WHEN f.owner_host IS NOT NULL AND f.mac_seen = f.mac_real THEN 1
		WHEN f.owner_host IS NOT NULL OR f.by_arp OR f.in_prefix OR f.in_table THEN 0.95
		ELSE 0.8 END,
	f.host_id, f.vantage_id, f.owner_vantage,
	(SELECT min(o.ip) FROM mm_owner o WHERE o.host_id = f.host_id
		AND (instr(o.ip, ':') > 0) = (instr(f.ip, ':') > 0)
		AND EXISTS (SELECT 1 FROM vantage v WHERE v.id = f.vantage_id AND v.mac = o.mac)),
	f.ip, ref_ns(f.vantage_id, f.first_ns),
	ref_ns(f.vantage_id, f.last_ns),
	f.frames, f.total,
	CASE WHEN f.answered THEN
		h.name || ' sends frames for ' || f.ip || ' to MAC ' || f.mac || ', but ' || f.ip || ' sends from ' || f.mac_real
			|| CASE WHEN f.reset THEN '; it answers with a reset' ELSE '; it answers, so the frames '
			|| 'arrive: only the way back is another' END
	ELSE
		h.name || ' sends frames for ' || f.ip || ' to MAC ' || f.mac || ', but ' || f.ip || ' has MAC ' || f.mac_real
			|| coalesce(' (its neighbour entry is ' || n.state
			|| coalesce(', unconfirmed for ' || span(n.confirmed_s * 1000000000), '') || ')', '')
			|| coalesce('; as wrong, and at risk: ' || r.places || CASE WHEN r.n > 3 THEN ' and ' || (r.n - 3) || ' more'
				ELSE '' END, '')
	END,
	CASE WHEN f.answered THEN
		'find out why ' || h.name || ' sends the other way: a bridge that skips address translation, '
			|| 'a bond, or two routers'
	ELSE 'on ' || h.name || ': `ip neigh del ' || f.ip || ' dev '
		|| coalesce(n.interface, nullif(v.interface, 'any'), 'INTERFACE') || '`' END,
	json_patch('{}', json_object(
		'ip', f.ip, 'mac_used', f.mac, 'mac_real', f.mac_real,
		'proof', CASE WHEN f.owner_host IS NOT NULL THEN 'its own interface' WHEN f.by_arp THEN 'ARP'
			ELSE 'its frames' END,
		'state', n.state, 'confirmed_s', n.confirmed_s, 'used_s', n.used_s, 'updated_s', n.updated_s,
		'flows', f.dead_flows,
		'at_risk', json(r.entries)))
FROM mm_found f
JOIN host h ON h.id = f.host_id
JOIN vantage v ON v.id = f.vantage_id
LEFT JOIN neighbor n ON n.rowid = f.snapshot
LEFT JOIN mm_risk r ON r.key = f.key
ORDER BY f.key;

-- Proof: the frames under the wrong MAC, then where the owner speaks from its own.
INSERT INTO new_evidence (key, capture_file_id, frame, flow_id, note)
SELECT key, capture_file_id, frame, flow_id, note FROM (
	SELECT f.key, p.capture_file_id, p.frame, p.flow_id,
		'sent to ' || p.dst_mac || CASE WHEN p.info IS NULL THEN '' ELSE ': ' || p.info END AS note,
		row_number() OVER (PARTITION BY f.key ORDER BY p.capture_file_id, p.frame) AS place
	FROM (SELECT 1 WHERE EXISTS (SELECT 1 FROM mm_found)) once
	CROSS JOIN packet p
	CROSS JOIN mm_found f ON f.ip = p.dst_ip AND f.mac = p.dst_mac
	JOIN (SELECT DISTINCT capture_file_id, vantage_id FROM capture_interface) i
		ON i.capture_file_id = p.capture_file_id AND i.vantage_id = f.vantage_id
)
WHERE place <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, place;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, f.first_file_id, f.first_frame, 'the first sent to ' || f.mac
FROM mm_found f
WHERE NOT EXISTS (SELECT 1 FROM new_evidence e WHERE e.key = f.key
	AND e.capture_file_id = f.first_file_id AND e.frame = f.first_frame)
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT f.key, f.claim_file, f.claim_frame, f.ip || ' speaks from ' || f.mac_real
FROM mm_found f WHERE f.claim_file IS NOT NULL AND f.mac_seen = f.mac_real
UNION ALL
SELECT f.key, m.first_file_id, min(m.first_frame), f.ip || ' sends from its own interface '
	|| f.mac_real
FROM mm_found f JOIN mac_use m ON m.ip = f.ip AND m.role = 'source' AND m.vantage_id = f.owner_vantage
	AND m.mac = f.mac_real AND m.outgoing = 1
GROUP BY f.key
ORDER BY 1;
