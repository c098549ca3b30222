-- Vantage points with what their captures say about themselves
SELECT v.id, h.name AS host, v.name, v.kind, v.interface, v.mac, v.trust,
	coalesce((SELECT group_concat(value, '; ') FROM json_each(CASE
		WHEN json_valid(v.trust_reasons) THEN v.trust_reasons ELSE json_array(v.trust_reasons) END)), '') AS reasons,
	v.first_ns, v.last_ns,
	iif(v.kind = 'kernel', (SELECT count(*) FROM kernel_drop k WHERE k.vantage_id = v.id),
		(SELECT coalesce(sum(c.frames), 0) FROM capture_file c WHERE c.id IN (
			SELECT capture_file_id FROM capture_interface i WHERE i.vantage_id = v.id))) AS frames,
	(SELECT count(*) FROM capture_interface i WHERE i.vantage_id = v.id) AS files,
	(SELECT min(c.path) FROM capture_file c WHERE c.id IN (
		SELECT capture_file_id FROM capture_interface i WHERE i.vantage_id = v.id)) AS path,
	v.tcp_missed, v.duplicates
FROM vantage v JOIN host h ON h.id = v.host_id
ORDER BY v.id;
