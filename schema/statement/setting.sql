-- ?1 key: the value in force
SELECT value FROM setting WHERE key = ?1;
