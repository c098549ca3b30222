-- Addresses that captures and agents say belong to a host, the surest first.
SELECT ip, host_id FROM host_address WHERE ip IS NOT NULL
ORDER BY CASE source WHEN 'option' THEN 0 WHEN 'agent' THEN 1 WHEN 'capture' THEN 2 ELSE 3 END, host_id
