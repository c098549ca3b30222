-- How many paths lost something
SELECT count(*) FROM path WHERE lost > 0 OR misaddressed > 0;
