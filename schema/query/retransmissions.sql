-- Flows that retransmitted most, and how much of it the network made necessary; at most :limit (default 50)
SELECT f.id, endpoint(f.client_ip, f.client_port) AS client, endpoint(f.server_ip, f.server_port) AS server,
	p.direction, sum(p.sent) AS sent, sum(p.retransmitted) AS retransmitted,
	sum(p.lost + p.misaddressed) AS lost, sum(p.retransmitted) - sum(p.lost + p.misaddressed) AS beyond_loss
FROM path p JOIN flow f ON f.id = p.flow_id
WHERE p.retransmitted > 0
GROUP BY p.flow_id, p.direction
ORDER BY retransmitted DESC, f.id, p.direction
LIMIT coalesce(:limit, 50);
