-- One-way delay between vantage points: the spread needs no clock, the level is as good as the clock's bounds
SELECT a.name AS from_vantage, b.name AS to_vantage, count(*) AS flows, span(min(p.owd_min_ns)) AS least,
	span(CAST(avg(p.owd_median_ns) AS INTEGER)) AS mean_of_medians, span(max(p.owd_max_ns)) AS most,
	span((SELECT max(c.offset_high_ns - c.offset_low_ns) FROM clock c
		WHERE c.vantage_id IN (p.from_vantage_id, p.to_vantage_id))) AS clock_width
FROM path p
JOIN vantage a ON a.id = p.from_vantage_id
JOIN vantage b ON b.id = p.to_vantage_id
WHERE p.owd_min_ns IS NOT NULL
GROUP BY p.from_vantage_id, p.to_vantage_id
ORDER BY 1, 2;
