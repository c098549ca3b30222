SELECT fingerprint FROM flow_log_seen
