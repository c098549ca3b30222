DELETE FROM flow_log_name;
