-- How the database was made
SELECT key, value FROM analysis ORDER BY key;
