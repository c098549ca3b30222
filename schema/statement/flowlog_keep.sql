-- Whether the records of this database were summed (--keep proof).
SELECT count(*) FROM analysis WHERE key = 'flowlog.keep' AND value = 'proof'
