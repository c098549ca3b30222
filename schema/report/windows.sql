-- Spans that findings speak of
SELECT f.id, f.kind, coalesce(h.name, a.name, ''), json_extract(w.value, '$.from_ns'),
	json_extract(w.value, '$.to_ns')
FROM finding f
LEFT JOIN host h ON h.id = f.host_id
LEFT JOIN vantage a ON a.id = f.from_vantage_id,
	json_each(f.detail, '$.windows') w
WHERE f.id <= :limit AND json_type(w.value, '$.from_ns') = 'integer' AND json_type(w.value, '$.to_ns') = 'integer'
ORDER BY f.id, w.key
LIMIT 500;
