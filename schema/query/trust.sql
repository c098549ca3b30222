-- How far each vantage point can be trusted, and why
SELECT v.name, v.kind, v.trust, coalesce(j.value, '') AS reason
FROM vantage v LEFT JOIN json_each(v.trust_reasons) j
ORDER BY v.id, j.key;
