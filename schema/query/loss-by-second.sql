-- Lost segments by second and leg: does loss come in bursts?
SELECT iso(e.at_ns / 1000000000 * 1000000000) AS second, a.name AS from_vantage, b.name AS to_vantage,
	sum(e.segments) AS lost, count(DISTINCT e.flow_id) AS flows
FROM event e
JOIN vantage a ON a.id = e.from_vantage_id
JOIN vantage b ON b.id = e.to_vantage_id
WHERE e.kind IN ('lost', 'misaddressed')
GROUP BY e.at_ns / 1000000000, e.from_vantage_id, e.to_vantage_id
ORDER BY e.at_ns / 1000000000, e.from_vantage_id, e.to_vantage_id;
