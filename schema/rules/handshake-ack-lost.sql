-- The client's last packet of the handshake was sent and never reached the server's host
-- if: SELECT 1 FROM handshake_ack
CREATE TEMP TABLE proof AS
SELECT e.id AS event_id, e.at_ns, e.flow_id, e.from_vantage_id, e.to_vantage_id, h.src_ip, h.dst_ip, h.server_port,
	h.half_open, CASE WHEN vf.trust = 'sound' AND vt.trust = 'sound' THEN 1.0 ELSE 0.8 END AS trusted
FROM handshake_ack h
CROSS JOIN event e ON e.id = h.event_id AND e.kind IN ('lost', 'misaddressed')
CROSS JOIN vantage vf ON vf.id = e.from_vantage_id AND vf.trust != 'unfit'
CROSS JOIN vantage vt ON vt.id = e.to_vantage_id AND vt.trust != 'unfit';

CREATE INDEX temp.proof_by_ends ON proof(from_vantage_id, to_vantage_id, src_ip, dst_ip, at_ns, event_id);

CREATE TEMP TABLE verdict AS
SELECT row_number() OVER (ORDER BY from_vantage_id, to_vantage_id, src_ip, dst_ip) AS key,
	from_vantage_id, to_vantage_id, src_ip, dst_ip, count(*) AS lost,
	count(DISTINCT flow_id) AS flows,
	count(DISTINCT CASE WHEN half_open THEN flow_id END) AS broken,
	CASE WHEN min(server_port) = max(server_port) THEN min(server_port) END AS port,
	min(trusted) AS trusted, min(at_ns) AS first_ns, max(at_ns) AS last_ns
FROM proof GROUP BY from_vantage_id, to_vantage_id, src_ip, dst_ip;

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, 'handshake-ack-lost',
	-- The next data segment repairs it, unless the server waits for the ACK alone.
	CASE WHEN v.broken > 0 AND v.lost >= 3 THEN 'critical' WHEN v.broken > 0 THEN 'warning'
		ELSE 'notice' END,
	min(CASE WHEN v.lost >= 3 THEN 0.95 ELSE 0.85 END, v.trusted),
	f.host_id, v.from_vantage_id, v.to_vantage_id, v.src_ip, v.dst_ip, v.first_ns, v.last_ns,
	v.lost, NULL,
	v.lost || iif(v.lost = 1, ' handshake ACK', ' handshake ACKs') || ' sent by ' || v.src_ip
		|| ' never reached ' || endpoint(v.dst_ip, v.port),
	'capture at a hop between ' || f.name || ' and ' || t.name
		|| '; look for a firewall that tracks connections and drops this ACK as invalid',
	json_object('flows', v.flows, 'broken', v.broken, 'port', v.port)
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, 'handshake ACK ' || n || ' of ' || lost
FROM (SELECT v.key, v.lost, p.event_id,
		row_number() OVER (PARTITION BY v.key ORDER BY p.at_ns, p.event_id) AS n
	FROM verdict v
	JOIN proof p ON p.from_vantage_id = v.from_vantage_id AND p.to_vantage_id = v.to_vantage_id
		AND p.src_ip = v.src_ip AND p.dst_ip = v.dst_ip)
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
