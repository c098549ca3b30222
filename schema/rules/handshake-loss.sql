-- SYNs never reached the server's host (syn-lost), or SYN-ACKs the client's (synack-lost)
-- if: SELECT 1 FROM handshake_group
-- Decided from the facts of the join: the packet was recorded where it was sent, both captures
-- covered its time, and nothing shows that it arrived. prepare.sql groups the ends.
CREATE TEMP TABLE verdict AS
SELECT g.finding_key AS key, g.*, k.kind, k.segment,
	coalesce(iif(g.direction = 'c2s', g.src_ip, endpoint(g.src_ip, g.port)), g.sources || k.senders) AS sender,
	coalesce(iif(g.direction = 'c2s', endpoint(g.dst_ip, g.port), g.dst_ip), g.destinations || k.receivers)
		AS receiver
FROM handshake_group g
JOIN (SELECT 'c2s' AS direction, 'syn-lost' AS kind, 'SYN' AS segment, ' clients' AS senders, ' servers' AS receivers
	UNION ALL SELECT 's2c', 'synack-lost', 'SYN-ACK', ' servers', ' clients') k ON k.direction = g.direction;

CREATE TEMP TABLE proof AS
SELECT v.key, v.lost, v.segment, p.at_ns, p.event_id,
	row_number() OVER (PARTITION BY v.key ORDER BY p.at_ns, p.event_id) AS n
FROM verdict v
CROSS JOIN handshake_proof p ON p.finding_key = v.finding_key;
CREATE INDEX temp.proof_by_key ON proof(key);

INSERT INTO new_finding (key, kind, severity, confidence, host_id, from_vantage_id, to_vantage_id,
	src_ip, dst_ip, first_ns, last_ns, count, total, summary, remedy, detail)
SELECT v.key, v.kind,
	CASE WHEN v.broken > 0 AND v.lost >= 3 THEN 'critical'
		WHEN v.broken > 0 OR v.own AND v.lost >= 3 THEN 'warning' ELSE 'notice' END,
	-- One lost packet and the silence after it is strong; retries that are missing too are proof.
	min(CASE WHEN v.lost >= 3 THEN 0.99 WHEN v.lost = 2 THEN 0.95 ELSE 0.9 END, v.trusted),
	f.host_id, v.from_vantage_id, v.to_vantage_id, v.src_ip, v.dst_ip,
	coalesce((SELECT min(at_ns) FROM proof p WHERE p.key = v.key), v.first_ns),
	coalesce((SELECT max(at_ns) FROM proof p WHERE p.key = v.key), v.last_ns),
	v.lost, v.sent,
	v.lost || ' of ' || v.sent || ' ' || v.segment || 's sent by ' || v.sender || ' never reached ' || v.receiver,
	'capture at a hop between ' || f.name || ' and ' || t.name
		|| '; compare routes, security groups and firewalls in this direction',
	json_object('flows', v.flows, 'broken', v.broken, 'own', v.own, 'port', v.port,
		'sources', v.sources, 'destinations', v.destinations)
FROM verdict v
JOIN vantage f ON f.id = v.from_vantage_id
JOIN vantage t ON t.id = v.to_vantage_id;

INSERT INTO new_evidence (key, event_id, note)
SELECT key, event_id, segment || ' ' || n || ' of ' || lost FROM proof
WHERE n <= (SELECT value FROM setting WHERE key = 'evidence_max')
ORDER BY key, n;
