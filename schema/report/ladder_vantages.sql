-- The vantage points of a flow from the client's side to the server's
SELECT v.id, v.name, fv.client_ip, fv.client_port, fv.server_ip, fv.server_port,
	fv.seq_delta_c2s, fv.seq_delta_s2c,
	EXISTS (SELECT 1 FROM host_address a WHERE a.host_id = v.host_id AND a.ip = fv.server_ip)
FROM flow_vantage fv JOIN vantage v ON v.id = fv.vantage_id
WHERE fv.flow_id = :flow AND v.kind != 'flowlog'
ORDER BY fv.position, v.id;
