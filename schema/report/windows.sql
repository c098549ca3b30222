-- Spans that findings speak of: those within a finding where it lists them, else from its first packet to its last. What a
-- capture lacks has the span of the capture, which tells nothing.
SELECT f.id, f.kind, coalesce(h.name, a.name, '') AS place, json_extract(w.value, '$.from_ns') AS from_ns,
	json_extract(w.value, '$.to_ns') AS to_ns, f.severity
FROM finding f
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage a ON a.id = f.from_vantage_id,
	json_each(f.detail, '$.windows') w
WHERE f.id <= :limit AND json_type(w.value, '$.from_ns') = 'integer' AND json_type(w.value, '$.to_ns') = 'integer'
UNION ALL
SELECT f.id, f.kind, coalesce(h.name, a.name || coalesce(' → ' || b.name, ''), ''), f.first_ns, f.last_ns, f.severity
FROM finding f
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage a ON a.id = f.from_vantage_id
LEFT JOIN vantage b ON b.id = f.to_vantage_id
WHERE f.id <= :limit AND f.first_ns IS NOT NULL AND f.last_ns IS NOT NULL AND f.kind != 'capture-loss'
	AND coalesce(json_array_length(f.detail, '$.windows'), 0) = 0
ORDER BY 1, 4
LIMIT 500;
