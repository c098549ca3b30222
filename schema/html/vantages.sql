-- Vantage points with their trust, the least trusted first
SELECT v.id, v.name, h.name, v.kind, v.interface, v.mac, v.trust, v.trust_reasons, v.first_ns,
	v.last_ns, v.tcp_missed, v.duplicates
FROM vantage v JOIN host h ON h.id = v.host_id
ORDER BY CASE v.trust WHEN 'unfit' THEN 0 WHEN 'with care' THEN 1 ELSE 2 END, v.id
LIMIT :limit;
