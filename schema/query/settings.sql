-- Thresholds in force, with what they do
SELECT key, value, comment FROM setting ORDER BY key;
