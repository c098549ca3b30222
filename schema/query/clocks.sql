-- The clock model: each vantage point's offset from the reference with its bounds
SELECT v.name, r.name AS reference, iso(c.from_ns) AS from_time, iso(c.to_ns) AS to_time,
	span(c.offset_ns) AS offset, span(c.offset_high_ns - c.offset_low_ns) AS width, round(c.skew_ppm, 3) AS skew_ppm, c.method,
	c.samples
FROM clock c
JOIN vantage v ON v.id = c.vantage_id
JOIN vantage r ON r.id = c.reference_vantage_id
ORDER BY c.vantage_id, c.from_ns;
