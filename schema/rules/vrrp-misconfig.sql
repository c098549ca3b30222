-- Routers of one virtual address disagree: version, interval, authentication, addresses, checksum
-- if: SELECT 1 FROM vrrp_advert
-- Only routers seen at one place (the same vantage point and VLAN) are compared: the same VRID in
-- another network is none of their business. The last advert with a priority speaks for a router.
CREATE TEMP TABLE vm_router AS
SELECT vrid, family, vantage_id, vlan, src_ip, version, interval_ns, addresses, auth, auth_type, checksum,
	ttl, dst_ip, priority, capture_file_id, frame, at_ns,
	-- in an order of their own: the order of addresses means nothing
	(SELECT group_concat(value, ' ') FROM (SELECT value FROM json_each('["' || replace(replace(addresses,
		'"', ''), ',', '","') || '"]') ORDER BY value)) AS address_set
FROM (
	SELECT a.vrid, CAST(CASE WHEN instr(a.src_ip, ':') THEN 6 ELSE 4 END AS INTEGER) AS family, a.vantage_id,
		coalesce(a.vlan, 0) AS vlan, a.src_ip, a.version, a.interval_ns, a.addresses,
		coalesce(a.auth_type, 0) || coalesce(' ' || a.auth_data, '') AS auth, a.auth_type, a.checksum,
		a.ttl, a.dst_ip, a.priority, a.capture_file_id, a.frame, max(a.at_ns) AS at_ns
	FROM vrrp_advert a WHERE a.priority > 0
	GROUP BY a.vrid, instr(a.src_ip, ':') > 0, a.vantage_id, a.vlan, a.src_ip);

-- One row for each disagreement of two routers. rejects: the receiver drops such adverts, so each
-- takes itself for the only one (RFC 3768 7.1, RFC 9568 7.1).
CREATE TEMP TABLE vm_conflict AS
SELECT DISTINCT a.vrid, a.family, a.src_ip AS low_ip, b.src_ip AS high_ip, k.column1 AS what,
	CASE k.column1 WHEN 'version' THEN a.version WHEN 'interval' THEN span(a.interval_ns)
		WHEN 'authentication' THEN 'type ' || coalesce(a.auth_type, 0) WHEN 'checksum' THEN a.checksum
		WHEN 'priority 255' THEN 255 ELSE a.address_set END AS low_value,
	CASE k.column1 WHEN 'version' THEN b.version WHEN 'interval' THEN span(b.interval_ns)
		WHEN 'authentication' THEN 'type ' || coalesce(b.auth_type, 0) WHEN 'checksum' THEN b.checksum
		WHEN 'priority 255' THEN 255 ELSE b.address_set END AS high_value,
	k.column1 IN ('version', 'authentication', 'checksum') OR (k.column1 = 'interval' AND a.version = 2)
		AS rejects,
	a.vantage_id, a.capture_file_id AS low_file_id, a.frame AS low_frame, b.capture_file_id AS high_file_id,
	b.frame AS high_frame, min(a.at_ns, b.at_ns) AS at_ns
FROM vm_router a
JOIN vm_router b ON b.vrid = a.vrid AND b.family = a.family AND b.vantage_id = a.vantage_id
	AND b.vlan = a.vlan AND b.src_ip > a.src_ip
JOIN (VALUES ('version'), ('interval'), ('authentication'), ('checksum'), ('addresses'),
	('shared VRID'), ('priority 255')) k
WHERE CASE k.column1
	WHEN 'version' THEN a.version != b.version
	WHEN 'interval' THEN a.interval_ns != b.interval_ns
	WHEN 'authentication' THEN a.version = 2 AND b.version = 2 AND a.auth != b.auth
	WHEN 'checksum' THEN a.version = b.version AND a.checksum IN ('message', 'pseudo')
		AND b.checksum IN ('message', 'pseudo') AND a.checksum != b.checksum
	WHEN 'priority 255' THEN a.priority = 255 AND b.priority = 255
	WHEN 'shared VRID' THEN a.address_set != b.address_set AND NOT EXISTS (
		SELECT 1 FROM json_each('["' || replace(a.address_set, ' ', '","') || '"]') x
		WHERE ' ' || b.address_set || ' ' LIKE '% ' || x.value || ' %')
	ELSE a.address_set != b.address_set AND EXISTS (
		SELECT 1 FROM json_each('["' || replace(a.address_set, ' ', '","') || '"]') x
		WHERE ' ' || b.address_set || ' ' LIKE '% ' || x.value || ' %') END;

-- What one router does wrong by itself.
INSERT INTO vm_conflict
SELECT DISTINCT r.vrid, r.family, r.src_ip, NULL, k.column1,
	CASE k.column1 WHEN 'TTL' THEN r.ttl ELSE 'bad' END, NULL, 1, r.vantage_id, r.capture_file_id, r.frame,
	NULL, NULL, r.at_ns
FROM vm_router r
JOIN (VALUES ('TTL'), ('bad checksum')) k
WHERE CASE k.column1 WHEN 'TTL' THEN r.ttl != 255 AND r.dst_ip IN ('224.0.0.18', 'ff02::12')
	ELSE r.checksum = 'bad' END;

