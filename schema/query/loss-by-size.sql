-- Lost segments by payload size: a path MTU hole loses the large ones only
SELECT a.name AS from_vantage, b.name AS to_vantage, e.length / 100 * 100 AS bytes_from,
	e.length / 100 * 100 + 99 AS bytes_to, sum(e.segments) AS lost
FROM segment_event e
JOIN vantage a ON a.id = e.from_vantage_id
JOIN vantage b ON b.id = e.to_vantage_id
WHERE e.kind IN ('lost', 'misaddressed')
GROUP BY e.from_vantage_id, e.to_vantage_id, e.length / 100
ORDER BY e.from_vantage_id, e.to_vantage_id, e.length / 100;
