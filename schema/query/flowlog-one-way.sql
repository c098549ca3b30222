-- Accepted with no answer recorded, by ENI, pair and service, the most first
SELECT * FROM flow_log_one_way
ORDER BY unanswered_packets DESC, interface, client_ip, server_ip, server_port LIMIT 100;
