-- Flow logs: requests that failed, by client, server and service, and how
SELECT * FROM flow_log_failed ORDER BY failed DESC, server, protocol, server_port, client;
