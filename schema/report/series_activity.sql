-- Frames by bucket at each vantage point, on its own clock; whether it ever told sent from received
SELECT vantage_id, second_ns / :bucket, sum(rx_frames), sum(tx_frames), second_ns / :bucket,
	sum(sum(tx_frames)) OVER (PARTITION BY vantage_id)
FROM activity GROUP BY 1, 2 ORDER BY 1, 2;