-- One finding a link and VRID, at the place that shows most of it.
CREATE TEMP TABLE vm_found AS
SELECT row_number() OVER (ORDER BY vrid, segment) AS key,
	vrid, family, segment, vantage_id, low_ip, high_ip, routers
FROM (
	SELECT c.vrid, c.family, g.segment, c.vantage_id, min(c.low_ip) AS low_ip, max(c.high_ip) AS high_ip,
		count(DISTINCT c.low_ip) + count(DISTINCT c.high_ip) AS routers,
		row_number() OVER (PARTITION BY c.vrid, c.family, g.segment
			ORDER BY count(*) DESC, c.vantage_id) AS place
	FROM vm_conflict c
	JOIN vrrp_segment g ON g.vrid = c.vrid AND g.family = c.family AND g.src_ip = c.low_ip
	GROUP BY c.vrid, c.family, g.segment, c.vantage_id)
WHERE place = 1;
CREATE TEMP TABLE vm_words AS
SELECT f.key, c.rejects, c.what, c.at_ns, c.low_ip, c.high_ip, c.low_value, c.high_value,
	CASE c.what
		WHEN 'shared VRID' THEN 'two clusters share the VRID: ' || c.low_ip || ' serves ' || c.low_value
			|| ', ' || c.high_ip || ' serves ' || c.high_value
		WHEN 'priority 255' THEN c.low_ip || ' and ' || c.high_ip || ' both claim to own the address (priority 255)'
		WHEN 'TTL' THEN c.low_ip || ' sends with TTL ' || c.low_value || ' instead of 255'
		WHEN 'bad checksum' THEN c.low_ip || ' sends wrong checksums'
		WHEN 'checksum' THEN 'checksum with pseudo-header at ' || CASE c.low_value WHEN 'pseudo' THEN c.low_ip
			ELSE c.high_ip END || ', without at ' || CASE c.low_value WHEN 'pseudo' THEN c.high_ip
			ELSE c.low_ip END
		ELSE c.what || ' ' || c.low_value || ' at ' || c.low_ip || ', ' || c.high_value || ' at ' || c.high_ip
		END AS words,
	c.low_file_id, c.low_frame, c.high_file_id, c.high_frame,
	row_number() OVER (PARTITION BY f.key ORDER BY c.rejects DESC, c.what, c.low_ip, c.high_ip) AS place
FROM vm_found f
JOIN vrrp_segment g ON g.vrid = f.vrid AND g.family = f.family AND g.segment = f.segment
JOIN vm_conflict c ON c.vrid = f.vrid AND c.family = f.family AND c.low_ip = g.src_ip
	AND c.vantage_id = f.vantage_id;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'vrrp-misconfig', CASE WHEN max(w.rejects) THEN 'warning' ELSE 'notice' END, 1,
	coalesce((SELECT host_id FROM vrrp_source o WHERE o.vrid = f.vrid AND o.family = f.family
		AND o.src_ip = f.low_ip), v.host_id),
	f.vantage_id, NULL, f.low_ip, f.high_ip,
	(SELECT min(t.from_ns) FROM vrrp_term t WHERE t.vrid = f.vrid AND t.family = f.family AND t.segment = f.segment),
	(SELECT max(t.to_ns) FROM vrrp_term t WHERE t.vrid = f.vrid AND t.family = f.family AND t.segment = f.segment),
	count(*), NULL,
	'VRID ' || f.vrid || ': ' || (SELECT group_concat(x.words, '; ') FROM (SELECT words FROM vm_words s
		WHERE s.key = f.key AND s.place <= 4 ORDER BY s.place) x)
		|| CASE WHEN max(w.rejects) THEN '; receivers drop such adverts and take themselves for the only master'
		ELSE '' END,
	CASE WHEN max(w.what = 'shared VRID') THEN 'give one of the clusters another VRID'
		WHEN max(w.what = 'checksum') THEN 'use version 2, or the same checksum convention on all routers'
		ELSE 'make the configuration of VRID ' || f.vrid || ' the same on all its routers' END,
	json_object('vrid', f.vrid, 'what', (SELECT json_group_array(what) FROM (SELECT DISTINCT what FROM vm_words s
		WHERE s.key = f.key ORDER BY what)),
		'differences', (SELECT json_group_array(json(d)) FROM (
			SELECT json_object('what', s.what, 'router', s.low_ip, 'value', s.low_value, 'other', s.high_ip,
				'other_value', s.high_value) AS d
			FROM vm_words s WHERE s.key = f.key ORDER BY s.place LIMIT 100)))
FROM vm_found f
JOIN vm_words w ON w.key = f.key
JOIN vantage v ON v.id = f.vantage_id
GROUP BY f.key
ORDER BY f.key;

INSERT INTO new_evidence (key, capture_file_id, frame, note)
SELECT key, file_id, frame, note FROM (
	SELECT key, place, 1 AS part, low_file_id AS file_id, low_frame AS frame,
		low_ip || ': ' || what || ' ' || low_value AS note FROM vm_words
	UNION ALL
	SELECT key, place, 2, high_file_id, high_frame, high_ip || ': ' || what || ' ' || high_value
	FROM vm_words WHERE high_frame IS NOT NULL)
ORDER BY key, place, part;
