-- The one-way delays of each leg: a walk over every path
SELECT from_vantage_id, to_vantage_id, min(owd_min_ns), max(owd_max_ns)
FROM path
GROUP BY from_vantage_id, to_vantage_id;
