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
