-- ?1 a table or an index: its root page
SELECT rootpage FROM sqlite_schema WHERE name = ?1;
