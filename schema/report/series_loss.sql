-- Lost segments by bucket and direction, on the sender's clock
SELECT from_vantage_id, to_vantage_id, sent_ns / :bucket, sum(segments), min(sent_ns)
FROM segment_event
WHERE kind IN ('lost', 'misaddressed') AND sent_ns IS NOT NULL
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
