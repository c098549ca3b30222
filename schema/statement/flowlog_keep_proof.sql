-- The records of this database are summed (--keep proof).
INSERT OR REPLACE INTO analysis VALUES ('flowlog.keep', 'proof');
