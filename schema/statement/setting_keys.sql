-- Names of all settings, in one line
SELECT group_concat(key, ', ') FROM (SELECT key FROM setting ORDER BY key);
