-- Statements that drop what judging left in temp
SELECT 'DROP ' || type || ' temp."' || replace(name, '"', '""') || '"' FROM sqlite_temp_master
WHERE type IN ('table', 'view');
