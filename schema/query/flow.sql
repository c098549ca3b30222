-- What every vantage point saw of flow :flow
SELECT v.name, w.position, endpoint(w.client_ip, w.client_port) AS client,
	endpoint(w.server_ip, w.server_port) AS server, iso(w.first_ns) AS first,
	span(w.last_ns - w.first_ns) AS length, w.packets_c2s, w.packets_s2c, w.bytes_c2s, w.bytes_s2c,
	w.syn_c2s, w.syn_s2c, w.fin_c2s, w.fin_s2c, w.rst_c2s, w.rst_s2c, w.ttl_c2s, w.ttl_s2c,
	w.mss_c2s, w.mss_s2c
FROM flow_vantage w JOIN vantage v ON v.id = w.vantage_id
WHERE w.flow_id = :flow
ORDER BY w.position;
