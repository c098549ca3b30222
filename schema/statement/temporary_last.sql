-- The last object that was made in temp
SELECT coalesce(max(rowid), 0) FROM sqlite_temp_master
