-- From here on rows are incomplete until the file's own row is there.
INSERT OR REPLACE INTO analysis VALUES ('flowlog.pending', ?1)
