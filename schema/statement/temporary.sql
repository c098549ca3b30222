-- Statements that drop what was made in temp after the object ?1
SELECT 'DROP ' || type || ' temp."' || replace(name, '"', '""') || '"' FROM sqlite_temp_master
WHERE type IN ('table', 'view') AND rowid > ?1
