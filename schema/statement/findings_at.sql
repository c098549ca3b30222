-- ?1 severity: how many findings are at least that severe; ?2 1: of those that the run before did not tell
SELECT count(*) FROM finding
WHERE CASE severity WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END
	>= CASE ?1 WHEN 'critical' THEN 3 WHEN 'warning' THEN 2 ELSE 1 END
	AND (NOT ?2 OR id NOT IN (SELECT finding_id FROM finding_news WHERE news != 'new'));
