-- One-way delay by bucket and direction: flows by the time they began, on the reference clock
SELECT p.from_vantage_id, p.to_vantage_id, f.first_ns / :bucket, min(p.owd_min_ns),
	CAST(avg(p.owd_median_ns) AS INTEGER), max(p.owd_max_ns), min(f.first_ns)
FROM path p JOIN flow f ON f.id = p.flow_id
WHERE p.owd_median_ns IS NOT NULL AND f.id % :stride = 0
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
