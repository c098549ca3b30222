-- Rejects by ENI, pair of addresses and service, the most first
SELECT * FROM flow_log_rejects
ORDER BY rejected_records_c2s + rejected_records_s2c DESC, interface, client_ip, server_ip, server_port
LIMIT 100;
