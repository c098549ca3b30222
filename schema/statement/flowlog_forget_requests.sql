-- Minutes that are made again.
DELETE FROM flow_log_request_minute WHERE start_ns >= ?1
