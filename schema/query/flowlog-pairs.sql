-- Each minute of each pair of addresses at each ENI (reads all records)
SELECT interface, src_ip, dst_ip, protocol, minute, records, packets, bytes, rejected_packets
FROM flow_log_pair_timeline ORDER BY interface, src_ip, dst_ip, protocol, start_ns;
