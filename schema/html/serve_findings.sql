-- What the JSON of an uploaded incident says of its findings
SELECT id, kind, severity, confidence, count, total, summary, remedy, cause_id
FROM finding ORDER BY id LIMIT 200;
