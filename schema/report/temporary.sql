-- Statements that drop what judging left in temp
SELECT 'DROP TABLE temp."' || replace(name, '"', '""') || '"' FROM sqlite_temp_master WHERE type = 'table';
