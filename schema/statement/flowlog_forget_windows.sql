-- Minutes that are made again.
DELETE FROM flow_log_window WHERE start_ns >= ?1
