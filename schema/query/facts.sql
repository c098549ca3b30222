-- What was recorded about host :host (all without it)
SELECT h.name AS host, iso(f.at_ns) AS at, f.key, f.value
FROM host_fact f JOIN host h ON h.id = f.host_id
WHERE :host IS NULL OR h.name = :host
ORDER BY h.name, f.key, f.at_ns;
