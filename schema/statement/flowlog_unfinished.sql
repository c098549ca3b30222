-- Files were added since the summed tables were made.
SELECT count(*) FROM analysis WHERE key = 'flowlog.unfinished'
