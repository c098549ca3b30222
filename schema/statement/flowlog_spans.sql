-- When the hosts of ENIs captured, fit to be relied on.
SELECT e.id, c.first_ns, c.last_ns FROM vantage e
JOIN capture_file c ON c.host_id = e.host_id
JOIN vantage v ON v.id = c.vantage_id
WHERE e.kind = 'flowlog' AND v.kind = 'nic' AND v.trust != 'unfit' AND c.first_ns IS NOT NULL
ORDER BY e.id, c.first_ns
