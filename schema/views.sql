-- Views for people: names instead of numbers.

CREATE VIEW loss AS -- loss by pair of vantage points and direction
SELECT f.name AS from_vantage, t.name AS to_vantage, p.from_vantage_id, p.to_vantage_id,
	sum(p.sent) AS sent, sum(p.delivered) AS delivered, sum(p.lost) AS lost,
	sum(p.misaddressed) AS misaddressed, sum(p.capture_missed) AS capture_missed,
	sum(p.unjudged) AS unjudged
FROM path p
JOIN vantage f ON f.id = p.from_vantage_id
JOIN vantage t ON t.id = p.to_vantage_id
GROUP BY p.from_vantage_id, p.to_vantage_id;

CREATE VIEW clock_piece AS -- each vantage's clock model without holes: reference time = t - offset_ns - (t - from_ns) * skew_ppm / 1e6 for the piece with valid_from <= t < valid_to
SELECT v.id AS vantage_id, coalesce(c.from_ns, 0) AS from_ns,
	coalesce(c.offset_ns, c.offset_low_ns, c.offset_high_ns, 0) AS offset_ns,
	coalesce(c.skew_ppm, 0) AS skew_ppm,
	CASE WHEN lag(c.from_ns) OVER pieces IS NULL THEN -9223372036854775808 ELSE c.from_ns END AS valid_from,
	coalesce(lead(c.from_ns) OVER pieces, 9223372036854775807) AS valid_to
FROM vantage v
LEFT JOIN clock c ON c.vantage_id = v.id
WINDOW pieces AS (PARTITION BY v.id ORDER BY c.from_ns);
