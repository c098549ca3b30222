-- Who sends most bytes through which ENI
SELECT * FROM flow_log_talkers ORDER BY bytes DESC, interface, client_ip, server_ip, server_port LIMIT 100;
