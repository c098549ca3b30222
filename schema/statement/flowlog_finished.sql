DELETE FROM analysis WHERE key IN ('flowlog.unfinished', 'flowlog.pending');
