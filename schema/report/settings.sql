-- Thresholds in force
SELECT key, value, comment FROM setting ORDER BY key;
