-- What the JSON of an uploaded incident says of its findings; frames: how many frames prove it
SELECT id, kind, severity, confidence, count, total, summary, remedy, cause_id,
	(SELECT count(*) FROM evidence e WHERE e.finding_id = f.id AND e.frame IS NOT NULL) AS frames
FROM finding f ORDER BY id LIMIT 200;
