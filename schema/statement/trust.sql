-- Quality of each capture, from its own drop counters and from what the join found missing.
CREATE TEMP TABLE trust_reason AS
SELECT v.id AS vantage_id, 1 AS weight, 'the file ' || c.path || ' is damaged: ' || c.damaged AS reason
FROM vantage v JOIN capture_file c ON c.vantage_id = v.id WHERE c.damaged IS NOT NULL
UNION ALL
SELECT d.vantage_id, 1, d.dropped_kernel || ' frames were dropped by the kernel while ' || c.path || ' was captured'
FROM capture_drop_count d JOIN capture_file c ON c.id = d.capture_file_id WHERE d.dropped_kernel > 0
UNION ALL
SELECT d.vantage_id, 1, d.dropped_interface || ' frames were dropped by the interface while ' || c.path || ' was captured'
FROM capture_drop_count d JOIN capture_file c ON c.id = d.capture_file_id WHERE d.dropped_interface > 0
UNION ALL
SELECT c.vantage_id, CASE WHEN a.frames = c.frames THEN 2 ELSE 1 END, iif(a.frames = c.frames, 'none', a.frames)
	|| ' of the ' || c.frames || ' frames of ' || c.path || iif(a.frames = c.frames, ' could be read', ' could not be read')
	|| ': their link type is not supported'
FROM capture_file c JOIN frame_account a ON a.capture_file_id = c.id
WHERE a.disposition = 'unsupported_link'
UNION ALL
-- Protocols that are not read: a few frames of them are on every link (LLDP, spanning tree).
SELECT c.vantage_id, iif(a.frames = c.frames, 2, 1), iif(a.frames = c.frames, 'none', a.frames)
	|| ' of the ' || c.frames || ' frames of ' || c.path || iif(a.frames = c.frames, ' could be read', ' could not be read')
	|| ': what stands between the link and IP is not known, or encrypted'
FROM capture_file c JOIN frame_account a ON a.capture_file_id = c.id
WHERE a.disposition = 'other_ethertype' AND a.frames * 2 > c.frames
UNION ALL
SELECT v.id, CASE WHEN v.tcp_missed * 5 > t.frames THEN 2 ELSE 1 END,
	v.tcp_missed || ' TCP segments that passed here are missing from the capture: they were acknowledged or seen downstream'
FROM vantage v
JOIN (SELECT vantage_id, sum(packets_c2s + packets_s2c) AS frames 
	FROM (SELECT 1 FROM vantage WHERE tcp_missed > 0 LIMIT 1) once CROSS JOIN flow_vantage GROUP BY vantage_id) t
	ON t.vantage_id = v.id
WHERE v.tcp_missed > 0
UNION ALL
SELECT v.id, 1, v.duplicates || ' frames were captured twice; the duplicates are ignored'
FROM vantage v WHERE v.duplicates > 0
UNION ALL
SELECT DISTINCT i.vantage_id, 1, 'the capture was filtered: ' || i.filter
FROM capture_file c JOIN capture_interface i ON i.capture_file_id = c.id
WHERE i.filter IS NOT NULL AND i.filter != ''
UNION ALL
SELECT c.vantage_id, 1, a.frames || ' frames of ' || c.path || ' were cut before the end of their headers (snap length)'
FROM capture_file c JOIN frame_account a ON a.capture_file_id = c.id
WHERE a.disposition = 'truncated'
UNION ALL
SELECT v.id, 2, coalesce('all of its ' || nullif((SELECT sum(c.frames) FROM capture_file c WHERE c.id IN (
		SELECT i.capture_file_id FROM capture_interface i WHERE i.vantage_id = v.id)), 0)
	|| ' frames are outside --from/--to', 'it has no frames')
FROM vantage v WHERE v.first_ns IS NULL AND v.kind NOT IN ('flowlog', 'kernel');

UPDATE vantage SET
	trust = CASE (SELECT max(weight) FROM trust_reason t WHERE t.vantage_id = vantage.id)
		WHEN 2 THEN 'unfit' WHEN 1 THEN 'with care' ELSE 'sound' END,
	trust_reasons = (SELECT json_group_array(reason) FROM
		(SELECT reason FROM trust_reason t WHERE t.vantage_id = vantage.id ORDER BY weight DESC, reason));
DROP TABLE trust_reason;
