-- What became of the transmissions of a flow that were not simply delivered
SELECT kind, direction, seq, length, tcp_flags, from_vantage_id, sent_file_id, sent_frame, sent_ns,
	to_vantage_id, received_file_id, received_frame, received_ns, reason, segments,
	proof_file_id, proof_frame
FROM segment_event WHERE flow_id = :flow
ORDER BY coalesce(sent_ns, received_ns), id
LIMIT :limit;
