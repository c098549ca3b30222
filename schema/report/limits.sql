-- Tables that were cut at their limit
SELECT table_name, kept, total FROM limit_reached ORDER BY table_name;
