-- The clock of every vantage point against the reference's: its first piece, and how many pieces there are
SELECT v.name, r.name AS reference, c.offset_ns, c.offset_low_ns, c.offset_high_ns, c.skew_ppm, c.method,
	c.samples, (SELECT count(*) FROM clock d WHERE d.vantage_id = c.vantage_id) AS pieces
FROM clock c
JOIN vantage v ON v.id = c.vantage_id
JOIN vantage r ON r.id = c.reference_vantage_id
WHERE c.vantage_id != c.reference_vantage_id AND c.from_ns = (
	SELECT min(d.from_ns) FROM clock d WHERE d.vantage_id = c.vantage_id)
ORDER BY c.vantage_id;
