-- Connections that never came about, by service: who saw the SYNs, who saw an answer
SELECT endpoint(f.server_ip, f.server_port) AS server, f.client_ip AS client, f.outcome, count(*) AS flows,
	sum(EXISTS (SELECT 1 FROM flow_vantage w WHERE w.flow_id = f.id AND w.position > 0 AND w.syn_c2s > 0))
		AS syn_seen_beyond_client,
	sum(EXISTS (SELECT 1 FROM flow_vantage w WHERE w.flow_id = f.id AND w.syn_s2c > 0)) AS answer_seen,
	iso(min(f.first_ns)) AS first, iso(max(f.last_ns)) AS last
FROM flow f
WHERE f.outcome IN ('unanswered', 'half_open', 'refused')
GROUP BY f.server_ip, f.server_port, f.client_ip, f.outcome
ORDER BY flows DESC, server, client;
