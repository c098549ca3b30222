-- Frames by bucket at each vantage point, on its own clock
SELECT vantage_id, second_ns / :bucket, sum(rx_frames), sum(tx_frames), min(second_ns)
FROM activity GROUP BY 1, 2 ORDER BY 1, 2;
