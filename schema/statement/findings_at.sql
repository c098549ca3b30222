-- ?1 severity: how many findings are at least that severe
SELECT count(*) FROM finding
WHERE CASE severity WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END
	>= CASE ?1 WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END;
