-- Who was master of which virtual address, from when to when, and how it became so
SELECT t.vrid, coalesce(h.name, t.src_ip) AS router, t.src_ip, t.priority, iso(t.from_ns) AS 'from',
	span(t.to_ns - t.from_ns) AS lasted, t.adverts, t.began, CASE WHEN t.resigned THEN 'resigned' ELSE '' END
	AS ended, v.name AS seen_at
FROM vrrp_term t JOIN vantage v ON v.id = t.vantage_id LEFT JOIN host h ON h.id = t.host_id
ORDER BY t.from_ns, t.vrid, t.src_ip;
