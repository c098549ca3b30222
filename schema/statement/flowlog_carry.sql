-- What the last run left, by name.
SELECT content FROM flow_log_carry WHERE name = ?1 ORDER BY rowid
