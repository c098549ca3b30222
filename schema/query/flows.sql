-- Flows of address :ip (all without it), of port :port, the lossy ones first; at most :limit (default 100)
SELECT f.id, f.protocol, endpoint(f.client_ip, f.client_port) AS client,
	endpoint(f.server_ip, f.server_port) AS server, f.outcome, iso(f.first_ns) AS first,
	span(f.last_ns - f.first_ns) AS length, sum(p.sent) AS sent, sum(p.lost + p.misaddressed) AS lost,
	sum(p.capture_missed) AS capture_missed, sum(p.retransmitted) AS retransmitted
FROM flow f
LEFT JOIN path p ON p.flow_id = f.id
WHERE (:ip IS NULL OR f.client_ip = :ip OR f.server_ip = :ip)
	AND (:port IS NULL OR f.server_port = :port OR f.client_port = :port)
GROUP BY f.id
ORDER BY lost DESC, f.id
LIMIT coalesce(:limit, 100);
