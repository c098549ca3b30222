DELETE FROM flow_log_carry;
