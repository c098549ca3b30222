-- The clock model
SELECT c.vantage_id, c.reference_vantage_id, c.from_ns, c.to_ns, c.offset_ns, c.offset_low_ns,
	c.offset_high_ns, c.skew_ppm, c.method, c.samples, v.name, r.name
FROM clock c
JOIN vantage v ON v.id = c.vantage_id
JOIN vantage r ON r.id = c.reference_vantage_id
ORDER BY c.vantage_id, c.from_ns;
