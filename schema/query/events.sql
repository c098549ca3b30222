-- What did not simply arrive: events of flow :flow, of kind :kind, at most :limit (default 200), by time
SELECT e.id, e.flow_id AS flow, e.direction, e.kind, e.reason, iso(e.at_ns) AS at, e.seq, e.length,
	tcp_flags(e.tcp_flags) AS flags, a.name AS from_vantage, s.path AS sent_file, e.sent_frame,
	b.name AS to_vantage, r.path AS received_file, e.received_frame, p.path AS proof_file, e.proof_frame,
	e.detail
FROM event e
JOIN vantage a ON a.id = e.from_vantage_id
JOIN vantage b ON b.id = e.to_vantage_id
LEFT JOIN capture_file s ON s.id = e.sent_file_id
LEFT JOIN capture_file r ON r.id = e.received_file_id
LEFT JOIN capture_file p ON p.id = e.proof_file_id
WHERE (:flow IS NULL OR e.flow_id = :flow) AND (:kind IS NULL OR e.kind = :kind)
ORDER BY e.at_ns, e.id
LIMIT coalesce(:limit, 200);
