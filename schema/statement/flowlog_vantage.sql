-- The vantage point of an interface.
SELECT id FROM vantage WHERE kind = 'flowlog' AND interface = ?1
