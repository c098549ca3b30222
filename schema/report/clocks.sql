-- The clock model: every piece of every vantage point's clock against the reference
SELECT c.vantage_id, c.reference_vantage_id, c.from_ns, c.to_ns, c.offset_ns, c.offset_low_ns,
	c.offset_high_ns, c.skew_ppm, c.samples, c.method, v.name, r.name AS reference
FROM clock c
JOIN vantage v ON v.id = c.vantage_id AND v.kind != 'kernel' -- its host's
JOIN vantage r ON r.id = c.reference_vantage_id
ORDER BY c.vantage_id, c.from_ns;
