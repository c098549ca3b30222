-- What became of the frames and of the log lines, over all files
SELECT 'frames' AS what, disposition, sum(frames) AS n FROM frame_account GROUP BY disposition
UNION ALL
SELECT 'log lines', disposition, sum(lines) FROM log_account GROUP BY disposition
ORDER BY 1, 3 DESC, 2;
