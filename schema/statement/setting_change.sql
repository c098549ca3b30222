-- Changes one setting
UPDATE setting SET value = :value WHERE key = :key;
