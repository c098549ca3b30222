-- The file and record ids from which a run was writing when it was killed.
SELECT value FROM analysis WHERE key = 'flowlog.pending'
