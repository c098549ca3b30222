-- Spans in which an ENI accepted packets and nobody was answered
SELECT * FROM flow_log_dark ORDER BY peers DESC, minutes DESC, interface, "from" LIMIT 100;
