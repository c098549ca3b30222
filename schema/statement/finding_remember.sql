-- Before a run judges: what the run before told.
DELETE FROM finding_before;
INSERT INTO finding_before
SELECT s.rule, s.subject, s.dst_ip, s.first_ns, s.last_ns, coalesce(n.runs, 0) + 1
FROM finding_subject s LEFT JOIN finding_news n ON n.finding_id = s.id ORDER BY s.id;
INSERT OR REPLACE INTO analysis VALUES ('runs', coalesce((SELECT value FROM analysis WHERE key = 'runs'), 0) + 1);
