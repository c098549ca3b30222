-- Whose captures they are, where no packet was seen at two places: the addresses with most frames
WITH nothing_shared AS MATERIALIZED (SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM path_total WHERE received > 0)),
seen(vantage_id, ip, frames) AS (
	SELECT m.vantage_id, m.ip, sum(m.frames) FROM nothing_shared CROSS JOIN mac_use m
	WHERE m.role = 'source' GROUP BY m.vantage_id, m.ip
	UNION ALL
	-- link types without MACs
	SELECT vantage_id, ip, sum(frames) FROM (
		SELECT f.vantage_id, f.client_ip AS ip, f.packets_c2s AS frames FROM nothing_shared CROSS JOIN flow_vantage f
		UNION ALL
		SELECT f.vantage_id, f.server_ip, f.packets_s2c FROM nothing_shared CROSS JOIN flow_vantage f)
	WHERE vantage_id NOT IN (SELECT vantage_id FROM mac_use)
	GROUP BY vantage_id, ip HAVING sum(frames) > 0)
SELECT vantage_id, ip, addresses FROM (
	SELECT s.vantage_id, s.ip, count(*) OVER (PARTITION BY s.vantage_id) AS addresses,
		row_number() OVER (PARTITION BY s.vantage_id ORDER BY
			EXISTS (SELECT 1 FROM vantage v JOIN host_address a ON a.host_id = v.host_id
				WHERE v.id = s.vantage_id AND a.ip = s.ip) DESC, s.frames DESC, s.ip) AS n
	FROM seen s)
WHERE n <= 2
ORDER BY vantage_id, n;
