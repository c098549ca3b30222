-- One conversation
SELECT protocol, client_ip, client_port, server_ip, server_port, client_isn, server_isn, outcome
FROM flow WHERE id = :flow;
