-- The flow that proves a finding best: most evidence, then most events, then the first
SELECT e.flow_id FROM evidence e
JOIN flow_vantage v ON v.flow_id = e.flow_id
WHERE e.finding_id = :finding AND e.flow_id IS NOT NULL
GROUP BY e.flow_id
ORDER BY count(*) DESC, e.flow_id
LIMIT 1;
