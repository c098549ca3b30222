-- A host's neighbour table holds another MAC for an address than its owner has, by both hosts' own word (mac-mismatch)
-- if: SELECT 1 FROM neighbor WHERE mac IS NOT NULL
-- Without a frame: an entry that is used sends to the wrong place. The owner has to be known by its own listing or
-- facts, and all of its interfaces: a MAC of another one of its interfaces is an entry like any other. Virtual MACs,
-- MACs of a host that holds the address in common with others, entries that are not valid (FAILED, INCOMPLETE), and entries
-- whose MAC is that of a captured or listed third host (a router that answers for others) claim nothing.
CREATE TEMP TABLE ne_owner AS
SELECT ip, CAST(min(host_id) AS INTEGER) AS host_id, min(mac) AS mac, count(DISTINCT mac) AS macs
FROM host_address WHERE ip IS NOT NULL AND mac IS NOT NULL AND source = 'agent' AND ip NOT LIKE 'fe80:%'
GROUP BY ip HAVING count(DISTINCT host_id) = 1 AND count(DISTINCT mac) = 1;
CREATE TEMP TABLE ne_entry AS
SELECT n.*, row_number() OVER (PARTITION BY n.host_id, n.ip, n.interface ORDER BY coalesce(n.at_ns, 0) DESC, n.rowid DESC) AS place
FROM neighbor n WHERE n.state != 'REMOVED';
CREATE TEMP TABLE ne_found AS
SELECT row_number() OVER (ORDER BY n.host_id, n.ip, n.interface) AS key, n.host_id, n.ip, n.mac, n.state, n.interface, ref_ns(c.vantage_id, n.at_ns) AS at_ns,
	o.host_id AS owner_host, o.mac AS mac_real
FROM ne_entry n
JOIN ne_owner o ON o.ip = n.ip AND o.host_id != n.host_id
LEFT JOIN host_clock c ON c.host_id = n.host_id
WHERE n.place = 1 AND n.mac IS NOT NULL AND n.mac != o.mac AND n.state IN ('REACHABLE', 'STALE', 'DELAY', 'PROBE', 'PERMANENT', 'NONE')
	AND NOT mac_virtual(n.mac) AND NOT mac_virtual(o.mac)
	AND n.mac NOT IN (SELECT a.mac FROM host_address a WHERE a.mac IS NOT NULL)
	AND n.mac NOT IN (SELECT v.mac FROM vantage v WHERE v.mac IS NOT NULL)
	AND n.ip NOT IN (SELECT ip FROM vrrp_vip)
	-- the same MAC for several addresses: a router that answers for them
	AND NOT EXISTS (SELECT 1 FROM ne_entry m WHERE m.host_id = n.host_id AND m.mac = n.mac AND m.ip != n.ip AND m.place = 1)
	AND (n.host_id, n.ip) NOT IN (SELECT host_id, dst_ip FROM finding WHERE kind IN ('mac-mismatch', 'l2-asymmetric')
		AND host_id IS NOT NULL AND dst_ip IS NOT NULL);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id, src_ip, dst_ip,
	first_ns, last_ns, count, total, summary, remedy, detail)
SELECT f.key, 'mac-mismatch', 'warning', 0.8, f.host_id, NULL, NULL, NULL, f.ip, f.at_ns, f.at_ns, NULL, NULL,
	h.name || ' holds MAC ' || f.mac || ' for ' || f.ip || iif(f.state = 'NONE', '', ' (' || f.state || ')') || ', but '
		|| o.name || ', whose address it is, has MAC ' || f.mac_real || ': what ' || h.name || ' sends there goes elsewhere',
	'on ' || h.name || ': `ip neigh del ' || f.ip || ' dev ' || coalesce(f.interface, 'INTERFACE') || '`',
	json_patch('{}', json_object('ip', f.ip, 'mac_used', f.mac, 'mac_real', f.mac_real, 'proof', 'its own interface',
		'state', f.state, 'rule', 'neighbor-entry'))
FROM ne_found f JOIN host h ON h.id = f.host_id JOIN host o ON o.id = f.owner_host
ORDER BY f.key;
INSERT INTO new_evidence (key, note)
SELECT f.key, h.name || ' lists ' || f.ip || ' lladdr ' || f.mac || ' ' || f.state FROM ne_found f JOIN host h ON h.id = f.host_id ORDER BY f.key;
INSERT INTO new_evidence (key, note)
SELECT f.key, o.name || ' recorded its own MAC as ' || f.mac_real FROM ne_found f JOIN host o ON o.id = f.owner_host ORDER BY f.key;
