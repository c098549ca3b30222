-- Files that are in the database.
SELECT id, path, bytes, hash FROM log_file ORDER BY id
