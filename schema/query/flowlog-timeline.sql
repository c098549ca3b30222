-- Each minute of each ENI: accepted in and out, answered, rejected, NODATA, SKIPDATA
SELECT host, interface, minute, in_records, in_requests, in_answered, in_packets, out_records, out_packets, peers,
	peers_answered, rejected, nodata, skipdata
FROM flow_log_timeline ORDER BY interface, start_ns;
