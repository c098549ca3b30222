-- Lines of a file.
SELECT coalesce(sum(lines), 0) FROM log_account WHERE log_file_id = ?1
