-- Every table and column with what it means
SELECT table_name, coalesce(column_name, '') AS column_name, comment FROM schema_comment
ORDER BY table_name, column_name IS NOT NULL, rowid;
