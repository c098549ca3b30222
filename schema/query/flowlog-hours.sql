-- Each hour of each pair of addresses at each ENI (reads all records where they were kept)
SELECT interface, src_ip, dst_ip, protocol, port, hour, records, packets, bytes, rejected_records, rejected_packets
FROM flow_log_pair_hours ORDER BY interface, src_ip, dst_ip, protocol, port, start_ns;
