-- How often each rule of the join decided what
SELECT kind, reason, count(*) AS events, sum(segments) AS segments
FROM segment_event GROUP BY kind, reason ORDER BY kind, segments DESC;
