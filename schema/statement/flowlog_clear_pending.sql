DELETE FROM analysis WHERE key = 'flowlog.pending';
INSERT OR REPLACE INTO analysis VALUES ('flowlog.unfinished', '1');
