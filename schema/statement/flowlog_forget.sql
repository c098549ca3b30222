-- Everything that is made again, but for the minutes.
DELETE FROM flow_log_pair;
DELETE FROM flow_log_request;
DELETE FROM flow_log_loss;
DELETE FROM flow_log_delivery;
DELETE FROM flow_log_drop;
DELETE FROM flow_log_interface;
DELETE FROM vantage WHERE kind = 'flowlog';
DELETE FROM flow_log_source;
DELETE FROM limit_reached WHERE table_name LIKE 'flow_log%';
